/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group.h - accounting groups: what __GFP_ACCOUNT and SLAB_ACCOUNT charge, as the
 * kernel's memory cgroups do for objects. A thread enters a group; from then on its
 * accounted objects are charged to it, and an allocation beyond the group's
 * limit is NULL (not with __GFP_NOFAIL). Whoever frees an object, its group is
 * uncharged. Objects of kmalloc() and of caches are charged with the bytes that
 * they take; pages of alloc_pages() are not.
 *
 * While a group exists, calls take the watched path, about 20 ns.
 */
#ifndef KMEM_GROUP_H
#define KMEM_GROUP_H

#include <stddef.h>
#include <stdint.h>
#include <kmem/attr.h>

KMEM_BEGIN

struct kmem_group;

/*
 * limit in bytes, 0 none; name: 31 bytes, for messages. Return: NULL when there are
 * 1023 groups already, or no address space. Context: may make system calls.
 */
KMEM_API struct kmem_group *kmem_group_create(const char *name, size_t limit) KMEM_CHECK;

/* No thread may be in it, or enter it any more; objects stay charged until they are freed. Return: bytes that still are. */
KMEM_API size_t kmem_group_destroy(struct kmem_group *group);

/* Charge the calling thread's objects to `group`, NULL: to nobody. Return: the group before. */
KMEM_API struct kmem_group *kmem_group_enter(struct kmem_group *group);

/* Change the limit. What is above it already stays. */
KMEM_API void kmem_group_set_limit(struct kmem_group *group, size_t limit);

struct kmem_group_stat {
	uint64_t bytes, objects; /* charged now */
	uint64_t peak_bytes, limit;
	uint64_t failures;       /* allocations refused */
};
KMEM_API void kmem_group_stat(const struct kmem_group *group, struct kmem_group_stat *stat);

KMEM_END

#endif
