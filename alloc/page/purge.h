/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * purge.h - giving free memory back to the system.
 *
 * There is no thread: purge_tick() is called on the way of requests that may make
 * system calls, and decides. Frees of the kernel's interface may come from where
 * no system call is allowed, so they purge only when told that they may
 * (page_set_purge_on_free(): the malloc library, purge=now).
 */
#ifndef PAGE_PURGE_H
#define PAGE_PURGE_H

#include <kmem/options.h>

#include "page/zone.h"

/* What to do when; lazily: by MADV_FREE. */
void purge_init(enum kmem_purge_option when, unsigned int decay_ms, bool lazily);

/* Give back free blocks of at least min_order until at most `keep` dirty pages are left. Return: bytes. */
size_t purge_blocks(struct kmem_zone *zone, unsigned int min_order, uint64_t keep);

/* As the policy says, for all zones; looks at the clock. No lock held, system calls allowed. */
void purge_now_and_then(void);

extern KMEM_HIDDEN unsigned int purge_tick_mask;
extern KMEM_HIDDEN __thread unsigned int purge_ticks;

/* The same, but on every 16th call of a thread only, unless purge=now. */
static inline void purge_tick(void)
{
	if (unlikely(!(++purge_ticks & purge_tick_mask)))
		purge_now_and_then();
}

/* Frees may make system calls from now on. */
void page_set_purge_on_free(bool on);
extern KMEM_HIDDEN bool purge_on_free;

static inline void purge_tick_on_free(void)
{
	if (purge_on_free)
		purge_tick();
}

#endif
