/* SPDX-License-Identifier: BSD-2-Clause */
/* Watermarks by the kernel's formulas, the reserves below min, zonelists. */
#include "support.h"

#include "base/observe.h"
#include "page/alloc.h"
#include "page/buddy.h"
#include "page/grow.h"
#include "page/vmstat.h"

TestSuite(zone, .init = start_empty);

Test(zone, square_roots_round_down)
{
	cr_expect_eq(zone_sqrt(0), 0);
	cr_expect_eq(zone_sqrt(1), 1);
	cr_expect_eq(zone_sqrt(15), 3);
	cr_expect_eq(zone_sqrt(16), 4);
	cr_expect_eq(zone_sqrt(UINT64_C(1) << 40), 1 << 20);
	cr_expect_eq(zone_sqrt((UINT64_C(1) << 40) - 1), (1 << 20) - 1);
}

/* What Linux computes for such zones: /proc/zoneinfo of machines with one zone. */
static void expect_marks(uint64_t managed, uint64_t min, uint64_t low, uint64_t high, uint64_t promo)
{
	zones[0].max_pages = managed;
	zone_update_watermarks();
	cr_expect_eq(zone_watermark(&zones[0], WMARK_MIN), min, "%lu", zone_watermark(&zones[0], WMARK_MIN));
	cr_expect_eq(zone_watermark(&zones[0], WMARK_LOW), low, "%lu", zone_watermark(&zones[0], WMARK_LOW));
	cr_expect_eq(zone_watermark(&zones[0], WMARK_HIGH), high, "%lu", zone_watermark(&zones[0], WMARK_HIGH));
	cr_expect_eq(zone_watermark(&zones[0], WMARK_PROMO), promo, "%lu", zone_watermark(&zones[0], WMARK_PROMO));
}

Test(zone, watermarks_are_the_kernel_s)
{
	/* 4 MiB: 4 * sqrt(4096) = 256 kB. */
	expect_marks(1024, 64, 80, 96, 112);
	/* 1 GiB: 4096 kB; 1/1000 of the zone beats a quarter of min. */
	expect_marks(262144, 1024, 1024 + 262, 1024 + 2 * 262, 1024 + 3 * 262);
	/* 64 GiB: 32768 kB. */
	expect_marks(UINT64_C(64) << 18, 8192, 8192 + 16777, 8192 + 2 * 16777, 8192 + 3 * 16777);
	/* 8 TiB: no more than 256 MiB. */
	expect_marks(UINT64_C(8) << 28, 65536, 65536 + 2147483, 65536 + 2 * UINT64_C(2147483), 65536 + 3 * UINT64_C(2147483));
	/* 64 KiB: no less than 128 kB. */
	expect_marks(16, 32, 40, 48, 56);
}

Test(zone, min_free_kbytes_and_scale_are_knobs)
{
	zone_config.min_free_kbytes = 400;
	zone_config.scale_factor = 1000;
	expect_marks(10000, 100, 1100, 2100, 3100);
}

Test(zone, the_mark_is_lowered_for_the_urgent)
{
	const uint64_t mark = 400;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	zones[0].free_pages = 401;
	cr_expect(zone_watermark_ok(&zones[0], 0, mark, true, 0));
	zones[0].free_pages = 400;
	cr_expect_not(zone_watermark_ok(&zones[0], 0, mark, true, 0));
	/* Non-blocking: a quarter less. */
	zones[0].free_pages = 301;
	cr_expect(zone_watermark_ok(&zones[0], 0, mark, true, ALLOC_NON_BLOCK));
	zones[0].free_pages = 300;
	cr_expect_not(zone_watermark_ok(&zones[0], 0, mark, true, ALLOC_NON_BLOCK));
	/* __GFP_HIGH: half. Both: a quarter of the rest on top. */
	zones[0].free_pages = 201;
	cr_expect(zone_watermark_ok(&zones[0], 0, mark, true, ALLOC_MIN_RESERVE));
	zones[0].free_pages = 151;
	cr_expect(zone_watermark_ok(&zones[0], 0, mark, true, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK));
	zones[0].free_pages = 150;
	cr_expect_not(zone_watermark_ok(&zones[0], 0, mark, true, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK));
}

Test(zone, a_block_must_be_there)
{
	struct page *page;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	cr_expect(zone_watermark_ok(&zones[0], 10, 0, true, 0));
	page = alloc_page(GFP_KERNEL | __GFP_HIGH);
	drain_all_pages();
	while (grow_zone(&zones[0], MIGRATE_UNMOVABLE), alloc_pages(GFP_NOWAIT, 10))
		if (!zones[0].free_list[10][0].nr)
			break;
	cr_expect_not(zone_watermark_ok(&zones[0], 10, 0, true, 0));
	cr_expect(zone_watermark_ok(&zones[0], 9, 0, true, 0));
	__free_page(page);
}

Test(zone, reserved_pageblocks_count_for_their_users_only)
{
	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	zones[0].highatomic_free = 1000;
	cr_expect_not(zone_watermark_ok(&zones[0], 5, 0, true, 0));
	cr_expect(zone_watermark_ok(&zones[0], 5, 0, true, ALLOC_HIGHATOMIC));
}

Test(zone, a_boost_is_bounded_and_growth_ends_it)
{
	unsigned int i;

	zones[0].max_pages = 262144;
	zone_update_watermarks();
	for (i = 0; i < 10; i++)
		zone_boost_watermark(&zones[0]);
	/* 150% of the high watermark, 1548. */
	cr_expect_eq(zones[0].watermark_boost, 2322);
	cr_expect_eq(zone_watermark(&zones[0], WMARK_MIN), 1024 + 2322);
	cr_assert_eq(grow_zone(&zones[0], MIGRATE_UNMOVABLE), 0);
	cr_expect_eq(zones[0].watermark_boost, 0);
	zone_config.boost_factor = 0;
	zone_boost_watermark(&zones[0]);
	cr_expect_eq(zones[0].watermark_boost, 0);
}

/* ---- nodes and other kinds of memory, in processes of their own ---- */

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(3);                                              \
		}                                                              \
	} while (0)

static void role_nodes(void)
{
	struct page *page[3], *local;
	int nid;

	CHECK(zone_config.nr_zones == 3 && observe_root.nr_zones == 3);
	for (nid = 0; nid < 3; nid++) {
		page[nid] = alloc_pages_node(nid, GFP_KERNEL, 2);
		CHECK(page[nid] && page[nid]->node == nid && page_to_nid(page[nid]) == nid);
		CHECK(zone_of(page[nid]) == &zones[nid]);
		CHECK(zone_list(GFP_KERNEL, (unsigned int)nid)[0] == &zones[nid]);
		CHECK(zone_list(GFP_KERNEL, (unsigned int)nid)[1] == &zones[(nid + 1) % 3]);
	}
	pin_to(1);
	local = alloc_pages(GFP_KERNEL, 5);
	CHECK(local->node == 1);
	CHECK(vmstat_zone_stat(&zones[0], KMEM_ZS_NUMA_HIT) >= 1);
	CHECK(vmstat_zone_stat(&zones[1], KMEM_ZS_NUMA_LOCAL) >= 1);
	/* Freed on a CPU of another node, a page goes home. */
	for (nid = 0; nid < 3; nid++)
		__free_pages(page[nid], 2);
	__free_pages(local, 5);
	drain_all_pages();
	page_validate();
	for (nid = 0; nid < 3; nid++)
		CHECK(zones[nid].present_pages && zones[nid].free_pages <= zones[nid].present_pages);
}

static void role_fallback(void)
{
	struct page *page;
	uint64_t foreign, missed;

	/* Node 1 is full: node 0 helps, unless that is ruled out. */
	pin_to(1);
	while (alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN | __GFP_NORETRY, 3))
		;
	foreign = vmstat_zone_stat(&zones[1], KMEM_ZS_NUMA_FOREIGN);
	missed = vmstat_zone_stat(&zones[0], KMEM_ZS_NUMA_MISS);
	page = alloc_pages_node(1, GFP_KERNEL, 3);
	CHECK(page && page->node == 0);
	CHECK(vmstat_zone_stat(&zones[1], KMEM_ZS_NUMA_FOREIGN) == foreign + 1);
	CHECK(vmstat_zone_stat(&zones[0], KMEM_ZS_NUMA_MISS) == missed + 1);
	CHECK(vmstat_zone_stat(&zones[0], KMEM_ZS_NUMA_OTHER) >= 1);
}

static void role_dma32(void)
{
	unsigned long nr = 0, p, normal = __get_free_pages(GFP_KERNEL, 3);
	void *kept[64];

	if (!zone_config.dma32)
		_exit(77);
	CHECK(!strcmp(zone_config.dma32->name, "DMA32"));
	CHECK(normal >= UINT64_C(1) << 32);
	p = __get_free_pages(GFP_KERNEL | GFP_DMA32, 3);
	CHECK(p && p + 8 * PAGE_SIZE <= UINT64_C(1) << 32);
	CHECK(zone_of(virt_to_page((void *)p)) == zone_config.dma32);
	free_pages(p, 3);
	p = __get_free_pages(GFP_KERNEL | GFP_DMA, 0);
	CHECK(p && p < UINT64_C(1) << 32);
	free_pages(p, 0);
	drain_all_pages();
	/* 64 MiB, less what min keeps; nothing else serves such a request. */
	while ((p = __get_free_pages(GFP_KERNEL | GFP_DMA32 | __GFP_NOWARN, 10))) {
		CHECK(p + BLOCK_BYTES <= UINT64_C(1) << 32);
		kept[nr++] = (void *)p;
	}
	CHECK(nr == 15 || nr == 16);
	while (nr--)
		free_pages((unsigned long)kept[nr], 10);
	free_pages(normal, 3);
	drain_all_pages();
	page_validate();
}

static void role_no_dma32(void)
{
	unsigned long p = __get_free_pages(GFP_KERNEL | GFP_DMA32, 0);

	CHECK(!zone_config.dma32);
	CHECK(p);
	free_pages(p, 0);
}

/* Before anything was allocated: within the budget, a block for every node. */
static void role_boot(void)
{
	unsigned int i;

	CHECK(zone_config.nr_nodes == 2);
	for (i = 0; i < zone_config.nr_nodes; i++) {
		CHECK(zones[i].present_pages == BLOCK_PAGES && zones[i].present_pages <= zones[i].max_pages);
		CHECK(alloc_pages_node((int)i, GFP_ATOMIC | __GFP_THISNODE, 0));
	}
}

__attribute__((constructor)) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");

	if (!name || strncmp(name, "zone-", 5))
		return;
	if (!strcmp(name, "zone-nodes"))
		role_nodes();
	else if (!strcmp(name, "zone-fallback"))
		role_fallback();
	else if (!strcmp(name, "zone-boot"))
		role_boot();
	else if (!strcmp(name, "zone-dma32"))
		role_dma32();
	else if (!strcmp(name, "zone-no-dma32"))
		role_no_dma32();
	_exit(0);
}

static char out[4096];

#define EXPECT_ROLE(name, options)                                                   \
	do {                                                                         \
		int status = run_role(name, options, NULL, out, sizeof(out));        \
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x: %s", name, status, out); \
	} while (0)

Test(zone, memory_of_every_node)
{
	EXPECT_ROLE("zone-nodes", "nodes=3");
}

Test(zone, a_full_node_is_helped_and_counted)
{
	EXPECT_ROLE("zone-fallback", "nodes=2,limit=64M");
}

Test(zone, every_node_has_memory_from_the_start)
{
	EXPECT_ROLE("zone-boot", "nodes=2");
	EXPECT_ROLE("zone-boot", "nodes=2,limit=8M");
}

Test(zone, dma32_lies_below_4_gib)
{
	int status = run_role("zone-dma32", "dma32=64M", NULL, out, sizeof(out));

	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip("addresses below 4 GiB are taken: %s", out);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x: %s", status, out);
}

Test(zone, without_the_option_dma32_is_ordinary_memory)
{
	EXPECT_ROLE("zone-no-dma32", "");
}
