/* SPDX-License-Identifier: BSD-2-Clause */
/* debug_object.h - writing and checking what surrounds one object of a debug cache. Node locked. */
#ifndef SLAB_DEBUG_OBJECT_H
#define SLAB_DEBUG_OBJECT_H

#include "slab/debug_layout.h"

/* A new slab: padding, every object free and poisoned, and the chain of free ones. Node not locked. */
void debug_slab_setup(const struct kmem_cache *s, struct page *slab);

/* Red zones and poison of an object that changes its state (RED_ACTIVE or RED_INACTIVE). */
void debug_object_init(const struct kmem_cache *s, void *object, uint8_t state);

/* The red zone behind the size asked for: [size, object_size) of an object in use. */
void debug_object_resize(const struct kmem_cache *s, void *object, uint32_t size);

/* Note who allocates or frees the object, with SLAB_STORE_USER. */
void debug_object_track(const struct kmem_cache *s, void *object, unsigned int which, const void *call_site);

/*
 * Check the object's surroundings, and its poison when it is free. What is
 * wrong is reported and repaired. Return: whether all was right.
 */
bool debug_object_check(struct kmem_cache *s, struct page *slab, void *object, uint8_t state);

/*
 * [start, start + bytes) all of `value`? If not, report "what overwritten" with
 * the object's trailer, and restore. Return: whether it was right.
 */
bool debug_bytes_check(struct kmem_cache *s, struct page *slab, void *object, const char *what, uint8_t *start,
		       uint8_t value, size_t bytes, bool print_object);

/* First byte in [start, start + bytes) that is not `value`, NULL when there is none; *end behind the last one. */
uint8_t *debug_find_changed(uint8_t *start, uint8_t value, size_t bytes, uint8_t **end);

#endif
