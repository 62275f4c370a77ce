/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot.c - a leak scan's copy of the allocator's tables, and from its model of
 * blocks and bits one list of objects and one of blocks.
 */
#include "kmemtrace/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemleak/image.h"

#define MAX_DEFERRED (1u << 20)

struct snapshot_copy {
	struct image image;
	bool empty;
	uint64_t *deferred; /* freed objects whose bits are still set */
	size_t nr_deferred, deferred_room;
};

/* Objects that were freed where no lock could be taken are in a chain through their first words. */
static int read_deferred(struct snapshot_copy *copy, struct target *t, uint64_t object)
{
	while (object && copy->nr_deferred < MAX_DEFERRED) {
		if (copy->nr_deferred == copy->deferred_room) {
			size_t room = copy->deferred_room ? 2 * copy->deferred_room : 64;
			uint64_t *more = realloc(copy->deferred, room * sizeof(*more));

			if (!more)
				return -ENOMEM;
			copy->deferred = more;
			copy->deferred_room = room;
		}
		copy->deferred[copy->nr_deferred++] = object;
		if (target_read(t, object, &object, sizeof(object)))
			break;
	}
	return 0;
}

static int capture(struct snapshot_copy *copy, struct target *t, uint64_t root_addr)
{
	const struct heap_copy *heap = &copy->image.heap;
	struct kmem_observe root;
	int err = target_read_root(t, root_addr, &root);

	copy->empty = !err && !root.state;
	if (err || copy->empty)
		return err;
	err = image_capture_objects(&copy->image, t, root_addr);
	for (uint32_t id = 1; !err && id < heap->nr_caches; id++)
		err = read_deferred(copy, t, heap->caches[id].deferred);
	return err == -ENOMEM ? target_fail(t, err, "out of memory for a snapshot of PID %d", t->pid) : err;
}

void snapshot_drop(struct snapshot_copy *copy)
{
	if (!copy)
		return;
	image_free(&copy->image);
	free(copy->deferred);
	free(copy);
}

int snapshot_capture(struct snapshot_copy **copy, struct target *t, uint64_t root_addr)
{
	int err;

	*copy = calloc(1, sizeof(**copy));
	if (!*copy)
		return target_fail(t, -ENOMEM, "out of memory");
	err = capture(*copy, t, root_addr);
	if (err) {
		snapshot_drop(*copy);
		*copy = NULL;
	}
	return err;
}

static void drop_deferred(const struct snapshot_copy *copy, struct model *m)
{
	struct model_object o;

	for (size_t i = 0; i < copy->nr_deferred; i++)
		if (model_find(m, copy->deferred[i], &o) && model_is_white(m, o.number)) {
			model_clear_white(m, o.number);
			m->nr_objects--;
		}
}

/* Objects of one block into the list, which has room. Return how many. */
static uint32_t add_objects(const struct model *m, const struct model_block *b, struct snapshot *out,
			    struct trace_object object)
{
	uint64_t start = m->base + ((uint64_t)b->first_page << KMEM_PAGE_SHIFT) + b->offset;
	size_t before = out->nr_objects;

	for (uint32_t i = 0; i < b->nr_objects; i++)
		if (model_is_white(m, b->first_object + i)) {
			object.ptr = start + (uint64_t)i * b->stride;
			out->objects[out->nr_objects++] = object;
		}
	return (uint32_t)(out->nr_objects - before);
}

static int list(const struct snapshot_copy *copy, const struct model *m, uint32_t pid, snapshot_namer *name,
		void *context, struct snapshot *out)
{
	out->objects = malloc((m->nr_objects + 1) * sizeof(*out->objects));
	out->blocks = malloc(((size_t)m->nr_blocks + 1) * sizeof(*out->blocks));
	if (!out->objects || !out->blocks)
		return -ENOMEM;
	for (uint32_t i = 1; i < m->nr_blocks; i++) {
		const struct model_block *b = &m->blocks[i];
		uint32_t cache = name(context, b->cache_id), live = 1;
		const struct trace_object object = { .size = b->bytes, .cache = cache, .pid = pid };

		if (b->cache_id != KMEM_ID_PAGES)
			live = add_objects(m, b, out, object);
		out->blocks[out->nr_blocks++] = (struct trace_block){
			.ptr = m->base + ((uint64_t)b->first_page << KMEM_PAGE_SHIFT),
			.bytes = (uint64_t)heap_page(&copy->image.heap, b->first_page)->nr_pages << KMEM_PAGE_SHIFT,
			.cache = cache, .pid = pid, .objects = b->nr_objects, .live = live,
		};
	}
	return 0;
}

int snapshot_digest(struct snapshot_copy *copy, uint32_t pid, snapshot_namer *name, void *context,
		    struct snapshot *out)
{
	struct model m = { 0 };
	int err = 0;

	*out = (struct snapshot){ 0 };
	if (!copy->empty) {
		err = image_digest(&copy->image);
		if (!err)
			err = model_build(&m, &copy->image.heap);
		if (!err) {
			drop_deferred(copy, &m);
			err = list(copy, &m, pid, name, context, out);
		}
		model_free(&m);
	}
	snapshot_drop(copy);
	if (err)
		snapshot_free(out);
	return err;
}

void snapshot_free(struct snapshot *s)
{
	free(s->objects);
	free(s->blocks);
	*s = (struct snapshot){ 0 };
}
