/* SPDX-License-Identifier: BSD-2-Clause */
/* guard_report.h - what is known of a guarded object, and the reports about it, in the layout of KFENCE's. */
#ifndef SLAB_GUARD_REPORT_H
#define SLAB_GUARD_REPORT_H

#include <kmem/observe.h>

#include "base/base.h"

struct kmem_cache;

/* Who did something, and when. */
struct guard_stack {
	uint64_t when_ns; /* 0: nobody */
	uint32_t handle;  /* of the depot */
	int tid;
	unsigned int cpu;
};

struct guard_object {
	uint8_t *addr;    /* of the last object on its page */
	struct kmem_cache *cache; /* that has it; NULL once it is free: the cache may go */
	uint32_t size;
	uint32_t number;
	uint32_t next;    /* free: the one freed after it */
	bool in_use;
	bool opened;      /* an access to a guard beside it was let through */
	struct guard_stack allocated, freed;
	char name[KMEM_NAME_BYTES]; /* of its cache, which reports about a free object need, too */
};

enum guard_error {
	GUARD_READ_BEYOND,
	GUARD_WRITE_BEYOND,
	GUARD_READ_FREED,
	GUARD_WRITE_FREED,
	GUARD_INVALID_FREE,
	GUARD_CORRUPTION,
};

/* The running thread: its stack from call_site on; or that of a fault. */
void guard_stack_take(struct guard_stack *who, const void *call_site);
void guard_stack_take_at(struct guard_stack *who, uintptr_t pc, uintptr_t frame);

/* Print it; the policy on misuse then decides whether to go on. o: NULL when no object is known. */
void guard_report(enum guard_error error, const void *addr, const struct guard_object *o,
		  const struct guard_stack *who);

#endif
