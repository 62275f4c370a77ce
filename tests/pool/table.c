/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of pools: entries are reused, told apart from other pointers, and found from the root. */
#include "support.h"

#include "base/observe.h"
#include "pool/table.h"

Test(table, is_published)
{
	cr_expect_eq(observe_root.pools, (uintptr_t)&pools);
	cr_expect_eq(pools.size, sizeof(struct kmem_pools));
	cr_expect_eq(pools.mempool_bytes, sizeof(struct kmem_mempool));
	cr_expect_eq(pools.genpool_bytes, sizeof(struct kmem_genpool));
	cr_expect_eq(pools.nr_mempools + pools.nr_genpools, 0);
}

Test(table, a_freed_entry_is_the_next_one_taken)
{
	struct kmem_mempool *a = table_take_mempool(), *b = table_take_mempool();
	struct kmem_genpool *c = table_take_genpool(), *d = table_take_genpool();

	cr_assert(a && b && c && d);
	cr_expect_eq(b, a + 1);
	cr_expect_eq(d, c + 1);
	cr_expect_eq(pools.nr_mempools, 2);
	cr_expect_eq(pools.nr_genpools, 2);
	memset(a, 0x5a, sizeof(*a));
	memset(c, 0x5a, sizeof(*c));
	table_put_mempool(a);
	table_put_mempool(b);
	table_put_genpool(c);
	table_put_genpool(d);
	cr_expect_eq(a->state, KMEM_POOL_FREE);
	cr_expect_eq(table_take_mempool(), b);
	cr_expect_eq(table_take_mempool(), a);
	cr_expect(all_bytes(a, sizeof(*a), 0));
	cr_expect_eq(table_take_genpool(), d);
	cr_expect_eq(table_take_genpool(), c);
	cr_expect(all_bytes(c, sizeof(*c), 0));
	cr_expect_eq(table_take_mempool(), b + 1);
	cr_expect_eq(table_take_genpool(), d + 1);
}

Test(table, only_entries_are_entries)
{
	struct kmem_mempool *m = table_take_mempool();
	struct kmem_genpool *g = table_take_genpool();
	int local;

	cr_expect(table_has_mempool(m));
	cr_expect(table_has_genpool(g));
	cr_expect_not(table_has_mempool(m + 1), "not yet an entry");
	cr_expect_not(table_has_genpool(g + 1), "not yet an entry");
	cr_expect_not(table_has_mempool((void *)((char *)m + 8)));
	cr_expect_not(table_has_genpool((void *)((char *)g + 8)));
	cr_expect_not(table_has_mempool((void *)&local));
	cr_expect_not(table_has_genpool(NULL));
}

Test(table, a_full_table_says_so)
{
	unsigned int i;

	for (i = 0; i < TABLE_MAX_POOLS; i++)
		cr_assert(table_take_mempool() && table_take_genpool(), "%u", i);
	cr_expect_null(table_take_mempool());
	cr_expect_null(table_take_genpool());
	table_put_mempool(table_mempool(77));
	cr_expect_eq(table_take_mempool(), table_mempool(77));
}

Test(table, works_in_the_child_of_fork)
{
	table_lock_for_fork();
	table_unlock_after_fork(true);
	cr_expect_not_null(table_take_mempool());
	table_lock_for_fork();
	table_unlock_after_fork(false);
	cr_expect_not_null(table_take_mempool());
}
