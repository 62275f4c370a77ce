/* SPDX-License-Identifier: BSD-2-Clause */
/* vmalloc and the kv* family: areas known by every address, sizes beyond the buddy, resizing, misuse. */
#include "support.h"

#include <kmem/vmalloc.h>
#include <sys/resource.h>

#include "page/arena.h"
#include "page/vmstat.h"
#include "page/buddy.h"
#include "slab/kmalloc.h"

#define MIB ((size_t)1 << 20)

static noinline void fill(void *p, size_t bytes)
{
	memset(p, 0x5c, bytes);
}

static uint64_t pages_in_use(void)
{
	cache_shrink_all();
	drain_all_pages();
	return vmstat_stat(KMEM_ZS_ALLOC) - vmstat_stat(KMEM_ZS_FREE) + zones[0].mapped_pages;
}

/* The compiler must not know that a pointer or size is a bad one, nor how many bytes are behind it. */
static void *hidden(const void *p)
{
	void *forgotten;

	__asm__("" : "=r"(forgotten) : "0"(p) : "memory");
	return forgotten;
}

static size_t hidden_size(size_t n)
{
	__asm__("" : "+r"(n));
	return n;
}

static const size_t sizes[] = { 1, 100, 4096, 4097, 3 * 4096, 100000, MIB, 4 * MIB, 4 * MIB + 1, 9 * MIB };

Test(vmalloc, every_address_of_an_area_is_known_and_none_beside_it)
{
	size_t i, at;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t bytes = PAGE_ALIGN(sizes[i]);
		uint8_t *p = vmalloc(sizes[i]);

		cr_assert_not_null(p);
		cr_expect_eq((uintptr_t)p % PAGE_SIZE, 0);
		for (at = 0; at < bytes; at += PAGE_SIZE / 2) {
			cr_assert(is_vmalloc_addr(p + at), "%zu of %zu", at, sizes[i]);
			cr_assert_eq(page_address(vmalloc_to_page(p + at)), p + ALIGN_DOWN(at, PAGE_SIZE));
			cr_assert_eq(vmalloc_to_pfn(p + at), page_to_pfn(virt_to_page(p)) + at / PAGE_SIZE);
		}
		if (sizes[i] <= 4 * MIB)
			cr_expect_not(is_vmalloc_addr(p + bytes), "%zu", sizes[i]);
		fill(p, sizes[i]);
		vfree(p);
		for (at = 0; at < bytes; at += PAGE_SIZE)
			cr_assert_not(is_vmalloc_addr(p + at), "%zu of %zu, freed", at, sizes[i]);
	}
}

Test(vmalloc, other_memory_is_no_area)
{
	int local = 0;
	void *small = kmalloc(64, GFP_KERNEL), *pages = kmalloc(3 * PAGE_SIZE, GFP_KERNEL);
	void *block = (void *)__get_free_pages(GFP_KERNEL, 1);
	const void *others[] = { NULL, ZERO_SIZE_PTR, &local, small, pages, block };
	size_t i;

	for (i = 0; i < ARRAY_LEN(others); i++) {
		cr_expect_not(is_vmalloc_addr(others[i]), "%zu", i);
		cr_expect_null(vmalloc_to_page(others[i]));
		cr_expect_eq(vmalloc_to_pfn(others[i]), 0);
	}
}

Test(vmalloc, areas_hold_only_their_own_pages_and_give_all_back)
{
	uint64_t before = pages_in_use();
	void *p[ARRAY_LEN(sizes)];
	size_t i, want = 0;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		p[i] = vmalloc(sizes[i]);
		want += PAGE_ALIGN(sizes[i]) >> PAGE_SHIFT;
	}
	cr_expect_eq(pages_in_use() - before, want);
	for (i = 0; i < ARRAY_LEN(sizes); i++)
		vfree(p[i]);
	cr_expect_eq(pages_in_use(), before);
}

Test(vmalloc, cleared_when_asked_for)
{
	size_t i;
	int round;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		for (round = 0; round < 2; round++) {
			void *p[] = { vzalloc(sizes[i]), vmalloc_user(sizes[i]), vzalloc_node(sizes[i], 0),
				      vcalloc(sizes[i], 1), __vmalloc(sizes[i], GFP_KERNEL | __GFP_ZERO) };
			size_t at;

			for (at = 0; at < ARRAY_LEN(p); at++) {
				cr_assert(all_bytes(p[at], sizes[i], 0), "%zu, %zu", sizes[i], at);
				fill(p[at], sizes[i]);
			}
			for (at = 0; at < ARRAY_LEN(p); at++)
				vfree_atomic(p[at]);
		}
	}
}

Test(vmalloc, the_other_names_allocate_too)
{
	void *p[] = { vmalloc_node(5000, 0), vmalloc_32(5000), vmalloc_huge(5000, GFP_KERNEL), vmalloc_array(50, 100),
		      __vmalloc_array(50, 100, GFP_KERNEL) };
	size_t i;

	for (i = 0; i < ARRAY_LEN(p); i++) {
		cr_assert_not_null(p[i]);
		cr_expect_eq(large_of(p[i])->nr_pages, 2);
		vfree(p[i]);
	}
}

Test(vmalloc, what_cannot_be_is_null)
{
	cr_expect_null(vmalloc(hidden_size(0)));
	cr_expect_null(vmalloc(hidden_size(SIZE_MAX)));
	cr_expect_null(vmalloc(arena.limit));
	cr_expect_null(vmalloc_array(hidden_size(SIZE_MAX / 2), 3));
	cr_expect_null(vcalloc(hidden_size(SIZE_MAX / 2), 3));
	cr_expect_null(__vmalloc(5 * MIB, GFP_NOWAIT), "no system call without reclaim");
	vfree(NULL);
}

/* Bytes of private writable memory, which RLIMIT_DATA limits. */
static size_t data_bytes(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	size_t kib = 0;

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmData: %zu kB", &kib) == 1)
			break;
	fclose(f);
	return kib << 10;
}

Test(vmalloc, gets_addresses_of_its_own_where_no_whole_block_is_to_be_had)
{
	struct rlimit limit;
	uint8_t *p, *q;

	while (alloc_pages(GFP_NOWAIT, 9))
		continue;
	limit.rlim_cur = limit.rlim_max = data_bytes() + 3 * MIB + MIB / 2;
	cr_assert_eq(setrlimit(RLIMIT_DATA, &limit), 0);
	cr_expect_null(kmalloc(3 * MIB, GFP_KERNEL));
	p = kvmalloc(3 * MIB, GFP_KERNEL);
	cr_assert_not_null(p);
	cr_expect(is_vmalloc_addr(p));
	fill(p, 3 * MIB);
	kvfree(p);
	q = vmalloc(3 * MIB);
	cr_expect_not_null(q);
	vfree(q);
}

Test(vmalloc, misuse_is_reported_and_the_memory_left_alone)
{
	uint8_t *small = kmalloc(64, GFP_KERNEL), *area = vmalloc(3 * PAGE_SIZE);
	const char *text;

	capture_start();
	vfree(hidden(small + 8));
	text = capture_end();
	cr_expect(strstr(text, "BUG: Trying to vfree() bad address"), "%s", text);
	capture_start();
	vfree(hidden(area + PAGE_SIZE));
	text = capture_end();
	cr_expect(strstr(text, "BUG: Trying to vfree() nonexistent vm area"), "%s", text);
	vfree(area);
	capture_start();
	vfree(hidden(area));
	cr_expect_null(vrealloc(hidden(area), 100, GFP_KERNEL));
	text = capture_end();
	cr_expect(strstr(text, "BUG: Trying to vfree() nonexistent vm area"), "%s", text);
	cr_expect(strstr(text, "BUG: Trying to vrealloc() nonexistent vm area"), "%s", text);
	cr_expect(arena_contains(small));
	kfree(small);
}

/* ---- resize ---- */

Test(vmalloc, vrealloc_keeps_content_over_every_pair_of_sizes)
{
	size_t from, to;

	for (from = 0; from < ARRAY_LEN(sizes); from++) {
		for (to = 0; to < ARRAY_LEN(sizes); to++) {
			uint8_t *p = vmalloc(sizes[from]), *q;

			fill(p, sizes[from]);
			q = vrealloc(p, sizes[to], GFP_KERNEL);
			cr_assert_not_null(q);
			cr_assert(all_bytes(q, MIN(sizes[from], sizes[to]), 0x5c), "%zu -> %zu", sizes[from], sizes[to]);
			cr_assert(is_vmalloc_addr(q + sizes[to] - 1));
			if (sizes[to] <= sizes[from])
				cr_assert_eq(q, p);
			fill(q, sizes[to]);
			vfree(q);
		}
	}
	cr_expect_eq(zones[0].mapped_pages, 0);
}

Test(vmalloc, vrealloc_with_zero_clears_what_is_new)
{
	uint8_t *p = vzalloc(100), *q;

	fill(p, 100);
	p = hidden(vrealloc(p, 50, GFP_KERNEL | __GFP_ZERO));
	cr_expect(all_bytes(p, 50, 0x5c));
	cr_expect(all_bytes(p + 50, PAGE_SIZE - 50, 0));
	q = vrealloc(p, 20 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(q, 50, 0x5c));
	cr_expect(all_bytes(q + 50, 20 * PAGE_SIZE - 50, 0));
	q = vrealloc(q, 30 * MIB, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(q + 50, 30 * MIB - 50, 0));
	q = vrealloc(q, 50 * MIB, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(q, 50, 0x5c));
	cr_expect(all_bytes(q + 50, 50 * MIB - 50, 0));
	cr_expect_null(vrealloc(q, 0, GFP_KERNEL));
	q = vrealloc(NULL, 100, GFP_KERNEL);
	cr_expect_not_null(q);
	vfree(q);
}

Test(vmalloc, a_failed_vrealloc_loses_nothing)
{
	uint8_t *small = vmalloc(5000), *large = vmalloc(6 * MIB);

	fill(small, 5000);
	fill(large, 6 * MIB);
	cr_expect_null(vrealloc(small, arena.limit, GFP_KERNEL));
	cr_expect_null(vrealloc(large, arena.limit, GFP_KERNEL));
	cr_expect(all_bytes(small, 5000, 0x5c));
	cr_expect(all_bytes(large, 6 * MIB, 0x5c));
	cr_expect(is_vmalloc_addr(large));
	vfree(small);
	vfree(large);
}

/* ---- kv* ---- */

Test(vmalloc, kvmalloc_chooses_by_size_and_kvfree_takes_all)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		void *p[] = { kvmalloc(sizes[i], GFP_KERNEL), kvzalloc(sizes[i], GFP_KERNEL),
			      kvmalloc_node(sizes[i], GFP_KERNEL, 0), kvcalloc(sizes[i], 1, GFP_KERNEL),
			      kvmalloc_array(1, sizes[i], GFP_KERNEL), vmalloc(sizes[i]) };
		size_t at;

		cr_expect_eq(is_vmalloc_addr(p[0]), sizes[i] > 4 * MIB);
		cr_expect(all_bytes(p[1], sizes[i], 0));
		cr_expect(all_bytes(p[3], sizes[i], 0));
		for (at = 0; at < ARRAY_LEN(p); at++) {
			cr_assert_not_null(p[at]);
			fill(p[at], sizes[i]);
			kvfree(p[at]);
		}
	}
	cr_expect_null(kvmalloc_array(hidden_size(SIZE_MAX / 2), 3, GFP_KERNEL));
	cr_expect_null(kvmalloc(hidden_size((size_t)INT32_MAX + 1), GFP_KERNEL));
}

Test(vmalloc, kvrealloc_crosses_from_one_kind_to_the_other)
{
	uint8_t *p = kvmalloc(100, GFP_KERNEL);

	fill(p, 100);
	p = kvrealloc(p, 50000, GFP_KERNEL);
	cr_expect(all_bytes(p, 100, 0x5c));
	cr_expect_not(is_vmalloc_addr(p));
	fill(p, 50000);
	p = kvrealloc(p, 7 * MIB, GFP_KERNEL);
	cr_expect(all_bytes(p, 50000, 0x5c));
	cr_expect(is_vmalloc_addr(p));
	p = kvrealloc(p, 100, GFP_KERNEL);
	cr_expect(is_vmalloc_addr(p));
	cr_expect_null(kvrealloc(p, 0, GFP_KERNEL));
	cr_expect_eq(zones[0].mapped_pages, 0);
	p = kvrealloc(NULL, 5 * MIB, GFP_KERNEL);
	cr_expect_not_null(p);
	cr_expect_null(kvrealloc(p, arena.limit, GFP_KERNEL));
	kvfree(p);
}

Test(vmalloc, kvfree_sensitive_clears_first)
{
	uint8_t *p = kvmalloc(64, GFP_KERNEL);

	pin_to(0);
	fill(p, 64);
	kvfree_sensitive(p, 64);
	cr_expect(all_bytes(hidden(p), 64, 0));
	kvfree_sensitive(NULL, 0);
	kvfree_sensitive(ZERO_SIZE_PTR, 0);
}

/* ---- nodes ---- */

/* No Criterion before main(). */
#define CHECK(condition)                                         \
	do {                                                     \
		if (!(condition)) {                              \
			printf("%d: %s\n", __LINE__, #condition); \
			exit(1);                                 \
		}                                                \
	} while (0)

static int node_of_memory(const void *p)
{
	return page_to_nid(virt_to_page(p));
}

__attribute__((constructor(200))) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");
	int nid;
	size_t i;

	if (!name || strcmp(name, "areas_on_nodes"))
		return;
	for (nid = 0; nid < 2; nid++) {
		for (i = 0; i < ARRAY_LEN(sizes); i++) {
			void *p = vmalloc_node(sizes[i], nid), *q = kvmalloc_node(sizes[i], GFP_KERNEL, nid);

			CHECK(p && q && node_of_memory(p) == nid && node_of_memory(q) == nid);
			p = vrealloc(p, sizes[i] + 1, GFP_KERNEL);
			CHECK(p);
			kvfree(p);
			kvfree(q);
		}
		CHECK(node_of_memory(kmalloc_node(20000, GFP_KERNEL | __GFP_THISNODE, nid)) == nid);
	}
	CHECK(vmalloc_node(100, 5));
	CHECK(kmalloc_node(20000, GFP_KERNEL, 5));
	CHECK(!kmalloc_node(20000, GFP_KERNEL | __GFP_THISNODE, 5));
	CHECK(!kvmalloc_node(9 * MIB, GFP_KERNEL | __GFP_THISNODE, 5));
	printf("passed");
	exit(0);
}

Test(vmalloc, memory_comes_from_the_node_asked_for)
{
	char out[4096];

	cr_expect_eq(run_role("areas_on_nodes", "nodes=2", NULL, out, sizeof(out)), 0);
	cr_expect_str_eq(out, "passed");
}
