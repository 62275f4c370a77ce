/* SPDX-License-Identifier: BSD-2-Clause */
/* Several nodes (invented: KMEM_OPTIONS=nodes=2, CPU n on node n % 2): local allocation, remote frees go home. */
#include "support.h"

#include <pthread.h>

#include "base/numa.h"

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			printf("line %d: %s\n", __LINE__, #condition);         \
			exit(1);                                               \
		}                                                              \
	} while (0)

static struct kmem_cache *s;
static void *kept[4][2000];

static unsigned int home(const void *object)
{
	return slab_node(s, slab_of(object));
}

static void local_and_asked_for(void)
{
	for (int cpu = 0; cpu < 2; cpu++) {
		pin_to(cpu);
		for (int i = 0; i < 500; i++) {
			kept[cpu][i] = kmem_cache_alloc(s, GFP_KERNEL);
			CHECK(home(kept[cpu][i]) == (unsigned int)cpu);
		}
	}
	/* On CPU 1: ask for node 0. */
	for (int i = 0; i < 100; i++) {
		void *p = kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE, 0);

		CHECK(p && home(p) == 0);
		kmem_cache_free(s, p);
		p = kmalloc_node(100, GFP_KERNEL, 0);
		CHECK(slab_of(p)->node == 0);
		kfree(p);
	}
	CHECK(!kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE, 7));
	CHECK(!kmalloc_node(8, GFP_KERNEL | __GFP_THISNODE, 7));
	ASSERT_BALANCED(s, 1000);
}

/* CPU 1 frees what CPU 0 allocated. */
static void remote_frees(void)
{
	struct kmem_cache_stat before, after;

	s->remote_node_defrag_ratio = 0;
	kmem_cache_stat(s, &before);
	pin_to(1);
	for (int i = 0; i < 400; i++)
		kmem_cache_free(s, kept[0][i]);
	kmem_cache_free_bulk(s, 100, kept[0] + 400);
	kmem_cache_stat(s, &after);
	CHECK(after.remote_frees - before.remote_frees == 500);
	for (int i = 0; i < 500; i++)
		CHECK(home(kept[1][i]) == 1);
	/* Nothing of node 0 got into CPU 1's slot. */
	for (int i = 0; i < 500; i++) {
		kept[2][i] = kmem_cache_alloc(s, GFP_KERNEL);
		CHECK(home(kept[2][i]) == 1);
	}
	kmem_cache_free_bulk(s, 500, kept[1]);
	kmem_cache_free_bulk(s, 500, kept[2]);
	ASSERT_BALANCED(s, 0);
}

/* Before a new slab, free objects of a node that has slabs to spare. */
static void defrag(void)
{
	pin_to(0);
	kmem_cache_shrink(s);
	for (int i = 0; i < 2000; i++)
		kept[0][i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 2000; i += 2)
		kmem_cache_free(s, kept[0][i]);
	kmem_cache_shrink(s);
	pin_to(1);
	s->remote_node_defrag_ratio = 0;
	kept[1][0] = kmem_cache_alloc(s, GFP_KERNEL);
	CHECK(home(kept[1][0]) == 1);
	kmem_cache_free(s, kept[1][0]);
	kmem_cache_shrink(s);
	s->remote_node_defrag_ratio = 1024;
	kept[1][0] = kmem_cache_alloc(s, GFP_KERNEL);
	CHECK(home(kept[1][0]) == 0);
	kmem_cache_free(s, kept[1][0]);
	for (int i = 1; i < 2000; i += 2)
		kmem_cache_free(s, kept[0][i]);
	ASSERT_BALANCED(s, 0);
}

static void *migrate(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;
	uint64_t seed = me;

	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 2000; i++) {
			kept[me][i] = kmem_cache_alloc(s, GFP_KERNEL);
			*(void **)kept[me][i] = kept[me][i];
		}
		pin_to((int)(random_next(&seed) % 2));
		for (int i = 0; i < 2000; i++) {
			CHECK(*(void **)kept[me][i] == kept[me][i]);
			kmem_cache_free(s, kept[me][i]);
		}
	}
	return NULL;
}

static void threads(void)
{
	pthread_t thread[4];

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, migrate, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	ASSERT_BALANCED(s, 0);
}

__attribute__((constructor(200))) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");

	if (!name || strcmp(name, "nodes"))
		return;
	CHECK(numa_nr_nodes() == 2);
	s = kmem_cache_create("nodes", 128, 0, 0, NULL);
	local_and_asked_for();
	remote_frees();
	defrag();
	threads();
	CHECK(kmem_cache_destroy(s) == 0);
	printf("passed");
	exit(0);
}

Test(numa, two_nodes)
{
	char out[4096];

	cr_expect_eq(run_role("nodes", "nodes=2", NULL, out, sizeof(out)), 0);
	cr_expect_str_eq(out, "passed");
}

Test(numa, two_nodes_without_rseq)
{
	char out[4096];

	cr_expect_eq(run_role("nodes", "nodes=2,rseq=off", NULL, out, sizeof(out)), 0);
	cr_expect_str_eq(out, "passed");
}
