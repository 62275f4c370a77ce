/* SPDX-License-Identifier: BSD-2-Clause */
/* The files to the byte, from an arena made by hand; their heads as the running kernel's. */
#include "text/arena.h"

#include "text/pages.h"

static char buf[1 << 16];

static const char *file(int (*print)(struct text *, const struct text_source *))
{
	struct text t = text_init(buf, sizeof(buf));

	cr_assert_eq(print(&t, &source), 0);
	cr_assert_eq(strlen(buf), t.len);
	return buf;
}

static void free_blocks(unsigned int nid, unsigned int order, unsigned int type, uint32_t nr)
{
	zones[nid].free_list[order][type].nr = nr;
	zones[nid].free_pages += (uint64_t)nr << order;
}

static void setup(void)
{
	arena_setup(2);
	free_blocks(0, 0, 0, 5);
	free_blocks(0, 0, 2, 1);
	free_blocks(0, 3, 1, 4656);
	free_blocks(1, 10, 0, 123456);
	put_block(1024, KMEM_PAGE_PCP, 0);
	put_block(1025, KMEM_PAGE_PCP, 0);
	set_zone(3072, 1);
	put_block(3072, KMEM_PAGE_PCP, 2);
	put_block(1032, KMEM_PAGE_SLAB, 3)->migratetype = 2;
	put_block(1040, KMEM_PAGE_SLAB, 1);
	put_block(2048, KMEM_PAGE_LARGE, 4);
	put_block(3076, KMEM_PAGE_PAGES, 1);
}

TestSuite(pages, .init = setup);

Test(pages, buddyinfo)
{
	cr_expect_str_eq(file(text_buddyinfo),
		"Node 0, zone   Normal      6      0      0   4656      0      0      0      0      0      0      0 \n"
		"Node 1, zone   Normal      0      0      0      0      0      0      0      0      0      0 123456 \n");
}

Test(pages, pcpinfo)
{
	cr_expect_str_eq(file(text_pcpinfo),
		"Node 0, zone   Normal      2      0      0      0      0      0      0      0      0      0      0 \n"
		"Node 1, zone   Normal      0      0      1      0      0      0      0      0      0      0      0 \n");
}

Test(pages, pagetypeinfo)
{
	pageblocks[2] = 1;
	cr_expect_str_eq(file(text_pagetypeinfo),
		"Page block order: 9\n"
		"Pages per block:  512\n"
		"\n"
		"Free pages count per migrate type at order       0      1      2      3      4      5      6      7      8      9     10 \n"
		"Node    0, zone   Normal, type    Unmovable      5      0      0      0      0      0      0      0      0      0      0 \n"
		"Node    0, zone   Normal, type      Movable      0      0      0   4656      0      0      0      0      0      0      0 \n"
		"Node    0, zone   Normal, type  Reclaimable      1      0      0      0      0      0      0      0      0      0      0 \n"
		"Node    0, zone   Normal, type   HighAtomic      0      0      0      0      0      0      0      0      0      0      0 \n"
		"Node    1, zone   Normal, type    Unmovable      0      0      0      0      0      0      0      0      0      0 >100000 \n"
		"Node    1, zone   Normal, type      Movable      0      0      0      0      0      0      0      0      0      0      0 \n"
		"Node    1, zone   Normal, type  Reclaimable      0      0      0      0      0      0      0      0      0      0      0 \n"
		"Node    1, zone   Normal, type   HighAtomic      0      0      0      0      0      0      0      0      0      0      0 \n"
		"\n"
		"Number of blocks type     Unmovable      Movable  Reclaimable   HighAtomic \n"
		"Node 0, zone   Normal            3            1            0            0 \n"
		"Node 1, zone   Normal            2            0            0            0 \n");
}

/* 6 pages in 6 blocks and 37248 in 4656: an allocation of order 3 cannot use the first, one of order 4 none. */
Test(pages, unusable_index)
{
	cr_expect_str_eq(file(text_unusable_index),
		"Node 0, zone   Normal 0.000 0.000 0.000 0.000 1.000 1.000 1.000 1.000 1.000 1.000 1.000 \n"
		"Node 1, zone   Normal 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 \n");
	free_blocks(0, 0, 0, 37248);
	cr_expect_eq(strncmp(file(text_unusable_index), "Node 0, zone   Normal 0.000 0.500 0.500 0.500 1.000", 51), 0);
}

Test(pages, extfrag_index)
{
	cr_expect_str_eq(file(text_extfrag_index),
		"Node 0, zone   Normal -1.000 -1.000 -1.000 -1.000  0.501  0.751  0.875  0.938  0.969  0.985  0.992 \n"
		"Node 1, zone   Normal -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 \n");
	arena_setup(1);
	cr_expect_eq(strncmp(file(text_extfrag_index), "Node 0, zone   Normal  0.000  0.000 ", 36), 0, "nothing is free");
}

static unsigned long counter(const char *text, const char *name)
{
	char line[64];
	const char *at;

	snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(text, line);
	cr_assert_not_null(at, "no %s", name);
	return strtoul(at + strlen(line), NULL, 10);
}

Test(pages, vmstat)
{
	const char *text;

	zones[0].stat[KMEM_ZS_ALLOC] = 100;
	zones[1].stat[KMEM_ZS_ALLOC] = 11;
	zones[0].stat[KMEM_ZS_FREE] = 22;
	zones[1].stat[KMEM_ZS_NUMA_MISS] = 7;
	text = file(text_vmstat);
	cr_expect_eq(strncmp(text, "nr_free_pages 126456198\n", 24), 0, "%.24s", text);
	cr_expect_eq(counter(text, "nr_slab_reclaimable"), 8);
	cr_expect_eq(counter(text, "nr_slab_unreclaimable"), 2);
	cr_expect_eq(counter(text, "pgalloc_normal"), 111);
	cr_expect_eq(counter(text, "pgfree"), 22);
	cr_expect_eq(counter(text, "numa_miss"), 7);
	cr_expect_eq(counter(text, "kmem_pcp_pages"), 6);
	cr_expect_eq(counter(text, "kmem_large_pages"), 16);
	cr_expect_eq(counter(text, "kmem_alloc_pages"), 2);
}

Test(pages, zoneinfo)
{
	static struct kmem_pcp pcps[2] = {
		{ .count = 3, .high = 100, .batch = 63, .high_min = 90, .high_max = 200, .stat = { [KMEM_ZS_NUMA_HIT] = 4 } },
	};

	arena_setup(1);
	root.pcps = (uintptr_t)pcps;
	set_zone(2048, 0);
	free_blocks(0, 0, 0, 7);
	zones[0].present_pages = 1024;
	zones[0].max_pages = UINT64_MAX;
	zones[0].watermark_boost = 1;
	zones[0].stat[KMEM_ZS_NUMA_HIT] = 38;
	for (int i = 0; i < KMEM_NR_WMARKS; i++)
		zones[0].watermark[i] = 10 * (uint64_t)(i + 1);
	put_block(2048, KMEM_PAGE_SLAB, 3);
	cr_expect_str_eq(file(text_zoneinfo),
		"Node 0, zone   Normal\n"
		"  per-node stats\n"
		"      nr_slab_reclaimable 0\n"
		"      nr_slab_unreclaimable 8\n"
		"  pages free     7\n"
		"        boost    1\n"
		"        min      11\n"
		"        low      21\n"
		"        high     31\n"
		"        promo    41\n"
		"        spanned  1024\n"
		"        present  1024\n"
		"        managed  1024\n"
		"        cma      0\n"
		"        protection: (0)\n"
		"      nr_free_pages 7\n"
		"      numa_hit     42\n"
		"      numa_miss    0\n"
		"      numa_foreign 0\n"
		"      numa_local   0\n"
		"      numa_other   0\n"
		"  pagesets\n"
		"    cpu: 0\n"
		"              count:    3\n"
		"              high:     100\n"
		"              batch:    63\n"
		"              high_min: 90\n"
		"              high_max: 200\n"
		"    cpu: 1\n"
		"              count:    0\n"
		"              high:     0\n"
		"              batch:    0\n"
		"              high_min: 0\n"
		"              high_max: 0\n"
		"  node_unreclaimable:  0\n"
		"  start_pfn:           2048\n");
}

/* Every line of ours but the numbers is one of the running kernel's zoneinfo, blanks included. */
Test(pages, zoneinfo_has_the_kernel_s_lines)
{
	static struct kmem_pcp pcps[2];
	char *kernel = calloc(1, 1 << 20);
	FILE *f = fopen("/proc/zoneinfo", "r");
	const char *line;

	cr_assert_not_null(kernel);
	if (!f || !fread(kernel, 1, (1 << 20) - 1, f))
		return;
	fclose(f);
	arena_setup(1);
	root.pcps = (uintptr_t)pcps;
	set_zone(2048, 0);
	for (line = file(text_zoneinfo); *line; line = strchr(line, '\n') + 1) {
		char start[80];

		snprintf(start, sizeof(start), "\n%.*s", (int)strcspn(line, "0123456789(\n"), line);
		if (strncmp(line, "Node", 4) && !strstr(line, "promo") && !strstr(line, "high_m"))
			cr_expect_not_null(strstr(kernel, start), "%s", start);
	}
	free(kernel);
}

/* The kernel's line that begins like ours must be a continuation of the same words. */
Test(pages, heads_are_the_running_kernel_s)
{
	FILE *f = fopen("/proc/pagetypeinfo", "r");
	char line[512];
	const char *ours = file(text_pagetypeinfo);
	unsigned int i;

	for (i = 0; f && i < 4 && fgets(line, sizeof(line), f); i++) {
		cr_expect_eq(strncmp(ours, line, strlen(line)), 0, "%s", line);
		ours = strchr(ours, '\n') + 1;
	}
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Number of", 9))
			cr_expect_eq(strncmp(line, "Number of blocks type     Unmovable      Movable  Reclaimable ", 62), 0);
	if (f)
		fclose(f);
}

Test(pages, a_failed_read_is_told)
{
	int (*const files[])(struct text *, const struct text_source *) = { text_buddyinfo, text_pcpinfo,
		text_pagetypeinfo, text_unusable_index, text_extfrag_index, text_vmstat, text_zoneinfo };
	size_t i;

	for (i = 0; i < ARRAY_LEN(files); i++) {
		struct text t = text_init(buf, sizeof(buf));

		reads_left = 0;
		cr_expect_eq(files[i](&t, &source), -ESRCH);
	}
}
