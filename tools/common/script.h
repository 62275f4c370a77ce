/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.h - allocation scripts: the same work for the kernel, for libkmem and for a model.
 *
 *   cache NAME size=BYTES [align=N] [flags=F[,F...]] [ctor] [min_partial=N] [cpu_partial=N] [sheaf=N] [barn=N]
 *   cpu N                        what follows is done on CPU N (0 at the start)
 *   alloc OBJECTS... CACHE       allocate and name: a, a1..a100, a100..a1
 *   free [shuffle] OBJECTS...    free them in this order, or in a random one
 *   random N CACHE [live=L] [cpus=C] [check=K]
 *                                N random allocations and frees around L live objects (default 100), now and then
 *                                on another of the CPUs 0 .. C - 1, and a check after every K
 *   drain CACHE                  free what `random` left, in random order
 *   shrink CACHE                 as writing to /sys/kernel/slab/CACHE/shrink
 *   check                        look at the state of all caches
 *   seed N                       of all that is random from here on (1 at the start)
 *   repeat N { ... }             N times; $ in a name stands for the number of the round: 0, 1, ...
 *
 * A statement ends with its line or with ';', '#' begins a comment. Flags: hwcache, reclaim, account, rcu, nomerge.
 * A script ends with a check of its own. What it does is the same in every run and on every machine.
 */
#ifndef COMMON_SCRIPT_H
#define COMMON_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#define SCRIPT_CACHES     32
#define SCRIPT_CPUS       64
#define SCRIPT_NAME_BYTES 32
#define SCRIPT_MAX_OPS    (16u << 20)

enum script_flag {
	SCRIPT_HWCACHE = 1 << 0,
	SCRIPT_RECLAIM = 1 << 1,
	SCRIPT_ACCOUNT = 1 << 2,
	SCRIPT_RCU = 1 << 3,
	SCRIPT_NOMERGE = 1 << 4,
	SCRIPT_CTOR = 1 << 5,
};

#define SCRIPT_DEFAULT (-1) /* a tunable that the script does not set */

struct script_cache {
	char name[SCRIPT_NAME_BYTES];
	uint32_t size, align;
	uint32_t flags; /* enum script_flag */
	int32_t min_partial, cpu_partial, sheaf, barn; /* or SCRIPT_DEFAULT */
};

enum script_op_kind {
	SCRIPT_ALLOC,
	SCRIPT_FREE,
	SCRIPT_SHRINK,
	SCRIPT_CHECK,
};

/* Objects have numbers, which are used again when the object is freed. */
struct script_op {
	uint8_t kind;   /* enum script_op_kind */
	uint8_t cache;  /* index; not of SCRIPT_CHECK */
	uint16_t cpu;
	uint32_t object;
};

struct script {
	struct script_cache cache[SCRIPT_CACHES];
	unsigned int nr_caches;
	unsigned int nr_cpus;    /* highest CPU + 1 */
	uint32_t nr_objects;     /* highest object + 1 */
	unsigned int nr_checks;
	struct script_op *ops;
	size_t nr_ops;
};

/*
 * Parse and unroll. `name` is for the message ("FILE:LINE: what is wrong: what to do"). Return 0, or -EINVAL or
 * -ENOMEM with the line in err; *script is then empty. script_free() in any case is harmless.
 */
int script_parse(struct script *script, const char *name, const char *text, char *err, size_t len);

/* The same from a file, "-" for standard input. -errno when it cannot be read. */
int script_load(struct script *script, const char *path, char *err, size_t len);

void script_free(struct script *script);

/* The next of a row of random numbers, and one below `limit` (> 0). */
uint64_t script_random(uint64_t *state);
uint32_t script_random_below(uint64_t *state, uint32_t limit);

#endif
