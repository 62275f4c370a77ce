/* SPDX-License-Identifier: BSD-2-Clause */
/* debug_slab.c - is a slab what it should be? See debug_slab.h. */
#include "slab/debug_slab.h"

#include "slab/debug_report.h"
#include "slab/slab.h"

static uint32_t max_objects(const struct kmem_cache *s, const struct page *slab)
{
	return (uint32_t)(((size_t)slab->nr_pages << PAGE_SHIFT) / s->size);
}

/* ---- chain ---- */

void *debug_chain_first(const struct page *slab)
{
	return (void *)(uintptr_t)slab->freelist;
}

void debug_chain_pop(const struct kmem_cache *s, struct page *slab)
{
	slab->freelist = (uintptr_t)debug_get_free(s, debug_chain_first(slab));
	slab->chain_inuse++;
}

void debug_chain_push(const struct kmem_cache *s, struct page *slab, void *object)
{
	debug_set_free(s, object, debug_chain_first(slab));
	slab->freelist = (uintptr_t)object;
	slab->chain_inuse--;
}

static void adjust_counts(struct kmem_cache *s, struct page *slab, uint32_t chained)
{
	uint32_t max = max_objects(s, slab);

	if (slab->objects != max) {
		debug_bug(s, "Wrong number of objects. Found %u but should be %u", slab->objects, max);
		debug_slab_trailer(slab);
		slab->objects = (uint16_t)max;
		debug_fix(s, "Number of objects adjusted");
	}
	if (slab->chain_inuse != slab->objects - chained) {
		debug_bug(s, "Wrong object count. Counter is %u but counted were %u", slab->chain_inuse,
			  slab->objects - chained);
		debug_slab_trailer(slab);
		slab->chain_inuse = slab->objects - chained;
		debug_fix(s, "Object count adjusted");
	}
}

bool debug_on_freelist(struct kmem_cache *s, struct page *slab, const void *search)
{
	void *at = debug_chain_first(slab), *before = NULL;
	uint32_t chained = 0;

	while (at && chained <= slab->objects) {
		if (at == search)
			return true;
		if (!debug_is_object(s, slab, at)) {
			if (!before) {
				debug_bug(s, "Freepointer corrupt");
				debug_slab_trailer(slab);
				slab->freelist = 0;
				slab->chain_inuse = slab->objects;
				debug_fix(s, "Freelist cleared");
				return false;
			}
			debug_bug(s, "Freechain corrupt");
			debug_trailer(s, slab, before);
			debug_set_free(s, before, NULL);
			break;
		}
		before = at;
		at = debug_get_free(s, at);
		chained++;
	}
	adjust_counts(s, slab, MIN(chained, (uint32_t)slab->objects));
	return !search;
}

/* ---- slab ---- */

static bool check_padding(struct kmem_cache *s, struct page *slab)
{
	uint8_t *start = page_to_addr(slab), *end, *fault;
	size_t bytes = (size_t)slab->nr_pages << PAGE_SHIFT, rest = bytes % s->size;

	if (!(s->flags & SLAB_POISON) || !rest)
		return true;
	fault = debug_find_changed(start + bytes - rest, POISON_INUSE, rest, &end);
	if (!fault)
		return true;
	debug_bug(s, "Padding overwritten. %p-%p @offset=%zu", (void *)fault, (void *)(end - 1),
		  (size_t)(fault - start));
	debug_hex("Padding", start + bytes - rest, rest);
	debug_slab_trailer(slab);
	debug_fix(s, "Restoring slab padding %p-%p=0x%x", (void *)fault, (void *)(end - 1), POISON_INUSE);
	memset(fault, POISON_INUSE, (size_t)(end - fault));
	return false;
}

bool debug_slab_check(struct kmem_cache *s, struct page *slab)
{
	uint32_t max = max_objects(s, slab);
	bool ok = true;

	if (slab->type != KMEM_PAGE_SLAB) {
		debug_bug(s, "Not a valid slab page");
		ok = false;
	} else if (slab->objects > max) {
		debug_bug(s, "objects %u > max %u", slab->objects, max);
		ok = false;
	} else if (slab->inuse > slab->objects) {
		debug_bug(s, "inuse %u > max %u", slab->inuse, slab->objects);
		ok = false;
	}
	if (!ok) {
		debug_slab_trailer(slab);
		return false;
	}
	check_padding(s, slab); /* repaired, so the slab is fine */
	return true;
}

void debug_slab_validate(struct kmem_cache *s, struct page *slab)
{
	uint32_t i;

	if (!debug_slab_check(s, slab) || !debug_on_freelist(s, slab, NULL))
		return;
	for (i = 0; i < slab->objects; i++) {
		void *object = slab_object(s, slab, i);
		uint8_t state = slab_object_taken(s, slab, object) ? RED_ACTIVE : RED_INACTIVE;

		if (!debug_object_check(s, slab, object, state))
			break;
	}
}
