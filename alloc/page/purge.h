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

/* Empty pages that the caller owns, by the system call that was chosen; their contents are lost. Return: false when refused. */
bool purge_pages(void *addr, size_t bytes);

/* As the policy says, for all zones; looks at the clock. No lock held, system calls allowed. */
void purge_now_and_then(void);

/* Called by every look that may make system calls, if set. */
extern KMEM_HIDDEN void (*purge_on_demand)(void);

/* Blocks that a thread takes, and pages that it frees, between two looks. */
extern KMEM_HIDDEN int32_t purge_look_pages;
extern KMEM_HIDDEN __thread int32_t purge_moved_pages;

/* The same, once a thread has moved enough pages since it last looked. */
static inline void purge_tick(void)
{
	if (unlikely(++purge_moved_pages >= purge_look_pages))
		purge_now_and_then();
}

/* Frees may make system calls from now on. */
void page_set_purge_on_free(bool on);
extern KMEM_HIDDEN bool purge_on_free;

/* Where they must not, the next allocation that may block is called when there is too much. */
void purge_call(void);

/* With purge=decay: dirty free pages of the zones that have more than may stay; 0 when none has. */
uint64_t purge_excess_pages(void);

static inline void purge_tick_on_free(uint32_t nr_pages)
{
	purge_moved_pages += (int32_t)nr_pages;
	if (likely(purge_moved_pages < purge_look_pages))
		return;
	if (purge_on_free)
		purge_now_and_then();
	else
		purge_call();
}

#endif
