/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kslabs.h - single slabs and objects of the running kernel's caches: where the
 * slabs with free objects are, and whether an object is allocated right now.
 *
 *	struct kslabs *ks;
 *
 *	if (kslabs_open(&ks, kc, err, sizeof(err)))
 *		die("%s", err);
 *	kslabs_list(ks, row->cache, &slabs, &nr, err, sizeof(err));
 *	kslabs_check(ks, checks, nr_checks, err, sizeof(err));
 *	kslabs_close(ks);
 *
 * Every function that can fail returns 0 or -errno and then has put one line,
 * without newline, into `err` that names the cause and the remedy. Not thread
 * safe. Needs CAP_BPF and CAP_PERFMON (or root), and a kernel with SLUB.
 */
#ifndef COMMON_KSLABS_H
#define COMMON_KSLABS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kcaches.h"
#include "kmem_slab_info.h"

struct kslabs;

/* `kc` serves to learn where page descriptors are, and is not kept. */
int kslabs_open(struct kslabs **kslabs, struct kcaches *kc, char *err, size_t len);

/*
 * The slabs of a cache (kmem_cache_info.cache) that are on a list, node by node,
 * then CPU by CPU. The array belongs to the handle and is valid until the next
 * call. -E2BIG: more than 262144.
 */
int kslabs_list(struct kslabs *kslabs, uint64_t cache, const struct kmem_slab_info **slabs, size_t *nr, char *err,
		size_t len);

/* When the last kslabs_list() looked, and how many slabs there were in all. */
void kslabs_moment(const struct kslabs *kslabs, struct kmem_slabs_moment *moment);

/*
 * Fill in the verdicts. An object on its way from one list to the other at that
 * very moment may pass for live: who needs certainty asks again. What was freed
 * and allocated again since is live. About a microsecond each.
 */
int kslabs_check(struct kslabs *kslabs, struct kmem_object_check *checks, size_t nr, char *err, size_t len);

/* The address of the block of pages whose descriptor is at `descriptor`, as in page events; 0 if not known. */
uint64_t kslabs_page_address(const struct kslabs *kslabs, uint64_t descriptor);

/* NULL is fine. */
void kslabs_close(struct kslabs *kslabs);

/* The same by a map; pure. 0 if the map is empty. */
uint64_t kslabs_map_address(const struct kmem_page_map *map, uint64_t descriptor);

#endif
