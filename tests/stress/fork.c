/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork.c - a fork storm in a process whose threads allocate all the time: every
 * child uses all layers, drains and destroys included, and its books balance.
 *
 * fork [CHILDREN], default 300.
 */
#include "stress.h"

#include <stdatomic.h>

#include "slab/kmalloc.h"

enum { THREADS = 8 };

static struct kmem_cache *s;
static _Atomic bool stop;

static void *churn(void *number)
{
	uint64_t seed = (uintptr_t)number;
	void *object[50];

	while (!atomic_load(&stop)) {
		CHECK(kmem_cache_alloc_bulk(s, GFP_KERNEL, 50, object) == 50, "out of memory");
		kmem_cache_free_bulk(s, 50, object);
		kfree(kmalloc(random_next(&seed) % 60000, GFP_KERNEL));
		if (random_next(&seed) % 64 == 0)
			kmem_cache_shrink(s);
		if (random_next(&seed) % 64 == 0)
			kvfree(kvmalloc((size_t)5 << 20, GFP_KERNEL));
	}
	return NULL;
}

static void child(void)
{
	struct kmem_cache *own = kmem_cache_create("child", 40, 0, 0, NULL);
	struct kmem_cache_stat stat;
	static void *object[1000];

	alarm(60);
	CHECK(own, "no cache in the child");
	CHECK(kmem_cache_alloc_bulk(own, GFP_KERNEL, 1000, object) == 1000, "no memory in the child");
	kmem_cache_free_bulk(own, 1000, object);
	CHECK(kmem_cache_destroy(own) == 0, "objects left in the child");
	CHECK(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1000, object) == 1000, "no memory in the child");
	kmem_cache_stat(s, &stat);
	CHECK(stat.allocs - stat.frees == stat.active && stat.active >= 1000, "the child's books: %lu - %lu, %lu",
	      stat.allocs, stat.frees, stat.active);
	kmem_cache_free_bulk(s, 1000, object);
	kmem_cache_shrink(s);
	kfree(kmalloc(100000, GFP_KERNEL));
	kvfree(kvmalloc((size_t)9 << 20, GFP_KERNEL));
	drain_all_pages();
	_exit(0);
}

int main(int argc, char **argv)
{
	uint64_t children = operations(argc, argv, 300), i;
	struct kmem_cache_stat stat;
	pthread_t thread[THREADS];
	int status;

	s = kmem_cache_create("storm", 72, 0, 0, NULL);
	CHECK(s, "no cache");
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, churn, (void *)(uintptr_t)(i + 1)), "no thread");
	for (i = 0; i < children; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0, "no process");
		if (!pid)
			child();
		CHECK(waitpid(pid, &status, 0) == pid, "no child");
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "child %lu ended with %x", i, status);
	}
	atomic_store(&stop, true);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	kmem_cache_stat(s, &stat);
	CHECK(!stat.active && stat.allocs == stat.frees, "%lu active", stat.active);
	CHECK(kmem_cache_destroy(s) == 0, "objects are left");
	printf("%lu children: all of them could allocate\n", children);
	return 0;
}
