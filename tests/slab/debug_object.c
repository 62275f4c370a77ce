/* SPDX-License-Identifier: BSD-2-Clause */
/* One object's surroundings: every byte that is guarded is found when it changes, and repaired. */
#include "support.h"

#include <kmem/debug.h>

#include "slab/debug.h"
#include "slab/debug_object.h"

#define ALL (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

static struct kmem_cache *s;
static struct page *slab;

static uint8_t *object_of(unsigned int size, slab_flags_t flags)
{
	uint8_t *p;

	s = kmem_cache_create("object", size, 0, flags | SLAB_NO_USER_FLAGS, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	slab = slab_of(p);
	return p;
}

/* The text of the report when *at is changed; "" when that is not noticed. The byte must be back afterwards. */
static const char *change(uint8_t *p, uint8_t *at, uint8_t state)
{
	uint8_t was = *at;
	const char *said;
	bool ok;

	*at ^= 0xff;
	capture_start();
	ok = debug_object_check(s, slab, p, state);
	said = capture_end();
	cr_expect_eq(ok, !*said);
	if (ok)
		*at = was;
	cr_expect_eq(*at, was, "restored");
	return said;
}

static const char *expected(const uint8_t *p, const uint8_t *at, uint8_t state)
{
	ptrdiff_t off = at - p;

	if (off < 0)
		return "Left Redzone overwritten";
	if (off < s->object_size - 1)
		return state == RED_INACTIVE ? ": Poison overwritten" : "";
	if (off < s->object_size)
		return state == RED_INACTIVE ? "End Poison overwritten" : "";
	if (off < s->inuse)
		return "Right Redzone overwritten";
	return off < s->info_end ? NULL : "Object padding overwritten"; /* tracks: not guarded */
}

static void change_every_byte(uint8_t *p, uint8_t state)
{
	uint8_t *at;

	for (at = p - s->red_left_pad; at < p + s->size - s->red_left_pad; at++) {
		const char *want = expected(p, at, state);

		if (!want)
			continue;
		if (*want)
			cr_expect(strstr(change(p, at, state), want), "offset %td", at - p);
		else
			cr_expect_str_empty(change(p, at, state), "offset %td", at - p);
	}
}

Test(debug_object, every_guarded_byte)
{
	uint8_t *p = object_of(52, ALL);

	change_every_byte(p, RED_ACTIVE);
	kmem_cache_free(s, p);
	change_every_byte(p, RED_INACTIVE);
}

Test(debug_object, padding_up_to_the_alignment_without_red_zones)
{
	uint8_t *p = object_of(13, SLAB_POISON);

	cr_expect(strstr(change(p, p + 14, RED_ACTIVE), "Alignment padding overwritten"));
	cr_expect_str_empty(change(p, p + 12, RED_ACTIVE));
}

Test(debug_object, behind_the_size_asked_for)
{
	uint8_t *p = object_of(64, ALL | SLAB_KMALLOC);

	debug_object_resize(s, p, 50);
	cr_expect(strstr(change(p, p + 50, RED_ACTIVE), "kmalloc Redzone overwritten"));
	cr_expect(strstr(change(p, p + 63, RED_ACTIVE), "kmalloc Redzone overwritten"));
	cr_expect_str_empty(change(p, p + 49, RED_ACTIVE));
	*debug_orig_size_of(s, p) = UINT32_MAX;
	cr_expect_eq(debug_size_of(s, p), 64, "an overwritten size is not believed");
}

Test(debug_object, first_and_last_changed_byte)
{
	uint8_t bytes[16], *end;

	memset(bytes, 7, sizeof(bytes));
	cr_expect_null(debug_find_changed(bytes, 7, 16, &end));
	bytes[3] = bytes[9] = 0;
	cr_expect_eq(debug_find_changed(bytes, 7, 16, &end), bytes + 3);
	cr_expect_eq(end, bytes + 10);
	cr_expect_null(debug_find_changed(bytes, 7, 0, &end));
}

Test(debug_object, free_pointers_do_not_show_addresses)
{
	uint8_t *p = object_of(64, SLAB_CONSISTENCY_CHECKS);
	uint64_t raw;

	debug_set_free(s, p, p + s->size);
	cr_expect_eq(debug_get_free(s, p), p + s->size);
	memcpy(&raw, p + s->freeptr, sizeof(raw));
	cr_expect_neq(raw, (uintptr_t)p + s->size);
}

Test(debug_object, tracks_tell_who_and_when)
{
	uint8_t *p = object_of(64, SLAB_STORE_USER);
	const struct kmem_track *track = debug_track_of(s, p);

	cr_expect_neq(track[TRACK_ALLOC].call_site, 0);
	cr_expect_neq(track[TRACK_ALLOC].handle, 0);
	cr_expect_eq(track[TRACK_ALLOC].tid, getpid());
	cr_expect_neq(track[TRACK_ALLOC].when_ns, 0);
	cr_expect_eq(track[TRACK_FREE].call_site, 0, "not freed yet");
	kmem_cache_free(s, p);
	cr_expect_neq(track[TRACK_FREE].call_site, 0);
	cr_expect_geq(track[TRACK_FREE].when_ns, track[TRACK_ALLOC].when_ns);
}
