/* SPDX-License-Identifier: BSD-2-Clause */
/* live.c - see live.h. Removal moves later entries up, so there are no tombstones. */
#include "kmemtrace/live.h"

#include <string.h>
#include <sys/mman.h>

_Static_assert(sizeof(struct live_object) == 32, "as said");

#define FIRST_ENTRIES UINT64_C(4096)

static struct live_object *map_entries(uint64_t nr, size_t *bytes)
{
	void *p;

	*bytes = nr * sizeof(struct live_object);
	p = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	madvise(p, *bytes, MADV_HUGEPAGE); /* looks are random: a TLB miss each otherwise */
	return p;
}

void live_free(struct live *live)
{
	if (live->entry)
		munmap(live->entry, live->bytes);
	memset(live, 0, sizeof(*live));
}

static bool is_key(const struct live_object *o, uint32_t pid, enum live_kind kind, uint64_t ptr)
{
	return o->ptr == ptr && o->pid == pid && o->kind == kind;
}

/* The entry with this key, or the free one where it would go. */
static uint64_t seek(const struct live *live, uint32_t pid, enum live_kind kind, uint64_t ptr)
{
	uint64_t i = live_slot(live, pid, ptr);

	while (live->entry[i].kind && !is_key(&live->entry[i], pid, kind, ptr))
		i = (i + 1) & live->mask;
	return i;
}

static bool grow(struct live *live)
{
	uint64_t entries = live->entry ? (live->mask + 1) * 2 : FIRST_ENTRIES, i, at = 0;
	struct live bigger = { .nr = live->nr, .mask = entries - 1, .shift = (unsigned int)__builtin_clzll(entries) + 1 };
	const struct live_object *o;

	bigger.entry = map_entries(entries, &bigger.bytes);
	if (!bigger.entry)
		return false;
	while ((o = live_next(live, &at))) {
		i = seek(&bigger, o->pid, (enum live_kind)o->kind, o->ptr);
		bigger.entry[i] = *o;
	}
	live_free(live);
	*live = bigger;
	return true;
}

struct live_object *live_add(struct live *live, uint32_t pid, enum live_kind kind, uint64_t ptr, bool *existed)
{
	struct live_object *o;

	*existed = false;
	/* At most 3/4 full: chains stay short. */
	if ((!live->entry || live->nr >= live->mask - live->mask / 4) && !grow(live))
		return NULL;
	o = &live->entry[seek(live, pid, kind, ptr)];
	if (o->kind) {
		*existed = true;
		return o;
	}
	o->ptr = ptr;
	o->pid = pid;
	o->kind = kind & 3;
	live->nr++;
	return o;
}

struct live_object *live_find(const struct live *live, uint32_t pid, enum live_kind kind, uint64_t ptr)
{
	struct live_object *o = live->entry ? &live->entry[seek(live, pid, kind, ptr)] : NULL;

	return o && o->kind ? o : NULL;
}

/* Fill the gap at i: whatever lies behind and would have preferred to lie before it moves up. */
static void close_gap(struct live *live, uint64_t i)
{
	uint64_t j = i;

	for (;;) {
		uint64_t home;

		j = (j + 1) & live->mask;
		if (!live->entry[j].kind)
			break;
		home = live_slot(live, live->entry[j].pid, live->entry[j].ptr);
		if (((j - home) & live->mask) >= ((j - i) & live->mask)) {
			live->entry[i] = live->entry[j];
			i = j;
		}
	}
	memset(&live->entry[i], 0, sizeof(live->entry[i]));
}

bool live_take(struct live *live, uint32_t pid, enum live_kind kind, uint64_t ptr, struct live_object *object)
{
	uint64_t i;

	if (!live->entry)
		return false;
	i = seek(live, pid, kind, ptr);
	if (!live->entry[i].kind)
		return false;
	*object = live->entry[i];
	live->nr--;
	close_gap(live, i);
	return true;
}

struct live_object *live_next(const struct live *live, uint64_t *at)
{
	if (!live->entry)
		return NULL;
	while (*at <= live->mask) {
		struct live_object *o = &live->entry[(*at)++];

		if (o->kind)
			return o;
	}
	return NULL;
}
