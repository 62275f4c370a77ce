/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buddy.h - the buddy free lists: split, merge, mobility.
 *
 * buddy_take() and buddy_put() need the zone locked. They make no system call;
 * memory is added by buddy_grow() and given back by purge.c, both unlocked.
 *
 * KMEM_PG_ZEROED in page.flags says that a free block reads as zeroes: fresh
 * from the system or purged. It survives a split, and a merge of two such.
 */
#ifndef PAGE_BUDDY_H
#define PAGE_BUDDY_H

#include "page/page.h"

/* By node; the first numa_nr_nodes() are in use. */
extern KMEM_HIDDEN struct kmem_zone zones[KMEM_MAX_NODES];

void buddy_init(void);

void buddy_lock(void);
void buddy_unlock(void);

/*
 * Take a block of 2^order pages, from the lists of `type` first and from the
 * other types' when those are empty. Its descriptor says order and ZEROED, its
 * type is TAIL until the caller gives it one. Return: NULL when nothing fits.
 */
struct page *buddy_take(unsigned int order, enum migratetype type);

/* Put a block back and merge it as far as it goes. page->flags: ZEROED or 0. */
void buddy_put(struct page *page, unsigned int order);

/*
 * Add a block of 4 MiB from the arena for pages of `type`. Zone not locked.
 * Return: 0, or -ENOMEM when the arena or the system has no more.
 */
int buddy_grow(enum migratetype type);

/*
 * Take out a free block of at least min_order that is not known to be zero,
 * for purging. Zone locked. Its type is TAIL, its order in page->order.
 */
struct page *buddy_take_dirty(unsigned int min_order);

/* Check every list against the descriptors: bug when they disagree. Zone locked. For tests. */
void buddy_validate(void);

/* The kernel's list of types to fall back to, in order. */
enum migratetype buddy_fallback(enum migratetype type, unsigned int nth);

#endif
