/* SPDX-License-Identifier: BSD-2-Clause */
/* grow.h - memory from the system into a zone, in blocks of 4 MiB, and back. */
#ifndef PAGE_GROW_H
#define PAGE_GROW_H

#include <kmem/options.h>

#include "page/zone.h"

/* Which huge pages to ask the system for: KMEM_THP_*. */
extern KMEM_HIDDEN enum kmem_thp_option grow_thp;

/* Whether new memory of a zone is backed by huge pages: beyond 256 MiB, if what there is was written to. */
bool grow_wants_huge(const struct kmem_zone *zone);

/*
 * Add a block of 4 MiB for pages of `type`. No lock held; makes system calls.
 * Return: 0, or -ENOMEM when the budget, the arena or the system has no more.
 */
int grow_zone(struct kmem_zone *zone, enum migratetype type);

/*
 * One thread at a time looks whether a zone has to grow, and lets it: who waited for
 * that finds what the one before got. Without it every thread of a crowd that comes
 * while one is at it adds a block of its own.
 */
void grow_begin(void);
void grow_end(void);
void grow_lock_for_fork(void);
void grow_unlock_after_fork(bool child);

/* A wholly free block goes back to the arena, and its memory to the system. Return: false when there is none. */
bool grow_give_back(struct kmem_zone *zone);

/* Take that many pages of the zone's budget for memory of its own address range, or give them back. */
bool grow_charge(struct kmem_zone *zone, uint64_t pages);
void grow_uncharge(struct kmem_zone *zone, uint64_t pages);

/* Fill the zone "Huge" with pages of the system's pool. -ENOMEM when it has too few: nothing is added. */
int grow_huge(struct kmem_zone *zone, size_t bytes);

#endif
