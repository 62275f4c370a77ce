/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steady.c - one of everything, allocated and freed every millisecond, for tracers: an object of cache
 * "steady", pages, pieces of three pools, per-CPU memory, a cache that lives shortly, and a shrinker.
 * A few bytes are forgotten. One thread waits for the mempool while the other has its element.
 */
#include <kmem/genalloc.h>
#include <kmem/mempool.h>
#include <kmem/mp_pool.h>
#include <kmem/page.h>
#include <kmem/percpu.h>
#include <kmem/shrinker.h>
#include <kmem/slab.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static mempool_t *pool;
static volatile bool below_fails;

static void *take(gfp_t gfp, void *data)
{
	return below_fails ? NULL : mempool_kmalloc(gfp, data);
}

static void *take_and_free(void *unused)
{
	mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	return unused;
}

static void use_mempool(void)
{
	struct mempool_stat stat;
	pthread_t waiter;
	void *element;

	mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	mempool_resize(pool, 2);
	mempool_resize(pool, 1);
	below_fails = true;
	element = mempool_alloc(pool, GFP_KERNEL);
	if (!pthread_create(&waiter, NULL, take_and_free, NULL)) {
		do {
			usleep(100);
			mempool_stat(pool, &stat);
		} while (!stat.waiting);
		mempool_free(element, pool);
		pthread_join(waiter, NULL);
	}
	below_fails = false;
}

static void use_region(struct mp_pool *region)
{
	struct mp_pool *own = mp_create_pool(3000);

	if (!own || !mp_alloc(region, 100) || !mp_alloc(region, 5000))
		_exit(1);
	mp_reset_pool(region);
	mp_set_name(own, "steady short");
	mp_destroy_pool(own);
}

static unsigned long seven(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	(void)sc;
	return 7;
}

static unsigned long frees_three(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	(void)sc;
	return 3;
}

/* 64 KiB are committed at first: after half of it and a few bytes there is no room for another half. */
static void use_percpu(void)
{
	static void *half;
	void *few;

	if (!half)
		half = __alloc_percpu(PCPU_MIN_UNIT_SIZE, 4096);
	few = __alloc_percpu(24, 8);
	if (!half || !few || __alloc_percpu_gfp(PCPU_MIN_UNIT_SIZE, 4096, GFP_NOWAIT))
		_exit(1);
	free_percpu(few);
}

/* More than a slot takes, however much it has learned, so that objects leave it. */
static void use_cache(struct kmem_cache *s)
{
	static void *object[1300];
	int i;

	kmem_cache_destroy(kmem_cache_create("steady once", 40, 0, 0, NULL));
	for (i = 0; i < 1300; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < 1300; i++)
		kmem_cache_free(s, object[i]);
	kmem_cache_shrink(s);
}

/* Pages that hold memory, to be purged. */
static void use_memory(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 5);

	memset(page_address(page), 1, 32 * 4096);
	__free_pages(page, 5);
	kmem_page_purge(0);
}

/* Called from a function with a name: not inline, no tail call. */
#define NAMED __attribute__((noinline, optimize("no-optimize-sibling-calls")))

static NAMED void *forgets(void)
{
	return kmalloc(24, GFP_KERNEL);
}

static NAMED void *another_thread(void *s)
{
	return kmem_cache_alloc(s, GFP_KERNEL);
}

static NAMED void free_of_another(struct kmem_cache *s)
{
	pthread_t thread;
	void *object;

	if (pthread_create(&thread, NULL, another_thread, s) || pthread_join(thread, &object))
		_exit(1);
	kmem_cache_free(s, object);
}

static void use_pages(void)
{
	struct page *page[3];

	free_pages_bulk(alloc_pages_bulk(GFP_KERNEL, 3, memset(page, 0, sizeof(page))), page);
	kmem_drop_slab();
}

static void add_shrinker(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "steady");

	if (!shrinker)
		_exit(1);
	shrinker->count_objects = seven;
	shrinker->scan_objects = frees_three;
	shrinker_register(shrinker);
}

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("steady", 100, 0, 0, NULL);
	struct gen_pool *range = gen_pool_create(5, -1);
	struct mp_pool *region = mp_create_pool(2000);

	pool = mempool_create(1, take, mempool_kfree, (void *)200);
	if (!s || !range || !region || !pool || gen_pool_add(range, 0x10000, 0x10000, -1))
		return 1;
	mempool_set_name(pool, "steady pool");
	gen_pool_set_name(range, "steady range");
	mp_set_name(region, "steady region");
	add_shrinker();
	puts("READY");
	fflush(stdout);
	for (int i = 0; i < 30000; i++) {
		void *object = kmem_cache_alloc(s, GFP_KERNEL);
		void *bytes = kmalloc(1000, GFP_ATOMIC);
		struct page *page = alloc_pages(GFP_KERNEL, 2);

		kmem_cache_free(s, object);
		kfree(bytes);
		__free_pages(page, 2);
		use_mempool();
		gen_pool_free(range, gen_pool_alloc(range, 300), 300);
		use_region(region);
		use_percpu();
		use_cache(s);
		use_pages();
		use_memory();
		if (!forgets())
			return 1;
		free_of_another(s);
		usleep(1000);
	}
	return 0;
}
