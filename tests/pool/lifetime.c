/* SPDX-License-Identifier: BSD-2-Clause */
/* Mempools begin and end: every constructor, running out, what readers see, and use after the end. */
#include "below.h"

#include <errno.h>

#include <kmem/page.h>

#include "base/report.h"
#include "pool/table.h"

/* ---- creation ---- */

Test(lifetime, creation_fills_the_reserve_and_destruction_frees_it)
{
	mempool_t *pool = make(10);

	cr_expect_eq(below.live, 10);
	cr_expect_eq(stat_of(pool).curr_nr, 10);
	cr_expect_eq(stat_of(pool).min_nr, 10);
	cr_expect(mempool_is_saturated(pool));
	cr_expect(mempool_initialized(pool));
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(lifetime, creation_that_runs_out_leaves_nothing)
{
	static mempool_t embedded;
	uint32_t i;

	below.fail = true;
	cr_expect_null(mempool_create(3, below_alloc, below_free, (void *)64));
	cr_expect_eq(mempool_init(&embedded, 3, below_alloc, below_free, (void *)64), -ENOMEM);
	cr_expect_not(mempool_initialized(&embedded));
	mempool_exit(&embedded);
	below.fail = false;
	below.chance = 60;
	for (i = 0; i < 100; i++)
		if (!mempool_init(&embedded, 6, below_alloc, below_free, (void *)64))
			mempool_exit(&embedded);
	cr_expect_eq(below.live, 0);
	for (i = 0; i < pools.nr_mempools; i++)
		cr_expect_neq(table_mempool(i)->state, KMEM_POOL_LIVE);
}

Test(lifetime, sizes_that_make_no_sense)
{
	static mempool_t embedded;

	capture_start();
	cr_expect_null(mempool_create(-1, below_alloc, below_free, (void *)64));
	cr_expect_eq(mempool_init(&embedded, -5, below_alloc, below_free, NULL), -EINVAL);
	cr_expect_str_eq(capture_end(), "kmem: mempool: min_nr is -1; it cannot be negative\n"
					"kmem: mempool: min_nr is -5; it cannot be negative\n");
	cr_expect_null(mempool_create(1 << 20, below_alloc, below_free, (void *)64), "8 MiB of pointers");
}

Test(lifetime, nothing_to_destroy_is_fine)
{
	static mempool_t zero;

	mempool_exit(&zero);
	mempool_destroy(NULL);
}

Test(lifetime, each_backend_has_its_pools)
{
	struct kmem_cache *s = kmem_cache_create("element", 40, 0, 0, NULL);
	mempool_t embedded[4], *pool[4] = {
		mempool_create_slab_pool(3, s), mempool_create_kmalloc_pool(3, 1000),
		mempool_create_kvmalloc_pool(3, 5 << 20), mempool_create_page_pool(3, 1),
	};
	static const char *const name[] = { "slab-element", "kmalloc-1000", "kvmalloc-5242880", "pages-order-1" };
	int i;

	cr_assert_eq(mempool_init_slab_pool(&embedded[0], 2, s), 0);
	cr_assert_eq(mempool_init_kmalloc_pool(&embedded[1], 2, 1000), 0);
	cr_assert_eq(mempool_init_kvmalloc_pool(&embedded[2], 2, 5 << 20), 0);
	cr_assert_eq(mempool_init_page_pool(&embedded[3], 2, 1), 0);
	ASSERT_BALANCED(s, 5);
	for (i = 0; i < 4; i++) {
		void *element;

		cr_assert_not_null(pool[i]);
		cr_expect_str_eq(pool[i]->live->name, name[i]);
		cr_expect_str_eq(embedded[i].live->name, name[i]);
		element = mempool_alloc(pool[i], GFP_KERNEL);
		cr_assert_not_null(element);
		mempool_free(element, pool[i]);
		element = mempool_alloc_preallocated(&embedded[i]);
		cr_assert_not_null(element);
		mempool_free(element, &embedded[i]);
		mempool_destroy(pool[i]);
		mempool_exit(&embedded[i]);
	}
	ASSERT_BALANCED(s, 0);
}

Test(lifetime, node_variants)
{
	static mempool_t embedded;
	mempool_t *pool = mempool_create_node(2, below_alloc, below_free, (void *)64, GFP_KERNEL, 0);

	cr_assert_not_null(pool);
	cr_assert_eq(mempool_init_node(&embedded, 2, below_alloc, below_free, (void *)64, GFP_NOIO, -1), 0);
	cr_expect_eq(below.call[2], GFP_NOIO, "the reserve is filled with the caller's flags");
	mempool_exit(&embedded);
	mempool_destroy(pool);
}

/* ---- names, misuse, what readers see ---- */

Test(lifetime, a_live_pool_is_in_the_table)
{
	static mempool_t embedded;
	const struct kmem_mempool *m;

	cr_assert_eq(mempool_init_kmalloc_pool(&embedded, 2, 100), 0);
	m = table_mempool(0);
	cr_expect_eq(m, embedded.live);
	cr_expect_eq(m->state, KMEM_POOL_LIVE);
	cr_expect_eq(m->pool, (uintptr_t)&embedded);
	cr_expect_eq(m->elements, (uintptr_t)embedded.elements);
	cr_expect_eq(m->element_bytes, 100);
	cr_expect_gt(m->created_ns, 0);
	mempool_set_name(&embedded, "a name that is much longer than a name may be, says the header");
	cr_expect_str_eq(m->name, "a name that is much longer than a name may be, ");
	mempool_exit(&embedded);
	cr_expect_eq(m->state, KMEM_POOL_FREE);
}

Test(lifetime, elements_that_are_missing_are_reported)
{
	mempool_t *pool = make(3);
	void *element = mempool_alloc_preallocated(pool);

	capture_start();
	mempool_destroy(pool);
	cr_expect_str_eq(capture_end(), "kmem: BUG mempool mempool-0: destroyed with 1 of 3 elements of its reserve "
					"missing; free all elements first\n");
	cr_expect_eq(below.live, 1);
	below_free(element, NULL);
}

/* With misuse=repair the process lives on. */
Test(lifetime, a_destroyed_pool_serves_nothing)
{
	static mempool_t pool;
	void *element, *elems[2] = { NULL };

	report_set_policy(KMEM_MISUSE_REPAIR);
	cr_assert_eq(mempool_init(&pool, 2, below_alloc, below_free, (void *)64), 0);
	element = mempool_alloc(&pool, GFP_KERNEL);
	mempool_exit(&pool);
	cr_expect_not(mempool_initialized(&pool));
	mempool_exit(&pool);
	capture_start();
	cr_expect_null(mempool_alloc(&pool, GFP_KERNEL));
	cr_expect_null(mempool_alloc(&pool, GFP_ATOMIC));
	cr_expect_null(mempool_alloc_preallocated(&pool));
	cr_expect_null(mempool_alloc_noreserve(&pool, GFP_KERNEL));
	mempool_alloc_bulk(&pool, elems, 2, 0);
	cr_expect(!elems[0] && !elems[1]);
	mempool_free(element, &pool);
	cr_expect_eq(mempool_resize(&pool, 5), -EINVAL);
	mempool_destroy(&pool);
	cr_expect(strstr(capture_end(), "not a live mempool"));
	cr_expect_eq(below.live, 1, "the element was left alone");
	below_free(element, NULL);
	cr_assert_eq(mempool_init(&pool, 2, below_alloc, below_free, (void *)64), 0, "and it can be made again");
	mempool_exit(&pool);
	cr_expect_eq(below.live, 0);
}

Test(lifetime, a_pool_destroyed_twice_is_a_bug, .signal = SIGABRT)
{
	mempool_t *pool = make(1), *again = hidden(pool);

	mempool_destroy(pool);
	mempool_destroy(again);
}

Test(lifetime, a_pool_that_never_was_is_a_bug, .signal = SIGABRT)
{
	mempool_t junk;

	memset(&junk, 0x5a, sizeof(junk));
	mempool_exit(hidden(&junk));
}

Test(lifetime, a_pool_with_waiters_is_not_destroyed, .signal = SIGABRT)
{
	mempool_t *pool = make(1);
	pthread_t thread;

	below.fail = true;
	cr_assert_not_null(mempool_alloc(pool, GFP_KERNEL));
	pthread_create(&thread, NULL, take_one, pool);
	wait_for_waiters(pool, 1);
	mempool_destroy(pool);
}
