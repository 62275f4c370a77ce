/* SPDX-License-Identifier: BSD-2-Clause */
/* window.c - recording the kernel's slab caches: walks at both ends, events in between; see window.h. */
#include "kmemtrace/window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/kcaches.h"
#include "common/kslabs.h"
#include "common/kstream.h"

#define ROUNDS     12   /* walks of a cache in which something moves */
#define PERIOD_US  1000
#define MAX_EVENTS ((size_t)100 << 20)

struct recorder {
	struct window *w;
	struct kcaches *kcaches;
	struct kslabs *kslabs;
	struct kstream *stream;
	uint16_t *index; /* hash table: cache -> index + 1 */
	size_t index_room;
	char *err;
	size_t len;
};

/* ---- events ---- */

static size_t slot_of(const struct recorder *r, uint64_t cache)
{
	size_t i = (size_t)(cache * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (r->index_room - 1);

	while (r->index[i] && r->w->cache[r->index[i] - 1].row.cache != cache)
		i = (i + 1) & (r->index_room - 1);
	return i;
}

static int make_index(struct recorder *r)
{
	for (r->index_room = 64; r->index_room < 4 * r->w->nr_caches; r->index_room *= 2)
		;
	r->index = calloc(r->index_room, sizeof(*r->index));
	if (!r->index)
		return -ENOMEM;
	for (size_t i = 0; i < r->w->nr_caches; i++)
		r->index[slot_of(r, r->w->cache[i].row.cache)] = (uint16_t)(i + 1);
	return 0;
}

static void keep(void *context, const struct kmem_kernel_event *e)
{
	struct recorder *r = context;
	struct window *w = r->w;
	uint16_t index = e->cache > KMEM_KEY_PAGES ? r->index[slot_of(r, e->cache)] : 0;

	if (!index) {
		w->unknown += e->cache != KMEM_KEY_LARGE;
		return;
	}
	if (w->nr_events == w->room) {
		size_t room = w->room ? 2 * w->room : 1 << 16;
		void *more = room <= MAX_EVENTS ? reallocarray(w->event, room, sizeof(*w->event)) : NULL;

		if (!more) {
			w->no_memory = true;
			w->lost++;
			return;
		}
		w->event = more;
		w->room = room;
	}
	w->event[w->nr_events++] = (struct window_event){
		.time_ns = e->time_ns, .address = e->address, .call_site = e->call_site, .asked = e->bytes_req,
		.cache = (uint16_t)(index - 1), .cpu = (uint8_t)e->cpu,
		.alloc = e->type == KMEM_EV_CACHE_ALLOC || e->type == KMEM_EV_KMALLOC,
	};
}

/* ---- walks ---- */

static int walk(struct recorder *r, const struct kmem_cache_info *row, struct window_state *state)
{
	const struct kmem_slab_info *slabs;
	size_t nr;
	int rc = kslabs_list(r->kslabs, row->cache, &slabs, &nr, r->err, r->len);

	if (rc)
		return rc;
	free(state->slabs);
	kslabs_moment(r->kslabs, &state->moment);
	state->nr_slabs = nr;
	state->slabs = malloc((nr + 1) * sizeof(*slabs));
	if (!state->slabs) {
		snprintf(r->err, r->len, "out of memory");
		return -ENOMEM;
	}
	memcpy(state->slabs, slabs, nr * sizeof(*slabs));
	return 0;
}

/* States in whose walk events of the cache came. */
static void mark_torn(struct recorder *r, size_t from, bool end)
{
	struct window *w = r->w;

	for (size_t i = from; i < w->nr_events; i++) {
		const struct window_event *e = &w->event[i];
		struct window_cache *c = &w->cache[e->cache];
		struct window_state *state = end ? &c->end : &c->begin;

		if (e->time_ns >= state->moment.begin_ns && e->time_ns <= state->moment.end_ns)
			state->torn = true;
	}
}

static int walk_all(struct recorder *r, bool end)
{
	struct window *w = r->w;
	size_t from = w->nr_events, left = w->nr_caches;

	for (size_t i = 0; i < w->nr_caches; i++)
		(end ? &w->cache[i].end : &w->cache[i].begin)->torn = true;
	for (unsigned int round = 0; round < ROUNDS && left; round++) {
		for (size_t i = 0; i < w->nr_caches; i++) {
			struct window_state *state = end ? &w->cache[i].end : &w->cache[i].begin;
			int rc = state->torn ? walk(r, &w->cache[i].row, state) : 0;

			if (rc)
				return rc;
			state->torn = false;
		}
		/* Of an event that came before its walk ended the record may come a little later. */
		usleep(PERIOD_US);
		kstream_poll(r->stream, keep, r);
		mark_torn(r, from, end);
		left = 0;
		for (size_t i = 0; i < w->nr_caches; i++)
			left += (end ? &w->cache[i].end : &w->cache[i].begin)->torn;
	}
	return 0;
}

static int read_caches(struct recorder *r)
{
	const struct kmem_cache_info *rows;
	struct window *w = r->w;
	size_t nr;
	int rc = kcaches_read(r->kcaches, &rows, &nr, r->err, r->len);

	if (rc)
		return rc;
	w->cache = calloc(nr + 1, sizeof(*w->cache));
	if (!w->cache || nr >= UINT16_MAX) {
		snprintf(r->err, r->len, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < nr; i++)
		w->cache[i].row = rows[i];
	w->nr_caches = nr;
	return make_index(r);
}

static int open_sources(struct recorder *r)
{
	const struct kstream_options options = { .ring_bytes = 128u << 20 };
	int rc = kcaches_open(&r->kcaches, NULL, r->err, r->len);

	if (!rc && kcaches_source(r->kcaches) == KCACHES_SLABINFO) {
		snprintf(r->err, r->len, "%s", kcaches_why(r->kcaches));
		rc = -ENOTSUP;
	}
	if (!rc)
		rc = kslabs_open(&r->kslabs, r->kcaches, r->err, r->len);
	if (!rc)
		rc = kstream_open(&r->stream, &options, r->err, r->len);
	if (!rc && !kstream_names_kmalloc(r->stream)) {
		snprintf(r->err, r->len, "this kernel does not tell the caches of kmalloc(): use one with CONFIG_KALLSYMS_ALL, or 6.13");
		rc = -ENOTSUP;
	}
	if (!rc)
		rc = read_caches(r);
	return rc;
}

static int record(struct recorder *r, bool (*more)(void *context), void *context)
{
	struct kstream_totals totals;
	int rc = kstream_attach(r->stream, r->err, r->len);

	if (!rc)
		rc = walk_all(r, false);
	while (!rc && more(context)) {
		kstream_poll(r->stream, keep, r);
		usleep(PERIOD_US);
	}
	if (!rc)
		kstream_poll(r->stream, keep, r);
	if (!rc)
		rc = walk_all(r, true);
	kstream_detach(r->stream, keep, r);
	if (!rc)
		rc = kstream_read_totals(r->stream, &totals, r->err, r->len);
	if (rc)
		return rc;
	r->w->lost += totals.lost;
	r->w->missed = totals.missed;
	return 0;
}

int window_record(struct window *w, bool (*more)(void *context), void *context, char *err, size_t len)
{
	struct recorder r = { .w = w, .err = err, .len = len };
	struct utsname name;
	int rc;

	memset(w, 0, sizeof(*w));
	uname(&name);
	snprintf(w->release, sizeof(w->release), "%.63s", name.release);
	w->nr_cpus = (unsigned int)sysconf(_SC_NPROCESSORS_CONF);
	rc = open_sources(&r);
	if (!rc)
		rc = record(&r, more, context);
	kstream_close(r.stream);
	kslabs_close(r.kslabs);
	kcaches_close(r.kcaches);
	free(r.index);
	return rc;
}

void window_close(struct window *w)
{
	for (size_t i = 0; i < w->nr_caches; i++) {
		free(w->cache[i].begin.slabs);
		free(w->cache[i].end.slabs);
	}
	free(w->cache);
	free(w->event);
	memset(w, 0, sizeof(*w));
}

void window_columns(const struct window_state *state, struct kmem_cache_info *info)
{
	memset(info, 0, sizeof(*info));
	info->slabs = state->moment.slabs;
	info->objects_total = state->moment.objects;
	for (size_t i = 0; i < state->nr_slabs; i++) {
		const struct kmem_slab_info *slab = &state->slabs[i];
		uint32_t free = slab->inuse < slab->objects ? slab->objects - slab->inuse : 0;

		if (slab->place == KMEM_SLAB_NODE_PARTIAL) {
			info->node_partial++;
			info->partial_free += free;
		} else if (slab->place == KMEM_SLAB_CPU) {
			info->cpu_slabs++;
			info->cpu_free += free + slab->cpu_free;
		} else {
			info->cpu_partial_slabs++;
			info->cpu_partial_free += free;
		}
	}
	info->in_use = info->objects_total - info->partial_free - info->cpu_free - info->cpu_partial_free;
}
