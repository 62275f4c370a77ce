/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_work.h - the steps that a script unrolls to, and random work.
 *
 * Functions return 0, -ENOMEM, or -E2BIG beyond SCRIPT_MAX_OPS steps.
 */
#ifndef COMMON_SCRIPT_WORK_H
#define COMMON_SCRIPT_WORK_H

#include "common/script.h"

/* What `random` holds of a cache. */
struct script_crowd {
	uint32_t *object;
	size_t nr, room;
};

struct script_work {
	struct script *script;
	uint64_t seed;
	uint16_t cpu;
	size_t op_room;
	uint32_t *unused; /* objects' numbers given back */
	size_t nr_unused, unused_room;
	struct script_crowd crowd[SCRIPT_CACHES];
};

struct script_random {
	uint64_t steps, live, cpus, check;
};

int script_work_add(struct script_work *work, enum script_op_kind kind, unsigned int cache, uint32_t object);
int script_work_alloc(struct script_work *work, unsigned int cache, uint32_t *object);
int script_work_free(struct script_work *work, unsigned int cache, uint32_t object);
int script_work_random(struct script_work *work, unsigned int cache, const struct script_random *random);
int script_work_drain(struct script_work *work, unsigned int cache);
void script_work_close(struct script_work *work);

#endif
