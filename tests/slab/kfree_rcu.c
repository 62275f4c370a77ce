/* SPDX-License-Identifier: BSD-2-Clause */
/* kfree_rcu(), and slabs of SLAB_TYPESAFE_BY_RCU caches: both wait for a grace period. */
#include "support.h"

#include <kmem/rcu.h>
#include <stdatomic.h>

static atomic_uint periods;
static void (*during)(void);

static void synchronize(void)
{
	atomic_fetch_add(&periods, 1);
	if (during)
		during();
}

static const struct kmem_rcu_ops ops = { synchronize };

struct item {
	uint64_t key;
	struct {
		void *next, *func;
	} rcu;
	char text[40];
};

static uint64_t active(struct kmem_cache *s)
{
	struct kmem_cache_stat stat;

	kmem_cache_stat(s, &stat);
	return stat.active;
}

Test(kfree_rcu, without_rcu_at_once)
{
	struct kmem_cache *s = KMEM_CACHE(item, 0);
	struct item *i = kmem_cache_alloc(s, GFP_KERNEL);

	kfree_rcu(i, rcu);
	cr_expect_eq(active(s), 0);
	i = NULL;
	kfree_rcu(i, rcu);
	kfree_rcu_mightsleep(i);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(kfree_rcu, waits)
{
	struct kmem_cache *s = KMEM_CACHE(item, 0);
	struct item *i[2000];
	unsigned int n;

	kmem_rcu_register(&ops);
	for (n = 0; n < 2000; n++) {
		i[n] = kmem_cache_alloc(s, GFP_KERNEL);
		i[n]->key = n;
	}
	for (n = 0; n < 100; n++)
		kfree_rcu(i[n], rcu);
	cr_expect_eq(active(s), 2000);
	for (n = 0; n < 100; n++)
		cr_expect_eq(i[n]->key, n, "an object that waits is left as it is");
	kvfree_rcu_barrier();
	cr_expect_eq(active(s), 1900);
	for (; n < 1999; n++)
		kvfree_rcu(i[n], rcu);
	kvfree_rcu_mightsleep(i[n]);
	kvfree_rcu_barrier();
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(kfree_rcu, kmalloc_and_large)
{
	struct item *small = kmalloc(sizeof(*small), GFP_KERNEL), *large = kvmalloc(5 << 20, GFP_KERNEL);

	kmem_rcu_register(&ops);
	kvfree_rcu(small, rcu);
	kvfree_rcu(large, rcu);
	kvfree_rcu_barrier();
	cr_expect(!readable(large), "unmapped");
}

/* The kernel's slub_kunit: kfree_rcu and destroy right after, 0 errors. */
Test(kfree_rcu, destroy_waits_for_it)
{
	struct kmem_cache *s = KMEM_CACHE(item, 0);
	struct item *i = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_rcu_register(&ops);
	kfree_rcu(i, rcu);
	cr_expect_eq(kmem_cache_destroy(s), 0);
	cr_expect_geq(periods, 1);
}

static struct kmem_cache *typesafe;
static uint8_t *watched;
static bool kept;

/* A reader of before the free still looks at the object. */
static void look(void)
{
	kept &= watched[0] == 0x77 && slab_of(watched) && slab_of(watched)->cache_id == typesafe->id;
}

Test(kfree_rcu, typesafe_slabs_stay_for_readers)
{
	kmem_rcu_register(&ops);
	during = look;
	kept = true;
	typesafe = kmem_cache_create("typesafe", 256, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	watched = kmem_cache_alloc(typesafe, GFP_KERNEL);
	memset(watched, 0x77, 256);
	kmem_cache_free(typesafe, watched);
	cr_expect_eq(kmem_cache_shrink(typesafe), 0);
	cr_expect_eq(periods, 0, "shrinking does not wait");
	look();
	cr_expect(kept, "the slab is still there");
	kvfree_rcu_barrier();
	cr_expect(kept);
	cr_expect_eq(periods, 1);
	cr_expect_null(slab_of(watched), "the slab is gone");
}

Test(kfree_rcu, destroy_of_typesafe_waits_for_readers)
{
	unsigned int id;

	kmem_rcu_register(&ops);
	during = look;
	kept = true;
	typesafe = kmem_cache_create("typesafe", 256, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	id = typesafe->id;
	watched = kmem_cache_alloc(typesafe, GFP_KERNEL);
	memset(watched, 0x77, 256);
	kmem_cache_free(typesafe, watched);
	cr_expect_eq(kmem_cache_destroy(typesafe), 0);
	cr_expect(kept);
	cr_expect_geq(periods, 1);
	cr_expect_null(slab_of(watched));
	cr_expect_eq(kmem_cache_create("next", 64, 0, 0, NULL)->id, id, "now the id is free");
}
