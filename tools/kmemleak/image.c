/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.c - what is copied while the target is stopped, and in which order.
 *
 * The order follows from what is needed to know what to copy next: the root,
 * then all metadata in one batch, then heap pages in use together with the
 * contents of the roots in a second one. Only slabs, large objects and
 * alloc_pages() blocks are copied; free pages are not.
 */
#include "kmemleak/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kmemleak/copy.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* A descriptor with more is damaged; far beyond what the allocator makes. */
#define MAX_CPUS         65536u
#define MAX_PERCPU_SHIFT 32u
#define MAX_BLACK        4096u

#define HUGE_BYTES ((size_t)2 << 20)
#define ROOT_SPARE_BYTES ((size_t)4 << 20)
#define SHEAVES_MAX_BYTES (UINT64_C(4) << 30)

static int out_of_memory(struct target *t)
{
	return target_fail(t, -ENOMEM,
			   "out of memory: a scan of PID %d (%s) needs as much as its heap and other memory hold",
			   t->pid, t->comm);
}

static int damaged(struct target *t, const char *what)
{
	return target_fail(t, -EPROTO, "PID %d (%s): the libkmem descriptor is damaged (%s)", t->pid, t->comm, what);
}

/* ---- buffers ---------------------------------------------------------------------------- */

int buffer_ensure(struct buffer *b, size_t bytes)
{
	void *p;

	if (bytes <= b->bytes && b->data)
		return 0;
	buffer_free(b);
	bytes = (bytes + HUGE_BYTES) & ~(HUGE_BYTES - 1);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	/* Fewer TLB misses while marking; without huge pages it works all the same. */
	madvise(p, bytes, MADV_HUGEPAGE);
	b->data = p;
	b->bytes = bytes;
	return 0;
}

void buffer_free(struct buffer *b)
{
	if (b->data)
		munmap(b->data, b->bytes);
	b->data = NULL;
	b->bytes = 0;
}

void image_free(struct image *image)
{
	struct buffer *const all[] = {
		&image->pages, &image->idmap, &image->bitmap, &image->caches, &image->nodes, &image->percpu,
		&image->sheaves, &image->parked, &image->mirror_buffer, &image->root_buffer,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buffer_free(all[i]);
	roots_free(&image->roots);
	roots_free_cuts(&image->cuts);
	free(image->root_words);
	free(image->transit);
	target_close(&image->helper);
	memset(image, 0, sizeof(*image));
}

int image_add_words(struct image *image, const struct root_words *words)
{
	/* Grows by powers of two; the capacity follows from the number. */
	if (!(image->nr_root_words & (image->nr_root_words - 1))) {
		size_t capacity = image->nr_root_words ? 2 * image->nr_root_words : 1;
		struct root_words *more = realloc(image->root_words, capacity * sizeof(*more));

		if (!more)
			return -ENOMEM;
		image->root_words = more;
	}
	image->root_words[image->nr_root_words++] = *words;
	return 0;
}

/* ---- metadata --------------------------------------------------------------------------- */

static int check_root(struct target *t, const struct kmem_observe *root)
{
	if (root->state == 0)
		return target_fail(t, -ENOENT, "PID %d (%s) has not allocated anything from libkmem yet", t->pid,
				   t->comm);
	if (root->arena_end < root->arena_base || root->arena_limit < root->arena_end)
		return damaged(t, "arena");
	if (root->nr_caches > KMEM_ID_MAX || !root->nr_nodes || root->nr_nodes > KMEM_MAX_NODES)
		return damaged(t, "numbers of caches and nodes");
	if (!root->nr_cpus || root->nr_cpus > MAX_CPUS || root->percpu_shift > MAX_PERCPU_SHIFT)
		return damaged(t, "per-CPU layout");
	if (root->nr_black > MAX_BLACK)
		return damaged(t, "black ranges");
	if (root->sheaves_end < root->sheaves || root->sheaves_end - root->sheaves > SHEAVES_MAX_BYTES)
		return damaged(t, "sheaves");
	return 0;
}

/* End of the slots of all caches in a CPU's part of a region. */
static size_t used_slot_bytes(const struct kmem_observe *root, const struct kmem_cache *caches)
{
	uint64_t limit = UINT64_C(1) << root->percpu_shift, used = 0;

	for (uint32_t id = 1; caches && id < root->nr_caches; id++) {
		uint64_t end = caches[id].slot_offset + sizeof(struct kmem_slot) +
			       caches[id].slot_capacity * sizeof(uint64_t);

		if (caches[id].state != KMEM_CACHE_FREE && caches[id].slot_offset && end <= limit && end > used)
			used = end;
	}
	return used;
}

static int add_percpu(struct image *image, struct copy *c)
{
	const struct kmem_observe *root = &image->root;
	int err;

	image->slots_bytes = used_slot_bytes(root, (const struct kmem_cache *)(void *)image->caches.data);
	if (!image->slots_bytes)
		return 0;
	err = buffer_ensure(&image->percpu, 2 * root->nr_cpus * image->slots_bytes);
	for (uint64_t i = 0; i < 2 * root->nr_cpus && !err; i++) {
		uint64_t region = root->percpu[i / root->nr_cpus], cpu = i % root->nr_cpus;

		if (region)
			err = copy_add(c, region + (cpu << root->percpu_shift),
				       image->percpu.data + i * image->slots_bytes, image->slots_bytes);
	}
	return err;
}

static int add_buffer(struct copy *c, struct buffer *b, uint64_t addr, uint64_t bytes)
{
	int err = buffer_ensure(b, bytes);

	return err ? err : copy_add(c, addr, b->data, bytes);
}

static int add_metadata(struct image *image, struct copy *c)
{
	const struct kmem_observe *root = &image->root;
	uint64_t nr_pages = (root->arena_end - root->arena_base) >> KMEM_PAGE_SHIFT;
	/* Descriptors lie in an order of their own inside an arena block. */
	uint64_t nr_places = (nr_pages + KMEM_ARENA_BLOCK_PAGES - 1) / KMEM_ARENA_BLOCK_PAGES * KMEM_ARENA_BLOCK_PAGES;
	int err;

	err = add_percpu(image, c);
	if (!err)
		err = add_buffer(c, &image->nodes, root->nodes,
				 (uint64_t)root->nr_caches * root->nr_nodes * sizeof(struct kmem_cache_node));
	if (!err)
		err = add_buffer(c, &image->sheaves, root->sheaves, root->sheaves_end - root->sheaves);
	if (!err)
		err = add_buffer(c, &image->pages, root->pages, nr_places * sizeof(struct page));
	if (!err)
		err = add_buffer(c, &image->idmap, root->idmap, nr_pages * sizeof(uint16_t));
	if (!err)
		err = add_buffer(c, &image->bitmap, root->bitmap, nr_places * KMEM_BITMAP_BYTES);
	if (!err)
		err = buffer_ensure(&image->mirror_buffer, nr_pages << KMEM_PAGE_SHIFT);
	image->heap.base = root->arena_base;
	image->heap.nr_pages = nr_pages;
	image->heap.nr_caches = root->nr_caches;
	image->heap.pages = (const struct page *)(void *)image->pages.data;
	image->heap.idmap = (const uint16_t *)(void *)image->idmap.data;
	image->heap.bitmap = (const uint64_t *)(void *)image->bitmap.data;
	image->heap.caches = (const struct kmem_cache *)(void *)image->caches.data;
	image->mirror = image->mirror_buffer.data;
	return err;
}

/* Run a batch in which every byte matters. */
static int run_strict(struct copy *c, struct target *t)
{
	int err = copy_run(c, t, NULL);

	return err || !c->nr_unreadable ? err : damaged(t, "tables are not readable");
}

static int read_metadata(struct image *image, struct target *t)
{
	struct copy c = { 0 };
	int err = target_read_root(t, image->root_addr, &image->root);

	if (!err)
		err = check_root(t, &image->root);
	if (err)
		return err;
	/* The caches first: they say how much of the per-CPU regions is in use. */
	err = add_buffer(&c, &image->caches, image->root.caches,
			 (uint64_t)image->root.nr_caches * sizeof(struct kmem_cache));
	if (!err)
		err = run_strict(&c, t);
	else
		err = out_of_memory(t);
	copy_free(&c);
	if (err)
		return err;
	err = add_metadata(image, &c) ? out_of_memory(t) : run_strict(&c, t);
	copy_free(&c);
	return err;
}

/* ---- heap -------------------------------------------------------------------------------- */

/* Bytes of a block that may hold pointers of the program; 0 for other pages. *skip: pages until the next head. */
static uint64_t content_bytes(const struct heap_copy *heap, uint64_t index, uint64_t *skip)
{
	const struct page *page = heap_page(heap, index);
	uint64_t whole = (uint64_t)page->nr_pages << KMEM_PAGE_SHIFT;

	*skip = 1;
	if (page->type == KMEM_PAGE_RESERVED || page->type >= KMEM_PAGE_TAIL || !page->nr_pages ||
	    page->nr_pages > heap->nr_pages - index)
		return 0;
	*skip = page->nr_pages;
	switch (page->type) {
	case KMEM_PAGE_SLAB:
		if (page->cache_id < heap->nr_caches && (heap->caches[page->cache_id].flags & KMEM_CACHE_NOLEAKTRACE))
			return 0;
		return whole;
	case KMEM_PAGE_LARGE:
		return page->size < whole && !(page->flags & KMEM_PG_GUARD) ? page->size : whole;
	case KMEM_PAGE_PAGES:
		return whole;
	default:
		return 0;
	}
}

typedef int (*content_fn)(struct image *image, uint64_t index, uint64_t bytes, void *arg);

static int for_each_content(struct image *image, content_fn fn, void *arg)
{
	uint64_t skip;
	int err = 0;

	for (uint64_t i = 0; i < image->heap.nr_pages && !err; i += skip) {
		uint64_t bytes = content_bytes(&image->heap, i, &skip);

		if (bytes)
			err = fn(image, i, bytes, arg);
	}
	return err;
}

static int add_content(struct image *image, uint64_t index, uint64_t bytes, void *arg)
{
	struct copy *c = arg;
	uint64_t offset = index << KMEM_PAGE_SHIFT;

	image->heap_bytes += bytes;
	return copy_add(c, image->heap.base + offset, image->mirror_buffer.data + offset, bytes);
}

static int touch_content(struct image *image, uint64_t index, uint64_t bytes, void *arg)
{
	uint8_t *start = image->mirror_buffer.data + (index << KMEM_PAGE_SHIFT);

	(void)arg;
	/* Best effort: what is not touched now costs a fault during the stop. */
	madvise(start, (bytes + KMEM_PAGE_BYTES - 1) & ~(uint64_t)(KMEM_PAGE_BYTES - 1), MADV_POPULATE_WRITE);
	return 0;
}

/* ---- roots ------------------------------------------------------------------------------- */

/* Without threads: the same ranges but for the ends of stacks. */
static int choose_roots(struct image *image, struct target *t, const struct stop_thread *threads, size_t nr_threads)
{
	size_t black_bytes = image->root.nr_black * sizeof(struct kmem_black_range);
	struct kmem_black_range *black = calloc(image->root.nr_black + 1, sizeof(*black));
	struct roots_input in = {
		.maps = t->maps, .nr_maps = t->nr_maps, .threads = threads, .nr_threads = nr_threads,
		.cuts = &image->cuts, .shared = image->shared,
	};
	int err;

	roots_free(&image->roots);
	roots_free_cuts(&image->cuts);
	if (!black)
		return out_of_memory(t);
	err = target_read(t, image->root.black, black, black_bytes);
	if (err) {
		free(black);
		return err;
	}
	err = roots_cut_allocator(&image->cuts, image->root_addr, &image->root, black);
	free(black);
	if (!err)
		err = roots_choose(&image->roots, &in);
	if (!err)
		err = roots_populated(&image->roots, image->tid);
	return err ? out_of_memory(t) : 0;
}

static size_t register_words(const struct stop *s)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->nr_threads; i++)
		nr += s->threads[i].nr_words;
	return nr;
}

static int add_registers(struct image *image, const struct stop *s, uint64_t *to)
{
	int err = 0;

	for (size_t i = 0; i < s->nr_threads && !err; i++) {
		const struct stop_thread *thread = &s->threads[i];
		struct root_words piece = { .words = to, .nr = thread->nr_words, .tid = thread->tid };

		if (thread->state != STOP_HELD)
			continue;
		memcpy(to, thread->words, thread->nr_words * sizeof(*to));
		to += thread->nr_words;
		err = image_add_words(image, &piece);
	}
	return err;
}

static uint64_t range_bytes(const struct image *image)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < image->roots.nr; i++)
		bytes += image->roots.ranges[i].end - image->roots.ranges[i].start;
	return bytes;
}

static int add_roots(struct image *image, const struct stop *s, struct copy *c)
{
	uint64_t *to;
	int err;

	image->root_bytes = register_words(s) * sizeof(*to) + range_bytes(image);
	err = buffer_ensure(&image->root_buffer, image->root_bytes);
	to = (uint64_t *)(void *)image->root_buffer.data;
	for (size_t i = 0; i < image->roots.nr && !err; i++) {
		const struct root_range *range = &image->roots.ranges[i];
		struct root_words piece = { .words = to, .nr = (range->end - range->start) / sizeof(*to),
					    .address = range->start, .range = range, .tid = range->tid };

		err = copy_add(c, range->start, to, range->end - range->start);
		if (!err)
			err = image_add_words(image, &piece);
		to += piece.nr;
	}
	return err ? err : add_registers(image, s, to);
}

/* main() may have ended with pthread_exit() while the process lives on. */
static pid_t living_thread(struct target *t)
{
	pid_t *tids = NULL, found = t->pid;
	size_t nr = 0;

	if (!target_threads(t, &tids, &nr))
		for (size_t i = 0; i < nr; i++)
			if (!stop_thread_ended(t->pid, tids[i])) {
				found = tids[i];
				break;
			}
	free(tids);
	return found;
}

int image_prepare(struct image *image, struct target *t, uint64_t root_addr, bool shared)
{
	uint64_t bytes;
	int err;

	memset(image, 0, sizeof(*image));
	image->root_addr = root_addr;
	image->shared = shared;
	image->tid = living_thread(t);
	err = read_metadata(image, t);
	if (!err)
		err = choose_roots(image, t, NULL, 0);
	if (err)
		return err;
	for_each_content(image, touch_content, NULL);
	/* Some room for what appears until the stop, registers included. */
	bytes = range_bytes(image);
	if (buffer_ensure(&image->root_buffer, bytes + bytes / 8 + ROOT_SPARE_BYTES))
		return out_of_memory(t);
	madvise(image->root_buffer.data, bytes, MADV_POPULATE_WRITE);
	/* The target's message tells why one cannot be read; that the helper cannot does no harm. */
	image->has_helper = !target_open(&image->helper, t->pid);
	return 0;
}

int image_capture(struct image *image, struct target *t, const struct stop *s)
{
	struct copy c = { 0 };
	int err = target_reload_maps(t);

	image->tid = living_thread(t);
	c.tid = image->tid;
	if (!err)
		err = read_metadata(image, t);
	if (!err)
		err = choose_roots(image, t, s->threads, s->nr_threads);
	if (err)
		return err;
	err = for_each_content(image, add_content, &c);
	if (!err)
		err = add_roots(image, s, &c);
	err = err ? out_of_memory(t) : copy_run(&c, t, image->has_helper ? &image->helper : NULL);
	image->nr_unreadable = c.nr_unreadable;
	image->unreadable_bytes = c.unreadable_bytes;
	copy_free(&c);
	return err;
}

/* Objects that a leak scan leaves out are objects, too. */
static void want_all(struct image *image)
{
	struct kmem_cache *caches = (struct kmem_cache *)(void *)image->caches.data;

	for (uint32_t id = 0; id < image->root.nr_caches; id++)
		caches[id].flags &= ~KMEM_CACHE_NOLEAKTRACE;
}

int image_capture_objects(struct image *image, struct target *t, uint64_t root_addr)
{
	int err;

	image->root_addr = root_addr;
	image->tid = living_thread(t);
	err = read_metadata(image, t);
	if (!err)
		want_all(image);
	return err;
}
