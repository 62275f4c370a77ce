/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups: what is charged, refused and uncharged, whoever frees. */
#include "support.h"

#include <kmem/group.h>
#include <pthread.h>

#include "base/trace.h"

static struct kmem_group_stat of(const struct kmem_group *group)
{
	struct kmem_group_stat stat;

	kmem_group_stat(group, &stat);
	return stat;
}

Test(account, charged_and_uncharged)
{
	struct kmem_group *g = kmem_group_create("g", 0);
	struct kmem_cache *s = kmem_cache_create("accounted", 100, 0, SLAB_ACCOUNT, NULL);
	void *p, *q, *r, *large;

	cr_expect_null(kmem_group_enter(g));
	p = kmalloc(100, GFP_KERNEL_ACCOUNT);
	q = kmalloc(100, GFP_KERNEL);
	r = kmem_cache_alloc(s, GFP_KERNEL);
	large = kmalloc(20000, GFP_KERNEL_ACCOUNT);
	cr_expect_eq(of(g).objects, 3);
	cr_expect_eq(of(g).bytes, 128 + 104 + 32768);
	cr_expect_eq(kmem_group_enter(NULL), g);
	cr_expect_not_null(p);
	kfree(p);
	kfree(q);
	kfree(large);
	cr_expect_eq(of(g).bytes, 104);
	kmem_cache_free(s, r);
	cr_expect_eq(of(g).bytes, 0);
	cr_expect_eq(of(g).objects, 0);
	cr_expect_eq(of(g).peak_bytes, 128 + 104 + 32768);
	p = kmalloc(100, GFP_KERNEL_ACCOUNT);
	cr_expect_eq(of(g).bytes, 0, "nobody's");
	kfree(p);
	cr_expect_eq(kmem_group_destroy(g), 0);
	cr_expect(!trace_on(TRACE_KMALLOC), "no group, no watching");
}

Test(account, limit)
{
	struct kmem_group *g = kmem_group_create("small", 1024);
	void *p[20];
	int i;

	kmem_group_enter(g);
	for (i = 0; i < 8; i++)
		cr_assert_not_null(p[i] = kmalloc(128, GFP_KERNEL_ACCOUNT));
	cr_expect_null(kmalloc(128, GFP_KERNEL_ACCOUNT));
	cr_expect_null(kmalloc(20000, GFP_KERNEL_ACCOUNT));
	cr_expect_eq(of(g).failures, 2);
	p[8] = kmalloc(128, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	p[9] = kmalloc(128, GFP_KERNEL);
	cr_expect(p[8] && p[9]);
	kfree(p[0]);
	kfree(p[1]);
	cr_assert_not_null(p[0] = kmalloc(128, GFP_KERNEL_ACCOUNT));
	kmem_group_set_limit(g, 0);
	cr_assert_not_null(p[1] = kmalloc(128, GFP_KERNEL_ACCOUNT));
	for (i = 0; i < 10; i++)
		kfree(p[i]);
	cr_expect_eq(of(g).bytes, 0);
}

Test(account, a_group_outlives_its_creator_until_its_objects_are_gone)
{
	struct kmem_group *g = kmem_group_create("old", 0), *h;
	void *p;

	kmem_group_enter(g);
	p = kmalloc(64, GFP_KERNEL_ACCOUNT);
	kmem_group_enter(NULL);
	cr_expect_eq(kmem_group_destroy(g), 64);
	cr_expect_eq(kmem_group_destroy(NULL), 0);
	h = kmem_group_create("new", 0);
	cr_expect_neq(g, h, "still in use");
	capture_start();
	cr_expect_null(kmem_group_enter(g));
	cr_expect_neq(strstr(capture_end(), "not a live group"), NULL);
	kfree(p);
	cr_expect_eq(kmem_group_create("third", 0), g, "free again");
}

static struct kmem_group *group[2];
static void *shared[2][3000];

static void *allocate(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	kmem_group_enter(group[me]);
	for (int i = 0; i < 3000; i++)
		shared[me][i] = kmalloc((size_t)(i % 200) + 1, GFP_KERNEL_ACCOUNT);
	return NULL;
}

static void *release(void *arg)
{
	for (int i = 0; i < 3000; i++)
		kfree(shared[(uintptr_t)arg][i]);
	return NULL;
}

Test(account, other_threads_free)
{
	pthread_t thread[2];
	uintptr_t i;

	for (i = 0; i < 2; i++) {
		group[i] = kmem_group_create("thread", 0);
		pthread_create(&thread[i], NULL, allocate, (void *)i);
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(of(group[0]).objects, 3000);
	cr_expect_eq(of(group[0]).bytes, of(group[1]).bytes);
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, release, (void *)(1 - i));
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
	}
	for (i = 0; i < 2; i++) {
		cr_expect_eq(of(group[i]).bytes, 0);
		cr_expect_eq(of(group[i]).objects, 0);
	}
}
