/* SPDX-License-Identifier: BSD-2-Clause */
/* Region pools: nodes and blocks, skipping, alignment, fixed buffers, cleanup, counters, misuse, failures. */
#include "support.h"

#include <errno.h>

#include <kmem/fault.h>
#include <kmem/mp_pool.h>
#include <kmem/slab.h>

#include "base/trace.h"
#include "pool/table.h"
#include "slab/kmalloc.h"

static struct mp_stats stats_of(const struct mp_pool *pool)
{
	struct mp_stats s;

	mp_stats(pool, &s);
	return s;
}

static uint64_t in_use(struct kmem_cache *s)
{
	struct kmem_cache_stat stat;

	kmem_cache_stat(s, &stat);
	return stat.active;
}

/* Of all kmalloc() caches of smaller objects. */
static uint64_t in_use_below(size_t size)
{
	uint64_t live = 0;

	for (size /= 2; size >= 8; size /= 2)
		live += in_use(kmalloc_cache(size, GFP_KERNEL)) + in_use(kmalloc_cache(size * 3 / 4, GFP_KERNEL));
	return live;
}

static struct mp_pool *make(size_t size)
{
	struct mp_pool *pool = mp_create_pool(size);

	cr_assert_not_null(pool);
	return pool;
}

static void *hidden(const void *p)
{
	void *forgotten;

	__asm__("" : "=r"(forgotten) : "0"(p) : "memory");
	return forgotten;
}

static bool is_aligned(const void *p, size_t alignment)
{
	return p && ((uintptr_t)p & (alignment - 1)) == 0;
}

/* ---- pieces ---- */

Test(mp_pool, pieces_follow_each_other)
{
	struct mp_pool *pool = make(4096);
	char *a = mp_alloc(pool, 24), *b = mp_alloc(pool, 16), *c = mp_nalloc(pool, 3), *d = mp_nalloc(pool, 5);

	cr_expect(is_aligned(a, MP_ALIGNMENT));
	cr_expect_eq(b, a + 32);
	cr_expect_eq(c, b + 16);
	cr_expect_eq(d, c + 3, "without alignment there is no gap");
	cr_expect_eq((char *)mp_alloc(pool, 1), c + 16);
	cr_expect_eq(stats_of(pool).nodes, 1);
	mp_destroy_pool(pool);
}

Test(mp_pool, cleared_pieces_are_cleared)
{
	struct mp_pool *pool = make(1024);
	uint8_t *p = mp_alloc(pool, 500);

	memset(p, 7, 500);
	mp_reset_pool(pool);
	cr_expect_eq(mp_alloc(pool, 100), p, "the node is used again");
	cr_expect_eq(p[99], 7);
	p = mp_calloc(pool, 300);
	cr_expect(all_bytes(p, 300, 0));
	p = mp_calloc(pool, 100000);
	cr_expect(all_bytes(p, 100000, 0));
	mp_destroy_pool(pool);
}

Test(mp_pool, nothing_is_one_byte)
{
	struct mp_pool *pool = make(1024);
	char *a = mp_nalloc(pool, 0), *b = mp_nalloc(pool, 0);

	cr_expect(a && b && a != b);
	cr_expect(mp_alloc(pool, 0) && mp_calloc(pool, 0) && mp_memalign(pool, 0, 64));
	cr_expect_eq(stats_of(pool).current_allocated, 5);
	mp_destroy_pool(pool);
}

Test(mp_pool, every_alignment_is_kept)
{
	struct mp_pool *pool = make(2000);
	void *piece[100];
	uint64_t seed = 1;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		size_t alignment = (size_t)1 << random_next(&seed) % 16, size = random_next(&seed) % 6000;
		uint8_t *p = mp_memalign(pool, size, alignment);

		cr_assert(is_aligned(p, alignment), "%zu bytes aligned to %zu: %p", size, alignment, (void *)p);
		memset(p, (int)i, size);
		cr_assert(is_aligned(mp_alloc(pool, size % 500), MP_ALIGNMENT));
		cr_assert(is_aligned(mp_alloc(pool, size * 3), MP_ALIGNMENT));
	}
	cr_expect(is_aligned(mp_memalign(pool, 10, (size_t)8 << 20), (size_t)8 << 20));
	mp_destroy_pool(pool);
	/* Blocks of their own in kmalloc()'s classes of 96 and 192 bytes, which lie anywhere. */
	pool = make(MP_MIN_POOL_SIZE);
	for (i = 0; i < 100; i++) {
		piece[i] = mp_memalign(pool, i % 2 ? 150 : 90, 128);
		cr_assert(is_aligned(piece[i], 128));
		memset(piece[i], (int)i, i % 2 ? 150 : 90);
	}
	for (i = 0; i < 100; i++)
		cr_expect(all_bytes(piece[i], i % 2 ? 150 : 90, (uint8_t)i));
	cr_expect_eq(stats_of(pool).blocks, 100);
	mp_destroy_pool(pool);
}

/* Each piece is filled with its number; at the end all still hold it. */
Test(mp_pool, pieces_never_overlap)
{
	enum { PIECES = 3000 };
	static struct {
		uint8_t *p;
		size_t size;
	} piece[PIECES];
	struct mp_pool *pool = make(1024);
	uint64_t seed = 42;
	unsigned int i;

	for (i = 0; i < PIECES; i++) {
		piece[i].size = 1 + random_next(&seed) % (i % 50 ? 300 : 9000);
		piece[i].p = i % 3 ? mp_alloc(pool, piece[i].size) : mp_nalloc(pool, piece[i].size);
		memset(piece[i].p, (int)(i % 251), piece[i].size);
	}
	for (i = 0; i < PIECES; i++)
		cr_assert(all_bytes(piece[i].p, piece[i].size, (uint8_t)(i % 251)), "%u", i);
	mp_destroy_pool(pool);
}

/* ---- nodes ---- */

Test(mp_pool, a_tiny_node_is_made_larger)
{
	struct mp_pool *pool = make(0);

	cr_expect_eq(stats_of(pool).held, MP_MIN_POOL_SIZE);
	cr_expect_not_null(mp_alloc(pool, 100));
	mp_destroy_pool(pool);
	pool = make((size_t)6 << 20);
	cr_expect_eq(stats_of(pool).held, (uint64_t)6 << 20, "a node that kmalloc() would not give");
	cr_expect_not_null(mp_alloc(pool, 100));
	mp_destroy_pool(pool);
	cr_expect_null(mp_create_pool(SIZE_MAX));
	cr_expect_null(mp_create_pool(SIZE_MAX / 2));
}

Test(mp_pool, the_split_between_small_and_large)
{
	struct mp_pool *pool = make(16384);

	cr_expect_not_null(mp_alloc(pool, PAGE_SIZE));
	cr_expect_eq(stats_of(pool).blocks, 0);
	cr_expect_not_null(mp_alloc(pool, PAGE_SIZE + 1));
	cr_expect_eq(stats_of(pool).blocks, 1);
	mp_destroy_pool(pool);
	pool = make(1024);
	cr_expect_not_null(mp_alloc(pool, 1024));
	cr_expect_eq(stats_of(pool).blocks, 1, "more than a node holds");
	cr_expect_not_null(mp_alloc(pool, 900));
	cr_expect_eq(stats_of(pool).blocks, 1);
	cr_expect_eq(stats_of(pool).nodes, 1);
	mp_destroy_pool(pool);
}

Test(mp_pool, a_node_that_failed_too_often_is_skipped)
{
	struct mp_pool *pool = make(1024);
	char *first = mp_alloc(pool, 700), *p;
	unsigned int i;

	/* 700 of 976 bytes: a second piece of that size needs a node of its own. */
	for (i = 0; i <= MP_MAX_FAILED; i++) {
		p = mp_nalloc(pool, 10);
		cr_expect(p > first && p < first + 1024, "after %u failed searches the first node still serves", i);
		cr_assert_not_null(mp_alloc(pool, 700));
	}
	p = mp_nalloc(pool, 10);
	cr_expect(p < first || p > first + 1024, "now it is skipped, though there is room");
	cr_expect_eq(stats_of(pool).nodes, MP_MAX_FAILED + 2);
	mp_reset_pool(pool);
	cr_expect_eq(mp_alloc(pool, 700), first, "a reset forgets it");
	for (i = 0; i <= MP_MAX_FAILED; i++)
		cr_assert_not_null(mp_alloc(pool, 700));
	cr_assert_not_null(mp_alloc(pool, 960));
	p = mp_nalloc(pool, 10);
	cr_expect(p > first && p < first + 1024, "and that it ever failed: the nodes that there are had room");
	mp_destroy_pool(pool);
}

Test(mp_pool, reset_keeps_the_nodes_and_frees_the_blocks)
{
	struct mp_pool *pool = make(1024);
	unsigned int i, nodes;
	uint64_t held;

	for (i = 0; i < 100; i++)
		cr_assert(mp_alloc(pool, 300) && mp_alloc(pool, i % 10 ? 10 : 20000));
	nodes = stats_of(pool).nodes;
	held = (uint64_t)nodes * 1024;
	cr_expect_gt(nodes, 20);
	cr_expect_eq(stats_of(pool).blocks, 10);
	cr_expect_eq(stats_of(pool).held, held + 10 * 20000);
	mp_reset_pool(pool);
	cr_expect_eq(stats_of(pool).blocks, 0);
	cr_expect_eq(stats_of(pool).held, held);
	for (i = 0; i < 50; i++)
		cr_assert_not_null(mp_alloc(pool, 300));
	cr_expect_eq(stats_of(pool).nodes, nodes, "no new ones are needed");
	mp_destroy_pool(pool);
}

/* ---- blocks ---- */

Test(mp_pool, blocks_can_be_freed_alone)
{
	struct mp_pool *pool = make(1024);
	void *block[5], *small = mp_alloc(pool, 10);
	unsigned int i;

	for (i = 0; i < 5; i++)
		block[i] = mp_alloc(pool, 5000 + i);
	cr_expect(mp_free(pool, block[2]));
	cr_expect(mp_free(pool, block[0]));
	cr_expect(mp_free(pool, block[4]));
	cr_expect_not(mp_free(pool, small), "it stays");
	cr_expect_not(mp_free(pool, NULL));
	cr_expect_eq(stats_of(pool).blocks, 2);
	cr_expect_eq(stats_of(pool).current_allocated, 5001 + 5003 + 10);
	cr_expect_eq(stats_of(pool).free_count, 3);
	/* Their records serve again: this takes nothing from the node. */
	small = mp_nalloc(pool, 1);
	for (i = 0; i < 3; i++)
		block[i] = mp_alloc(pool, 6000);
	cr_expect_eq(mp_nalloc(pool, 1), (char *)small + 1);
	mp_destroy_pool(pool);
}

Test(mp_pool, everything_goes_back_to_kmalloc)
{
	struct kmem_cache *s = kmalloc_cache(1000, GFP_KERNEL), *l = kmalloc_cache(5000, GFP_KERNEL);
	uint64_t live[2] = { in_use(s), in_use(l) };
	struct mp_pool *pool;
	unsigned int i;

	pool = make(1000);
	for (i = 0; i < 100; i++) {
		void *block = mp_alloc(pool, 5000);

		cr_assert(mp_alloc(pool, 400) && block);
		if (i % 3 == 0)
			mp_free(pool, block);
	}
	cr_expect_eq(in_use(s), live[0] + stats_of(pool).nodes);
	cr_expect_eq(in_use(l), live[1] + stats_of(pool).blocks);
	mp_destroy_pool(pool);
	cr_expect_eq(in_use(s), live[0]);
	cr_expect_eq(in_use(l), live[1]);
}

/* ---- sizes that overflow ---- */

Test(mp_pool, impossible_sizes_fail)
{
	struct mp_pool *pool = make(1024);
	volatile size_t huge = SIZE_MAX;
	void *p;

	cr_expect_null(p = mp_alloc(pool, huge));
	cr_expect_null(p = mp_nalloc(pool, huge - 7));
	cr_expect_null(p = mp_calloc(pool, huge / 2));
	cr_expect_null(p = mp_memalign(pool, huge - 100, 4096));
	cr_expect_null(p = mp_memalign(pool, 100, huge / 2 + 1));
	cr_expect_null(p = mp_alloc_array(pool, huge / 8, 9), "the product overflows");
	cr_expect_null(p = mp_calloc_array(pool, huge / 3, huge / 3));
	cr_expect_eq(stats_of(pool).failed_count, 7);
	cr_expect_eq(stats_of(pool).allocation_count, 0);
	cr_expect_eq(mp_array_size(6, 7), 42);
	cr_expect_not_null(p = mp_calloc_array(pool, 6, 7));
	cr_expect(all_bytes(p, 42, 0));
	mp_destroy_pool(pool);
}

Test(mp_pool, alignments_that_are_none)
{
	struct mp_pool *pool = make(1024);
	void *p;

	capture_start();
	cr_expect_null(p = mp_memalign(pool, 10, 0));
	cr_expect_null(p = mp_memalign(pool, 10, 48));
	cr_expect_str_eq(capture_end(), "kmem: mp_memalign(mp_pool-0, 10, 0): the alignment must be a power of two\n"
					"kmem: mp_memalign(mp_pool-0, 10, 48): the alignment must be a power of two\n");
	cr_expect_eq(stats_of(pool).failed_count, 2);
	mp_destroy_pool(pool);
}

/* ---- fixed buffers ---- */

Test(mp_pool, a_fixed_pool_uses_its_buffer_and_nothing_else)
{
	static uint8_t around[64 + 10000 + 64] __attribute__((aligned(64)));
	uint8_t *buffer = around + 64;
	struct mp_pool *pool;
	void *p;

	memset(around, 0xee, sizeof(around));
	pool = mp_create_fixed_pool(buffer, 10000);
	cr_assert_not_null(pool);
	cr_expect_eq(mp_alloc(pool, 6000), buffer, "large or not");
	cr_expect(is_aligned(mp_memalign(pool, 100, 1024), 1024));
	cr_expect_null(p = mp_alloc(pool, 4000));
	while ((p = mp_nalloc(pool, 1)))
		memset(p, 1, 1);
	cr_expect_eq(buffer[9999], 1, "to the last byte");
	cr_expect(all_bytes(around, 64 + 6000, 0xee), "nothing was written between the pieces");
	cr_expect(all_bytes(around + 10064, 64, 0xee));
	cr_expect_eq(stats_of(pool).failed_count, 2);
	cr_expect_eq(stats_of(pool).nodes, 1);
	cr_expect_eq(stats_of(pool).blocks, 0);
	cr_expect_eq(stats_of(pool).held, 10000);
	cr_expect_not(mp_free(pool, buffer));
	mp_reset_pool(pool);
	cr_expect_eq(mp_alloc(pool, 10000), buffer);
	mp_destroy_pool(pool);
}

Test(mp_pool, a_fixed_pool_at_any_address_and_of_any_size)
{
	static uint8_t buffer[100] __attribute__((aligned(16)));
	struct mp_pool *pool = mp_create_fixed_pool(buffer + 3, 50);
	void *p;

	cr_expect_eq(mp_alloc(pool, 1), buffer + 16);
	cr_expect_eq(mp_nalloc(pool, 1), buffer + 17);
	mp_destroy_pool(pool);
	pool = mp_create_fixed_pool(buffer, 0);
	cr_assert_not_null(pool);
	cr_expect_null(p = mp_nalloc(pool, 0));
	cr_expect_eq(mp_cleanup_add(pool, free, NULL), -ENOMEM);
	mp_destroy_pool(pool);
	capture_start();
	cr_expect_null(mp_create_fixed_pool(NULL, 10));
	cr_expect_null(mp_create_fixed_pool((void *)0x1000, SIZE_MAX));
	cr_expect_str_eq(capture_end(), "kmem: mp_create_fixed_pool(0x0, 10): there is no buffer\n"
					"kmem: mp_create_fixed_pool(0x1000, 18446744073709551615): it wraps around\n");
}

/* ---- cleanup ---- */

static char order[16];
static struct mp_pool *cleaned;

static void note(void *data)
{
	order[strlen(order)] = *(const char *)data;
}

static void allocate_inside(void *data)
{
	note(mp_alloc(cleaned, 10) ? data : "!");
}

static void add_inside(void *data)
{
	note(mp_cleanup_add(cleaned, note, "z") ? "!" : data);
}

static void destroy_inside(void *data)
{
	(void)data;
	mp_reset_pool(cleaned);
	mp_destroy_pool(cleaned);
}

Test(mp_pool, handlers_run_in_reverse_order_at_reset_and_destroy)
{
	struct mp_pool *pool = make(1024);
	char *name = mp_nalloc(pool, 2);

	strcpy(name, "a");
	cr_expect_eq(mp_cleanup_add(pool, note, name), 0);
	cr_expect_eq(mp_cleanup_add(pool, note, "b"), 0);
	cr_expect_eq(mp_cleanup_add(pool, note, "c"), 0);
	mp_reset_pool(pool);
	cr_expect_str_eq(order, "cba");
	mp_reset_pool(pool);
	cr_expect_str_eq(order, "cba", "once");
	cr_expect_eq(mp_cleanup_add(pool, note, "d"), 0);
	mp_destroy_pool(pool);
	cr_expect_str_eq(order, "cbad");
}

Test(mp_pool, handlers_may_use_the_pool_but_not_end_it)
{
	cleaned = make(1024);
	cr_assert_eq(mp_cleanup_add(cleaned, allocate_inside, "x"), 0);
	cr_assert_eq(mp_cleanup_add(cleaned, add_inside, "y"), 0);
	cr_assert_eq(mp_cleanup_add(cleaned, destroy_inside, NULL), 0);
	capture_start();
	mp_reset_pool(cleaned);
	cr_expect_str_eq(capture_end(),
		"kmem: BUG mp_pool mp_pool-0: mp_reset_pool() in one of its cleanup handlers; it was ignored\n"
		"kmem: BUG mp_pool mp_pool-0: mp_destroy_pool() in one of its cleanup handlers; it was ignored\n");
	cr_expect_str_eq(order, "yzx");
	mp_destroy_pool(cleaned);
}

/* ---- counters ---- */

Test(mp_pool, counters)
{
	struct mp_pool *pool = make(1024);
	void *block = mp_alloc(pool, 10000), *p;
	struct mp_stats s;

	cr_assert(mp_alloc(pool, 100) && mp_nalloc(pool, 1));
	s = stats_of(pool);
	cr_expect_eq(s.total_allocated, 10101);
	cr_expect_eq(s.current_allocated, 10101);
	cr_expect_eq(s.peak_allocated, 10101);
	cr_expect_eq(s.allocation_count, 3);
	cr_expect_eq(s.free_count, 0);
	mp_free(pool, block);
	s = stats_of(pool);
	cr_expect_eq(s.current_allocated, 101);
	cr_expect_eq(s.peak_allocated, 10101);
	cr_expect_eq(s.free_count, 1);
	cr_assert_not_null(p = mp_alloc(pool, 5000));
	cr_expect_eq(stats_of(pool).peak_allocated, 10101);
	mp_reset_pool(pool);
	s = stats_of(pool);
	cr_expect_eq(s.total_allocated, 15101);
	cr_expect_eq(s.current_allocated, 0);
	cr_expect_eq(s.free_count, 4);
	cr_expect_eq(s.allocation_count, 4);
	cr_expect_eq(s.resets, 1);
	cr_assert_not_null(p = mp_alloc(pool, 20000));
	cr_expect_eq(stats_of(pool).peak_allocated, 20000);
	mp_destroy_pool(pool);
}

Test(mp_pool, a_live_pool_is_in_the_table)
{
	struct mp_pool *pool = make(2048);
	const struct kmem_mp_pool *m = table_mp_pool(0);

	cr_expect_eq(m->state, KMEM_POOL_LIVE);
	cr_expect_eq(m->pool, (uintptr_t)pool);
	cr_expect_eq(m->node_bytes, 2048);
	cr_expect_eq(m->held, 2048);
	cr_expect_gt(m->created_ns, 0);
	cr_expect_neq(m->call_site, 0);
	cr_expect_str_eq(m->name, "mp_pool-0");
	mp_set_name(pool, "requests");
	cr_expect_str_eq(m->name, "requests");
	cr_assert_not_null(mp_alloc(pool, 77));
	cr_expect_eq(kmem_mp_pool_current(m), 77);
	cr_expect_eq(kmem_mp_pool_peak(m), 77);
	mp_destroy_pool(pool);
	cr_expect_eq(m->state, KMEM_POOL_FREE);
	cr_expect_eq(pools.nr_mp_pools, 1);
}

Test(mp_pool, events_do_not_change_what_happens)
{
	struct mp_pool *pool;
	char *p;

	trace_watch(true);
	pool = make(1024);
	p = mp_alloc(pool, 10);
	cr_expect_eq(mp_alloc(pool, 10), p + 16);
	cr_expect(mp_free(pool, mp_alloc(pool, 10000)));
	mp_reset_pool(pool);
	cr_expect_eq(mp_alloc(pool, 10), p);
	mp_destroy_pool(pool);
	trace_watch(false);
}

/* ---- failures ---- */

Test(mp_pool, failures_on_purpose)
{
	struct mp_pool *pool = make(1024);
	struct fault_attr a;
	unsigned int i, failed = 0;

	cr_assert_eq(kmem_fault_get(KMEM_FAIL_MP_ALLOC, &a), 0);
	a.probability = 100;
	a.interval = 4;
	a.times = -1;
	a.verbose = 0;
	cr_assert_eq(kmem_fault_set(KMEM_FAIL_MP_ALLOC, &a), 0);
	for (i = 0; i < 100; i++)
		failed += !mp_alloc(pool, 10);
	cr_expect_eq(failed, 25);
	cr_expect_eq(stats_of(pool).failed_count, 25);
	cr_expect_eq(stats_of(pool).allocation_count, 75);
	a.probability = 0;
	cr_assert_eq(kmem_fault_set(KMEM_FAIL_MP_ALLOC, &a), 0);
	kmem_fail_nth_set(1);
	cr_expect_null(mp_alloc(pool, 10));
	cr_expect_not_null(mp_alloc(pool, 10));
	mp_destroy_pool(pool);
}

/* Whichever of its allocations fails, creation and growth leave nothing behind. */
Test(mp_pool, running_out_at_every_step)
{
	struct kmem_cache *s = kmalloc_cache(1000, GFP_KERNEL), *l = kmalloc_cache(6000, GFP_KERNEL);
	uint64_t live[3] = { in_use(s), in_use(l), in_use_below(1000) };
	struct fault_attr a;
	unsigned int nth, i, failed = 0;

	for (i = 0; i < KMEM_NR_FAULTS; i++) {
		cr_assert_eq(kmem_fault_get(i, &a), 0);
		a.verbose = 0;
		a.ignore_gfp_wait = false;
		cr_assert_eq(kmem_fault_set(i, &a), 0);
	}
	for (nth = 1; nth < 90; nth++) {
		struct mp_pool *pool;

		kmem_fail_nth_set(nth);
		pool = mp_create_pool(1000);
		for (i = 0; pool && i < 10; i++)
			failed += !mp_alloc(pool, 930) + !mp_alloc(pool, 6000); /* whose record needs a node, too */
		kmem_fail_nth_set(0);
		if (pool)
			cr_expect_eq(stats_of(pool).allocation_count + stats_of(pool).failed_count, 20);
		mp_destroy_pool(pool);
		cr_assert_eq(in_use(s), live[0], "step %u", nth);
		cr_assert_eq(in_use(l), live[1], "step %u", nth);
		cr_assert_eq(in_use_below(1000), live[2], "step %u", nth);
	}
	cr_expect_gt(failed, 10);
	cr_expect_eq(pools.nr_mp_pools, 1);
	cr_expect_eq(table_mp_pool(0)->state, KMEM_POOL_FREE);
}

/* ---- misuse ---- */

Test(mp_pool, a_block_freed_twice_is_reported_and_left_alone)
{
	struct mp_pool *pool = make(1024);
	void *block = mp_alloc(pool, 10000);
	char want[200];

	cr_expect(mp_free(pool, block));
	snprintf(want, sizeof(want), "kmem: BUG mp_pool mp_pool-0: mp_free(%p): it is free already; it was left alone\n",
		 block);
	capture_start();
	cr_expect_not(mp_free(pool, hidden(block)));
	cr_expect_str_eq(capture_end(), want);
	cr_expect_eq(stats_of(pool).free_count, 1);
	mp_destroy_pool(pool);
}

Test(mp_pool, memory_of_another_pool_is_a_bug, .signal = SIGABRT)
{
	struct mp_pool *one = make(1024), *two = make(1024);

	mp_free(one, mp_alloc(two, 10));
}

Test(mp_pool, what_a_reset_has_freed_is_a_bug, .signal = SIGABRT)
{
	struct mp_pool *pool = make(1024);
	void *p = mp_alloc(pool, 10);

	mp_reset_pool(pool);
	mp_free(pool, p);
}

Test(mp_pool, allocation_from_a_destroyed_pool_is_a_bug, .signal = SIGABRT)
{
	struct mp_pool *pool = make(1024), *same = hidden(pool);
	void *p;

	mp_destroy_pool(pool);
	p = mp_alloc(same, 10);
	cr_expect_null(p);
}

Test(mp_pool, a_pool_destroyed_twice_is_a_bug, .signal = SIGABRT)
{
	struct mp_pool *pool = make(1024), *same = hidden(pool);

	mp_destroy_pool(pool);
	mp_destroy_pool(same);
}

Test(mp_pool, a_pool_that_never_was_is_a_bug, .signal = SIGABRT)
{
	uint64_t junk[32];

	memset(junk, 0x5a, sizeof(junk));
	mp_reset_pool(hidden(junk));
}

Test(mp_pool, nothing_to_end_is_fine)
{
	mp_reset_pool(NULL);
	mp_destroy_pool(NULL);
}
