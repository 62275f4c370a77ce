/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * holding.c - holds objects in a mempool's reserve, behind a genpool's owner, in per-CPU memory and in a region
 * pool's pieces, none of which is a leak; and loses: one that it took from the reserve, one that was per-CPU,
 * and a whole region pool with what only its pieces refer to.
 */
#include <kmem/genalloc.h>
#include <kmem/mempool.h>
#include <kmem/mp_pool.h>
#include <kmem/percpu.h>
#include <kmem/slab.h>
#include <stdio.h>
#include <unistd.h>

static mempool_t *pool;
static mempool_t embedded;
static struct gen_pool *range;
static void **slots;
static struct mp_pool *volatile region;

/* Pieces in several nodes and large ones, each of which refers to an object. */
static struct mp_pool *fill_region(const char *name)
{
	struct kmem_cache *s = kmem_cache_create(name, 72, 0, 0, NULL);
	struct mp_pool *pool = mp_create_pool(2500);
	unsigned int i;

	for (i = 0; i < 20; i++) {
		void **small = mp_alloc(pool, 500), **large = mp_alloc(pool, 12000);

		small[3] = kmem_cache_alloc(s, GFP_KERNEL);
		large[1000] = kmem_cache_alloc(s, GFP_KERNEL);
		if (i % 3 == 0) {
			kmem_cache_free(s, large[1000]);
			mp_free(pool, large);
		}
	}
	return pool;
}

static __attribute__((noinline)) void set_up(void)
{
	struct kmem_cache *element = kmem_cache_create("element", 200, 0, 0, NULL);
	struct kmem_cache *owner = kmem_cache_create("owner", 100, 0, 0, NULL);
	struct kmem_cache *percpu = kmem_cache_create("percpu", 50, 0, 0, NULL);
	unsigned int cpu;

	pool = mempool_create_slab_pool(10, element);
	if (!pool || mempool_init_slab_pool(&embedded, 5, element) || mempool_resize(pool, 40))
		_exit(1);
	range = gen_pool_create(4, -1);
	if (gen_pool_add_owner(range, 4096, 0, 65536, -1, kmem_cache_alloc(owner, GFP_KERNEL)))
		_exit(1);
	slots = alloc_percpu(void *);
	for_each_possible_cpu(cpu)
		*per_cpu_ptr(slots, cpu) = kmem_cache_alloc(percpu, GFP_KERNEL);
	region = fill_region("kept");
}

static __attribute__((noinline)) void lose(void)
{
	void *volatile element = mempool_alloc_preallocated(pool);

	element = NULL;
	(void)element;
	*per_cpu_ptr(slots, 0) = NULL;
	(void)fill_region("lost");
}

/* So that nothing of it is left on the stack. */
static __attribute__((noinline)) void clear_stack(void)
{
	volatile char above[16384];
	unsigned int i;

	for (i = 0; i < sizeof(above); i++)
		above[i] = 0;
}

int main(void)
{
	set_up();
	lose();
	clear_stack();
	puts("READY");
	fflush(stdout);
	pause();
	return 0;
}
