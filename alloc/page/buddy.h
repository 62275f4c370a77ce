/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buddy.h - the buddy free lists of a zone: split, merge, mobility.
 *
 * buddy_take() and buddy_put() need the zone locked. They make no system call;
 * memory is added by grow.c and given back by purge.c, both unlocked.
 *
 * KMEM_PG_ZEROED in page.flags says that a free block reads as zeroes: fresh
 * from the system or purged. It survives a split, and a merge of two such.
 * KMEM_PG_LAZY says that the system may take its memory away. A block with
 * neither is dirty.
 */
#ifndef PAGE_BUDDY_H
#define PAGE_BUDDY_H

#include "page/zone.h"

#define KMEM_PG_CLEAN (KMEM_PG_ZEROED | KMEM_PG_LAZY)

/* Put free blocks of the largest order at a random end of their list. */
extern KMEM_HIDDEN bool buddy_shuffle;

/*
 * Lock a zone, waiting as long as it takes; may make system calls. The second
 * gives up after a bounded spin and never makes one; nor does the third, which
 * does not even spin. Blocks that were freed meanwhile come home here.
 */
void buddy_lock(struct kmem_zone *zone);
bool buddy_lock_spin(struct kmem_zone *zone);
bool buddy_lock_try(struct kmem_zone *zone);
void buddy_unlock(struct kmem_zone *zone);

/* As one of these three, by what the request may do. */
bool buddy_lock_for(struct kmem_zone *zone, unsigned int flags);

/*
 * Take a block of 2^order pages, from the lists of `type` first and from the
 * other types' when those are empty. Its descriptor says order and ZEROED, its
 * type is TAIL until the caller gives it one. Return: NULL when nothing fits.
 */
struct page *buddy_take(struct kmem_zone *zone, unsigned int order, enum migratetype type, unsigned int flags);

/*
 * Take nr pages in a row that are not a whole block, from blocks that adjoin, and
 * leave the rest free: what a power of two would waste. The first page need not be
 * aligned. Own type only. Return: the first page, with flags; NULL: take a block.
 */
struct page *buddy_take_run(struct kmem_zone *zone, uint32_t nr, enum migratetype type);

/* Take the nr pages from this one on. Return: false, nothing done, unless all are free and of their pageblock's type. */
bool buddy_take_these(struct kmem_zone *zone, uint32_t index, uint32_t nr);

/* Put a block back and merge it as far as it goes. page->flags: KMEM_PG_CLEAN or 0. */
void buddy_put(struct kmem_zone *zone, struct page *page, unsigned int order);

/*
 * The same without the zone locked: under the lock if it can be had without
 * waiting, else the block is left to the next holder of the lock.
 */
void buddy_free(struct kmem_zone *zone, struct page *page, unsigned int order);

/*
 * Take out a free dirty block, the one that has been free for longest of the
 * largest order, at least min_order. Pieces of a huge page in good use are left
 * alone, unless min_order is 0: then everything dirty is found. Zone locked.
 */
struct page *buddy_take_dirty(struct kmem_zone *zone, unsigned int min_order);

/* Take out the block of 4 MiB that holds page `index`, if it is free and without memory. Zone locked. Else NULL. */
struct page *buddy_take_empty(struct kmem_zone *zone, uint32_t index);

/* Take out a wholly free block of 4 MiB, to give its address space back. Zone locked. NULL when there is none. */
struct page *buddy_take_block(struct kmem_zone *zone);

/*
 * The reserve for urgent requests of order > 0: give the pageblock of `page`,
 * just taken, to it (bounded by 1% of the zone), or take one from it for `type`;
 * with `force` the last one, too. Zone locked. Return: whether one was taken.
 */
void buddy_reserve_highatomic(struct kmem_zone *zone, const struct page *page);
bool buddy_unreserve_highatomic(struct kmem_zone *zone, enum migratetype type, bool force);

/* Check every list against the descriptors: bug when they disagree. Zone locked. For tests. */
void buddy_validate(struct kmem_zone *zone);

/* The kernel's list of types to fall back to, in order. */
enum migratetype buddy_fallback(enum migratetype type, unsigned int nth);

#endif
