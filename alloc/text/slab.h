/* SPDX-License-Identifier: BSD-2-Clause */
/* slab.h - the slab allocator's files: /proc/slabinfo and the attributes of /sys/kernel/slab. */
#ifndef TEXT_SLAB_H
#define TEXT_SLAB_H

#include <stdbool.h>

#include "text/text.h"

/* The numbers of one cache. Objects unless the name says otherwise. */
struct text_cache {
	struct kmem_cache cache;
	struct kmem_cache_node node[KMEM_MAX_NODES];
	uint64_t taken;  /* out of the slabs: in use and parked */
	uint64_t cached; /* parked in per-CPU slots and barns */
	uint64_t guarded; /* between guard pages: in use, and in no slab */
	uint64_t objects, slabs; /* places for objects, those of guarded ones included */
	int64_t own;     /* allocations minus frees: with merged caches, each name's objects in use */
};

/* The cache in whose slabs these objects live; an alias has another one's in `node` and `taken`, but its own counters. */
static inline unsigned int text_root_id(const struct text_cache *c)
{
	return kmem_cache_is_alias(&c->cache) ? c->cache.root_id : c->cache.id;
}

/*
 * Read a cache; again, a few times, when it changes meanwhile. Return: 0,
 * -ENOENT when there is no live cache of this id, or -errno of a read.
 */
int text_cache_read(struct text_cache *c, const struct text_source *src, unsigned int id);

/* /proc/slabinfo 2.1: header, one row, and the whole file. */
void text_slabinfo_header(struct text *t);
void text_slabinfo_row(struct text *t, const struct kmem_cache *s, uint64_t active, uint64_t objects, uint64_t slabs);
int text_slabinfo(struct text *t, const struct text_source *src);

enum text_mode {
	TEXT_READ = 1 << 0,
	TEXT_WRITE = 1 << 1, /* a tunable */
};

/* The attributes in order of name: the nth, NULL at the end. */
const char *text_attribute_name(unsigned int nth, enum text_mode *mode);

/*
 * Content of an attribute file, newline included; nothing for one that is
 * written only. Return: 0, -ENOENT unknown attribute, or -errno of a read.
 */
int text_attribute(struct text *t, const struct text_source *src, const struct text_cache *c, const char *name);

#endif
