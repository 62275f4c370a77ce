/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - run-time options, from the environment variable KMEM_OPTIONS:
 *
 *   KMEM_OPTIONS=rseq=off,arena=64G
 *
 * Sizes take K, M, G or T. A mistake is reported in one line on stderr and the
 * option keeps its default. Read once, before main(); not for set-user-ID programs.
 */
#ifndef KMEM_OPTIONS_H
#define KMEM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <kmem/attr.h>

KMEM_BEGIN

enum kmem_rseq_option {
	KMEM_RSEQ_OFF,    /* every call works under a lock */
	KMEM_RSEQ_ON,     /* per-CPU slots where the kernel supports them */
	KMEM_RSEQ_ASSUME, /* also where rseq is missing: for single-threaded runs under an emulator
	                   * such as callgrind, to count the fast path's instructions */
};

/* What follows the report of a misuse, such as a double free. */
enum kmem_misuse_option {
	KMEM_MISUSE_MIXED,  /* go on where that is safe, abort where it is not */
	KMEM_MISUSE_ABORT,
	KMEM_MISUSE_REPAIR, /* ignore or repair, and go on, as the kernel does */
};

struct kmem_options {
	size_t arena;   /* address space to reserve, bytes; 0: as much as the system grants, up to 1 TiB */
	enum kmem_rseq_option rseq;
	unsigned int nodes; /* invent that many NUMA nodes (1-8), CPU n on node n % nodes; 0: the system's */
	bool init_on_alloc, init_on_free; /* clear memory unasked: kmem_set_init_on_alloc() */
	enum kmem_misuse_option misuse;
	bool strict;   /* enforce the kernel's rules about sleeping: kmem/strict.h */
	bool stats;    /* print /proc/slabinfo-like text on stderr at exit */
};

/* The options in force. */
KMEM_API const struct kmem_options *kmem_options(void);

/*
 * Apply `text`, in the format above, to *options. Return: 0, or -EINVAL with
 * one line about the first mistake in err (at most bytes); what came before and
 * after a mistake is still applied.
 */
KMEM_API int kmem_options_parse(struct kmem_options *options, const char *text, char *err, size_t bytes);

KMEM_END

#endif
