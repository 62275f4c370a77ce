/* SPDX-License-Identifier: BSD-2-Clause */
/* snapshot.c - what lives in this very process, object by object. */
#include "kmemtrace/snapshot.h"

#include <criterion/criterion.h>
#include <kmem/page.h>
#include <kmem/slab.h>
#include <stdlib.h>
#include <unistd.h>

#define NR 300

static uint32_t name(void *unused, uint32_t id)
{
	(void)unused;
	return id;
}

static struct snapshot take(void)
{
	struct snapshot_copy *copy;
	struct snapshot s;
	struct target t;

	cr_assert_eq(target_open(&t, getpid()), 0, "%s", t.message);
	cr_assert_eq(target_find_roots(&t), 0, "%s", t.message);
	cr_assert_eq(snapshot_capture(&copy, &t, t.roots[0].addr), 0, "%s", t.message);
	cr_assert_eq(snapshot_digest(copy, 7, name, NULL, &s), 0);
	target_close(&t);
	return s;
}

static size_t count(const struct snapshot *s, uint64_t ptr, uint64_t size)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->nr_objects; i++)
		nr += s->objects[i].ptr == ptr && s->objects[i].size == size && s->objects[i].pid == 7;
	return nr;
}

Test(snapshot, objects_blocks_and_what_is_free)
{
	struct kmem_cache *cache = kmem_cache_create("snapshot", 72, 0, SLAB_NOLEAKTRACE, NULL);
	void *object[NR], *large = kmalloc(100000, GFP_KERNEL);
	struct page *pages = alloc_pages(GFP_KERNEL, 2);
	struct snapshot s;
	uint64_t live = 0, blocks = 0;

	for (int i = 0; i < NR; i++)
		object[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (int i = 0; i < NR; i += 3)
		kmem_cache_free(cache, object[i]);
	s = take();
	for (int i = 0; i < NR; i++)
		cr_assert_eq(count(&s, (uintptr_t)object[i], 72), i % 3 != 0, "object %d", i);
	cr_expect_eq(count(&s, (uintptr_t)large, 100000), 1);
	for (size_t i = 0; i < s.nr_blocks; i++) {
		live += s.blocks[i].cache != KMEM_ID_PAGES ? s.blocks[i].live : 0;
		blocks += s.blocks[i].ptr == (uintptr_t)page_address(pages) && s.blocks[i].bytes == 16384 &&
			  s.blocks[i].cache == KMEM_ID_PAGES;
	}
	cr_expect_eq(live, s.nr_objects);
	cr_expect_eq(blocks, 1);
	snapshot_free(&s);
	cr_expect_null(s.objects);
	snapshot_drop(NULL);
}
