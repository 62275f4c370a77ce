/* SPDX-License-Identifier: BSD-2-Clause */
/* The files about this process agree with its counters and follow what it does. */
#include "support.h"

#include <kmem/info.h>
#include <kmem/page.h>

#include "page/buddy.h"

static char buf[1 << 16];

static unsigned long counter(const char *name)
{
	char line[64], *at;

	cr_assert_lt(kmem_vmstat(buf, sizeof(buf)), sizeof(buf));
	snprintf(line, sizeof(line), "%s ", name);
	for (at = buf; strncmp(at, line, strlen(line)); at++) {
		at = strchr(at, '\n');
		cr_assert_not_null(at, "no %s", name);
	}
	return strtoul(at + strlen(line), NULL, 10);
}

/* Blocks of an order in a file of that format. */
static unsigned long blocks(size_t (*file)(char *, size_t), unsigned int order)
{
	char *at = buf;

	cr_assert_lt(file(buf, sizeof(buf)), sizeof(buf));
	cr_assert_eq(strncmp(buf, "Node 0, zone   Normal ", 22), 0);
	at += 21;
	for (; order; order--)
		strtoul(at, &at, 10);
	return strtoul(at, NULL, 10);
}

Test(pageinfo, buddyinfo_counts_free_blocks)
{
	struct page *page = alloc_pages(GFP_KERNEL, 9);
	unsigned long before;

	drain_all_pages();
	before = blocks(kmem_buddyinfo, 9);
	__free_pages(page, 9);
	/* Merged with its buddy or not, the pages are there. */
	cr_expect(blocks(kmem_buddyinfo, 9) == before + 1 || blocks(kmem_buddyinfo, 9) + 1 == before);
}

Test(pageinfo, parked_pages_are_in_a_file_of_their_own)
{
	struct page *page;

	pin_to(0);
	page = alloc_pages(GFP_KERNEL, 2);
	drain_all_pages();
	cr_expect_eq(blocks(kmem_pcpinfo, 2), 0);
	__free_pages(page, 2);
	cr_expect_eq(blocks(kmem_pcpinfo, 2), 1);
	cr_expect_eq(counter("kmem_pcp_pages"), 4);
	drain_all_pages();
	cr_expect_eq(blocks(kmem_pcpinfo, 2), 0);
}

Test(pageinfo, vmstat_adds_up)
{
	unsigned long used;
	void *large = kmalloc(100000, GFP_KERNEL), *small = kmalloc(100, GFP_KERNEL | __GFP_RECLAIMABLE);
	struct page *page = alloc_pages(GFP_KERNEL, 4);

	drain_all_pages();
	used = counter("nr_slab_unreclaimable") + counter("nr_slab_reclaimable") + counter("kmem_large_pages") +
	       counter("kmem_alloc_pages");
	cr_expect_eq(used + counter("nr_free_pages"), counter("kmem_present_pages"));
	cr_expect_geq(counter("kmem_large_pages"), 25);
	cr_expect_geq(counter("kmem_alloc_pages"), 16);
	cr_expect_geq(counter("nr_slab_reclaimable"), 1);
	cr_expect_eq(used, counter("pgalloc_normal") - counter("pgfree"));
	kfree(large);
	kfree(small);
	__free_pages(page, 4);
}

Test(pageinfo, pageblocks_are_all_there)
{
	unsigned long unmovable, movable, reclaimable;
	char *at;

	cr_assert_not_null(kmalloc(100, GFP_KERNEL));
	cr_assert_not_null((void *)__get_free_pages(GFP_KERNEL | __GFP_MOVABLE, 10));
	kmem_pagetypeinfo(buf, sizeof(buf));
	at = strstr(buf, "\nNumber of blocks type");
	cr_assert_not_null(at);
	at = strstr(at, "Node 0, zone   Normal ") + 22;
	cr_assert_eq(sscanf(at, "%lu %lu %lu", &unmovable, &movable, &reclaimable), 3);
	cr_expect_geq(movable, 2);
	cr_expect_eq(512 * (unmovable + movable + reclaimable), counter("kmem_present_pages"));
}

Test(pageinfo, an_empty_heap_is_not_fragmented)
{
	cr_assert_not_null((void *)__get_free_pages(GFP_KERNEL, 0));
	kmem_unusable_index(buf, sizeof(buf));
	cr_expect_eq(strncmp(buf, "Node 0, zone   Normal 0.000 ", 28), 0);
	kmem_extfrag_index(buf, sizeof(buf));
	cr_expect_eq(strncmp(buf, "Node 0, zone   Normal -1.000 ", 29), 0);
	cr_expect_lt(kmem_zoneinfo(buf, sizeof(buf)), sizeof(buf));
	cr_expect_not_null(strstr(buf, "\n  pages free     "));
}

Test(pageinfo, a_short_buffer_gets_a_prefix)
{
	size_t (*const files[])(char *, size_t) = { kmem_buddyinfo, kmem_pcpinfo, kmem_pagetypeinfo, kmem_vmstat,
						    kmem_unusable_index, kmem_extfrag_index, kmem_zoneinfo };
	char part[40];
	size_t i;

	for (i = 0; i < ARRAY_LEN(files); i++) {
		size_t need = files[i](NULL, 0);

		cr_assert_gt(need, sizeof(part));
		cr_expect_eq(files[i](buf, sizeof(buf)), need);
		cr_expect_eq(files[i](part, 33), need);
		cr_expect_eq(strlen(part), 32);
		cr_expect_eq(memcmp(part, buf, 32), 0);
	}
}
