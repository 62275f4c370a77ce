/* SPDX-License-Identifier: BSD-2-Clause */
/* roots.c - which mappings, and which parts of them, are roots; see roots.h for the policy. */
#include "kmemleak/roots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_MAX_BYTES (UINT64_C(1) << 20)

int roots_add(struct roots *roots, const struct root_range *range)
{
	if (roots->nr == roots->capacity) {
		size_t capacity = roots->capacity ? 2 * roots->capacity : 256;
		struct root_range *more = realloc(roots->ranges, capacity * sizeof(*more));

		if (!more)
			return -ENOMEM;
		roots->ranges = more;
		roots->capacity = capacity;
	}
	roots->ranges[roots->nr++] = *range;
	return 0;
}

void roots_free(struct roots *roots)
{
	free(roots->ranges);
	memset(roots, 0, sizeof(*roots));
}

/* ---- cuts ------------------------------------------------------------------------------- */

int roots_add_cut(struct root_cuts *cuts, uint64_t start, uint64_t end)
{
	if (end <= start)
		return 0;
	if (cuts->nr == cuts->capacity) {
		size_t capacity = cuts->capacity ? 2 * cuts->capacity : 64;
		struct root_cut *more = realloc(cuts->cuts, capacity * sizeof(*more));

		if (!more)
			return -ENOMEM;
		cuts->cuts = more;
		cuts->capacity = capacity;
	}
	cuts->cuts[cuts->nr++] = (struct root_cut){ start, end };
	return 0;
}

void roots_free_cuts(struct root_cuts *cuts)
{
	free(cuts->cuts);
	memset(cuts, 0, sizeof(*cuts));
}

int roots_cut_allocator(struct root_cuts *cuts, uint64_t addr, const struct kmem_observe *root,
			const struct kmem_black_range *black)
{
	uint64_t nr_pages = (root->arena_limit - root->arena_base) >> KMEM_PAGE_SHIFT;
	uint64_t nr_caches = root->nr_caches;
	const struct root_cut own[] = {
		{ addr, addr + sizeof(*root) },
		{ root->arena_base, root->arena_limit },
		{ root->pages, root->pages + nr_pages * sizeof(struct page) },
		{ root->idmap, root->idmap + nr_pages * sizeof(uint16_t) },
		{ root->bitmap, root->bitmap + nr_pages * KMEM_BITMAP_BYTES },
		{ root->caches, root->caches + nr_caches * sizeof(struct kmem_cache) },
		{ root->nodes, root->nodes + nr_caches * root->nr_nodes * sizeof(struct kmem_cache_node) },
		{ root->zones, root->zones + root->nr_zones * sizeof(struct kmem_zone) },
		{ root->percpu[0], root->percpu[0] + root->percpu_bytes },
		{ root->percpu[1], root->percpu[1] + root->percpu_bytes },
		{ root->sheaves, root->sheaves_end },
		{ root->black, root->black + root->nr_black * sizeof(*black) },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && !err; i++)
		if (own[i].start)
			err = roots_add_cut(cuts, own[i].start, own[i].end);
	for (size_t i = 0; i < root->nr_black && !err; i++)
		err = roots_add_cut(cuts, black[i].start, black[i].end);
	return err;
}

static int compare_cuts(const void *a, const void *b)
{
	const struct root_cut *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Add the parts of a range that no cut covers, whole words only. Cuts are sorted. */
static int add_uncut(struct roots *roots, struct root_range range, const struct root_cuts *cuts)
{
	uint64_t at = range.start, end = range.end;
	int err = 0;

	for (size_t i = 0; i <= cuts->nr && at < end && !err; i++) {
		bool last = i == cuts->nr;

		if (!last && (cuts->cuts[i].end <= at || cuts->cuts[i].start >= end))
			continue;
		range.start = (at + 7) & ~UINT64_C(7);
		range.end = (last ? end : cuts->cuts[i].start) & ~UINT64_C(7);
		if (range.start < range.end)
			err = roots_add(roots, &range);
		if (!last)
			at = cuts->cuts[i].end;
	}
	return err;
}

/* ---- stacks ----------------------------------------------------------------------------- */

/*
 * Is the memory below the stack pointer known to be dead? Yes for the main
 * stack and for a pthread stack, which ends in the thread control block and
 * has a guard below. A coroutine stack in some larger mapping has neither:
 * below it may lie anything.
 */
static bool is_thread_stack(const struct roots_input *in, size_t map, const struct stop_thread *t)
{
	const struct target_map *m = &in->maps[map], *below = map ? m - 1 : NULL;

	if (!strcmp(m->path, "[stack]"))
		return true;
	return below && below->end == m->start && !(below->perms & (TARGET_READ | TARGET_WRITE | TARGET_EXEC)) &&
	       below->end - below->start <= GUARD_MAX_BYTES && t->thread_ptr >= t->sp && t->thread_ptr < m->end;
}

/* If a thread's stack pointer lies in the mapping: where its live part begins. */
static void clip_stack(const struct roots_input *in, size_t map, struct root_range *range)
{
	const struct target_map *m = &in->maps[map];
	uint64_t lowest = UINT64_MAX;
	bool dead_below = false;

	for (size_t i = 0; i < in->nr_threads; i++) {
		const struct stop_thread *t = &in->threads[i];

		if (t->state != STOP_HELD || t->sp < m->start || t->sp >= m->end || t->sp >= lowest)
			continue;
		lowest = t->sp;
		range->kind = ROOT_STACK;
		range->tid = t->tid;
		dead_below = is_thread_stack(in, map, t);
	}
	if (dead_below && lowest - ROOTS_RED_ZONE > m->start && lowest > ROOTS_RED_ZONE)
		range->start = lowest - ROOTS_RED_ZONE;
}

/* ---- mappings ---------------------------------------------------------------------------- */

/* Pages that the kernel provides, and device memory: reading that may have effects. */
static bool is_special(const struct target_map *m)
{
	static const char *const special[] = { "[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]" };

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (!strcmp(m->path, special[i]))
			return true;
	return !strncmp(m->path, "/dev/", 5) && strncmp(m->path, "/dev/zero", 9) && strncmp(m->path, "/dev/shm/", 9);
}

/* .bss beyond the file's last page is an anonymous mapping right behind the module's data: the module, else NULL. */
static const struct target_map *module_of_bss(const struct roots_input *in, size_t map)
{
	const struct target_map *m = &in->maps[map], *before = map ? m - 1 : NULL;

	if (*m->path || !before || before->end != m->start || !before->inode || before->perms & TARGET_SHARED)
		return NULL;
	return m->perms & TARGET_WRITE ? before : NULL;
}

static int choose_map(struct roots *roots, const struct roots_input *in, size_t map)
{
	const struct target_map *m = &in->maps[map];
	struct root_range range = { .start = m->start, .end = m->end, .map = m };

	if (is_special(m))
		return 0;
	if (m->perms & TARGET_SHARED) {
		if (!in->shared) {
			roots->skipped_bytes += m->end - m->start;
			roots->nr_skipped++;
			return 0;
		}
		range.kind = ROOT_SHARED;
	} else if (m->inode) {
		range.kind = ROOT_DATA;
	} else if (module_of_bss(in, map)) {
		range.kind = ROOT_DATA;
		range.map = module_of_bss(in, map);
	} else {
		range.kind = ROOT_ANONYMOUS;
	}
	clip_stack(in, map, &range);
	return add_uncut(roots, range, in->cuts);
}

int roots_choose(struct roots *roots, const struct roots_input *in)
{
	int err = 0;

	if (in->cuts->nr)
		qsort(in->cuts->cuts, in->cuts->nr, sizeof(*in->cuts->cuts), compare_cuts);
	for (size_t i = 0; i < in->nr_maps && !err; i++)
		err = choose_map(roots, in, i);
	return err;
}
