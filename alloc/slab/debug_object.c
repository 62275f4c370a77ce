/* SPDX-License-Identifier: BSD-2-Clause */
/* debug_object.c - red zones, poison and tracks of one object; see debug_object.h. */
#include "slab/debug_object.h"

#include "base/depot.h"
#include "base/os.h"
#include "base/percpu.h"
#include "base/stack.h"
#include "slab/debug_report.h"
#include "slab/slab.h"

/* ---- writing ---- */

/* As kernel: not with a constructor or TYPESAFE_BY_RCU, whose free objects keep their content. */
static bool object_is_poisoned(const struct kmem_cache *s)
{
	return s->flags & SLAB_POISON && !s->ctor && !(s->flags & SLAB_TYPESAFE_BY_RCU);
}

void debug_object_init(const struct kmem_cache *s, void *object, uint8_t state)
{
	uint8_t *p = object;
	uint32_t bytes = state == RED_ACTIVE ? debug_size_of(s, object) : s->object_size;

	if (!(s->flags & SLAB_RED_ZONE))
		bytes = s->object_size;
	else
		memset(p - s->red_left_pad, state, s->red_left_pad);
	if (object_is_poisoned(s) && bytes) {
		memset(p, POISON_FREE, bytes - 1);
		p[bytes - 1] = POISON_END;
	}
	if (s->flags & SLAB_RED_ZONE)
		memset(p + bytes, state, s->inuse - bytes);
}

void debug_object_resize(const struct kmem_cache *s, void *object, uint32_t size)
{
	*debug_orig_size_of(s, object) = size;
	if (s->flags & SLAB_RED_ZONE)
		memset((uint8_t *)object + size, RED_ACTIVE, s->object_size - size);
}

void debug_object_track(const struct kmem_cache *s, void *object, unsigned int which, const void *call_site)
{
	struct kmem_track *track = debug_track_of(s, object);
	uint64_t frame[STACK_FRAMES];

	if (!track)
		return;
	track += which;
	track->call_site = (uintptr_t)call_site;
	track->handle = depot_save(frame, stack_capture(call_site, frame, STACK_FRAMES));
	track->cpu = (int)percpu_this_cpu();
	track->tid = os_gettid();
	track->when_ns = os_now_ns();
}

static void setup_object(const struct kmem_cache *s, void *object)
{
	struct kmem_track *track = debug_track_of(s, object);
	uint32_t *orig = debug_orig_size_of(s, object);

	if (s->flags & SLAB_DEBUG_METADATA)
		debug_object_init(s, object, RED_INACTIVE);
	if (track)
		memset(track, 0, NR_TRACKS * sizeof(*track));
	if (orig)
		*orig = 0;
}

void debug_slab_setup(const struct kmem_cache *s, struct page *slab)
{
	uint32_t i = slab->objects;
	void *next = NULL;

	if (s->flags & SLAB_POISON)
		memset(page_to_addr(slab), POISON_INUSE, (size_t)slab->nr_pages << PAGE_SHIFT);
	while (i-- > 0) {
		void *object = slab_object(s, slab, i);

		setup_object(s, object);
		debug_set_free(s, object, next);
		next = object;
	}
	slab->freelist = (uintptr_t)next;
	slab->chain_inuse = 0;
	slab->debug_id = s->id;
}

/* ---- checking ---- */

uint8_t *debug_find_changed(uint8_t *start, uint8_t value, size_t bytes, uint8_t **end)
{
	uint8_t *last = start + bytes, *at = start;

	while (at < last && *at == value)
		at++;
	if (at == last)
		return NULL;
	while (last[-1] == value)
		last--;
	*end = last;
	return at;
}

bool debug_bytes_check(struct kmem_cache *s, struct page *slab, void *object, const char *what, uint8_t *start,
		       uint8_t value, size_t bytes, bool print_object)
{
	uint8_t *end, *fault = debug_find_changed(start, value, bytes, &end);

	if (!fault)
		return true;
	debug_bug(s, "%s overwritten", what);
	report("%p-%p @offset=%zu. First byte 0x%x instead of 0x%x", (void *)fault, (void *)(end - 1),
	       (size_t)(fault - (uint8_t *)page_to_addr(slab)), fault[0], value);
	if (print_object)
		debug_trailer(s, slab, object);
	debug_fix(s, "Restoring %s %p-%p=0x%x", what, (void *)fault, (void *)(end - 1), value);
	memset(fault, value, (size_t)(end - fault));
	return false;
}

static bool check_red_zones(struct kmem_cache *s, struct page *slab, void *object, uint8_t state)
{
	uint8_t *p = object;
	uint32_t size = state == RED_ACTIVE ? debug_size_of(s, object) : s->object_size;
	bool ok = debug_bytes_check(s, slab, object, "Left Redzone", p - s->red_left_pad, state, s->red_left_pad, true);

	ok &= debug_bytes_check(s, slab, object, "Right Redzone", p + s->object_size, state,
				s->inuse - s->object_size, ok);
	if (size < s->object_size)
		ok &= debug_bytes_check(s, slab, object, "kmalloc Redzone", p + size, state, s->object_size - size, ok);
	return ok;
}

/* `ok`: nothing was reported about this object yet. */
static bool check_poison(struct kmem_cache *s, struct page *slab, void *object, uint8_t state, bool ok)
{
	uint32_t room = s->size - s->red_left_pad, size = s->object_size;
	uint8_t *p = object;

	if (!(s->flags & SLAB_RED_ZONE) && size < s->inuse)
		ok &= debug_bytes_check(s, slab, object, "Alignment padding", p + size, POISON_INUSE, s->inuse - size, ok);
	if (state == RED_INACTIVE && object_is_poisoned(s)) {
		ok &= debug_bytes_check(s, slab, object, "Poison", p, POISON_FREE, size - 1, ok);
		ok &= debug_bytes_check(s, slab, object, "End Poison", p + size - 1, POISON_END, 1, ok);
	}
	if (s->info_end < room)
		ok &= debug_bytes_check(s, slab, object, "Object padding", p + s->info_end, POISON_INUSE,
					room - s->info_end, ok);
	return ok;
}

/* The free pointer of an object in use is the owner's memory, unless it lies outside. */
static bool check_free_pointer(struct kmem_cache *s, struct page *slab, void *object, uint8_t state)
{
	const void *next;

	if (s->freeptr < s->inuse && state == RED_ACTIVE)
		return true;
	next = debug_get_free(s, object);
	if (!next || debug_is_object(s, slab, next))
		return true;
	debug_bug(s, "Freepointer corrupt");
	debug_trailer(s, slab, object);
	/* The rest of the chain is lost; counting will find that. */
	debug_set_free(s, object, NULL);
	return false;
}

bool debug_object_check(struct kmem_cache *s, struct page *slab, void *object, uint8_t state)
{
	bool ok = true;

	if (s->flags & SLAB_RED_ZONE)
		ok = check_red_zones(s, slab, object, state);
	if (s->flags & SLAB_POISON)
		ok = check_poison(s, slab, object, state, ok);
	return check_free_pointer(s, slab, object, state) && ok;
}
