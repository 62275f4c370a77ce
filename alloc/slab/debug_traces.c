/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_traces.c - who allocated the objects in use: the kernel's debugfs files
 * alloc_traces and free_traces. Tracks are grouped under the node's lock in
 * memory of their own, and named and printed after it.
 */
#include <errno.h>

#include <kmem/debug.h>

#include "base/depot.h"
#include "base/os.h"
#include "base/percpu.h"
#include "base/report.h"
#include "base/symbol.h"
#include "slab/debug.h"

#define CPU_WORDS 16

/* Objects with the same stack and the same waste. */
struct location {
	uint64_t call_site; /* 0 with count 0: the entry is unused */
	uint64_t count;
	uint64_t sum_age, min_age, max_age; /* ms */
	uint64_t cpus[CPU_WORDS];
	uint32_t handle;
	uint32_t waste;
	int32_t min_tid, max_tid;
};

/* An open hash table, then an array without holes. */
struct locations {
	struct location *at;
	size_t capacity; /* a power of two */
	size_t bytes;
	uint64_t now_ns;
};

static bool make_table(struct locations *t, uint64_t objects)
{
	t->capacity = roundup_pow2(objects * 2 + 1);
	t->bytes = ALIGN_UP(t->capacity * sizeof(*t->at), PAGE_SIZE);
	t->at = os_reserve(t->bytes, PAGE_SIZE);
	t->now_ns = os_now_ns();
	if (t->at && os_commit(t->at, t->bytes)) {
		os_release(t->at, t->bytes);
		t->at = NULL;
	}
	return t->at;
}

static struct location *find_location(struct locations *t, const struct kmem_track *track, uint32_t waste)
{
	uint64_t hash = (track->call_site ^ ((uint64_t)track->handle << 32) ^ waste) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = hash >> 20;

	for (;; i++) {
		struct location *l = &t->at[i & (t->capacity - 1)];

		if (!l->count || (l->call_site == track->call_site && l->handle == track->handle && l->waste == waste))
			return l;
	}
}

static void add_track(struct locations *t, const struct kmem_track *track, uint32_t waste)
{
	struct location *l = find_location(t, track, waste);
	uint64_t age = track->when_ns && t->now_ns > track->when_ns ? (t->now_ns - track->when_ns) / 1000000 : 0;
	unsigned int cpu = (unsigned int)track->cpu % (CPU_WORDS * 64);

	if (!l->count) {
		*l = (struct location){ .call_site = track->call_site, .handle = track->handle, .waste = waste,
					.min_age = age, .max_age = age, .min_tid = track->tid, .max_tid = track->tid };
	}
	l->count++;
	l->sum_age += age;
	l->min_age = MIN(l->min_age, age);
	l->max_age = MAX(l->max_age, age);
	l->min_tid = MIN(l->min_tid, track->tid);
	l->max_tid = MAX(l->max_tid, track->tid);
	if (track->call_site)
		l->cpus[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

static void add_slab(struct locations *t, const struct kmem_cache *s, const struct page *slab, unsigned int which)
{
	uint32_t i;

	for (i = 0; i < slab->objects; i++) {
		const void *object = slab_object(s, slab, i);

		if (slab_object_taken(s, slab, object))
			add_track(t, debug_track_of(s, object) + which,
				  which == TRACK_ALLOC ? s->object_size - debug_size_of(s, object) : 0);
	}
}

/* Return: false when there is no memory for the table. */
static bool collect(struct locations *t, struct kmem_cache *s, unsigned int which)
{
	size_t nr_pages, i;
	struct kmem_cache_node *home = node_of(s, 0);
	uint64_t objects = 0;
	unsigned int nid;
	bool made;

	node_lock(home);
	for (nid = 0; nid < s->nr_nodes; nid++)
		objects += node_of(s, nid)->nr_taken;
	made = make_table(t, objects);
	nr_pages = arena.bytes >> PAGE_SHIFT;
	for (i = 0; made && i < nr_pages; i++)
		if (READ_ONCE(page_at(i)->debug_id) == s->id)
			add_slab(t, s, page_at(i), which);
	node_unlock(home);
	return made;
}

/* Close up the table, most frequent first. Return: how many entries. */
static size_t sort_table(struct locations *t)
{
	size_t nr = 0, gap, i, k;

	for (i = 0; i < t->capacity; i++)
		if (t->at[i].count)
			t->at[nr++] = t->at[i];
	for (gap = nr / 2; gap; gap /= 2) {
		for (i = gap; i < nr; i++) {
			struct location moving = t->at[i];

			for (k = i; k >= gap && t->at[k - gap].count < moving.count; k -= gap)
				t->at[k] = t->at[k - gap];
			t->at[k] = moving;
		}
	}
	return nr;
}

/* ---- text ---- */

struct text {
	char *buf;
	size_t bytes, len;
};

static void REPORT_FORMAT(2, 3) add(struct text *t, const char *format, ...)
{
	size_t room = t->len < t->bytes ? t->bytes - t->len : 0;
	va_list args;

	va_start(args, format);
	t->len += report_vformat(room ? t->buf + t->len : NULL, room, format, args);
	va_end(args);
}

/* "0-1,5" */
static void add_cpus(struct text *t, const uint64_t *mask)
{
	const char *separator = "";
	unsigned int cpu, last;

	for (cpu = 0; cpu < CPU_WORDS * 64; cpu++) {
		if (!(mask[cpu / 64] >> (cpu % 64) & 1))
			continue;
		for (last = cpu; last + 1 < CPU_WORDS * 64 && mask[(last + 1) / 64] >> ((last + 1) % 64) & 1;)
			last++;
		add(t, last > cpu ? "%s%u-%u" : "%s%u", separator, cpu, last);
		separator = ",";
		cpu = last;
	}
}

static void add_location(struct text *t, const struct location *l)
{
	const struct kmem_depot_record *stack = depot_stack(l->handle);
	char name[256];
	uint32_t i;

	add(t, "%7lu %s", l->count,
	    l->call_site ? symbol_format(name, sizeof(name), (const void *)(uintptr_t)l->call_site) : "<not-available>");
	if (l->waste)
		add(t, " waste=%lu/%u", l->count * l->waste, l->waste);
	if (l->sum_age != l->min_age)
		add(t, " age=%lu/%lu/%lu", l->min_age, l->sum_age / l->count, l->max_age);
	else
		add(t, " age=%lu", l->min_age);
	if (l->min_tid != l->max_tid)
		add(t, " pid=%d-%d", l->min_tid, l->max_tid);
	else
		add(t, " pid=%d", l->min_tid);
	if (percpu_nr_cpus() > 1 && l->call_site) {
		add(t, " cpus=");
		add_cpus(t, l->cpus);
	}
	if (stack)
		add(t, "\n");
	for (i = 0; stack && i < stack->nr; i++)
		add(t, "        %s\n",
		    symbol_format(name, sizeof(name), (const void *)(uintptr_t)stack->frame[i]));
	add(t, "\n");
}

static long print_traces(struct kmem_cache *s, unsigned int which, char *buf, size_t bytes)
{
	struct text text = { buf, bytes, 0 };
	struct locations t;
	size_t nr, i;

	if (!(s->flags & SLAB_STORE_USER))
		return -EINVAL;
	if (!collect(&t, s, which))
		return -ENOMEM;
	nr = sort_table(&t);
	for (i = 0; i < nr; i++)
		add_location(&text, &t.at[i]);
	if (!nr)
		add(&text, "No data\n");
	os_release(t.at, t.bytes);
	return (long)text.len;
}

KMEM_API long kmem_cache_alloc_traces(struct kmem_cache *s, char *buf, size_t bytes)
{
	return print_traces(s, TRACK_ALLOC, buf, bytes);
}

KMEM_API long kmem_cache_free_traces(struct kmem_cache *s, char *buf, size_t bytes)
{
	return print_traces(s, TRACK_FREE, buf, bytes);
}
