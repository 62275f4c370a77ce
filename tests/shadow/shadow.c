/* SPDX-License-Identifier: BSD-2-Clause */
/* shadow.c - one access for AddressSanitizer or memcheck to judge. shadow good|after|beyond|kmalloc|piece|gap|reserve */
#include <stdio.h>
#include <string.h>

#include <kmem/mempool.h>
#include <kmem/mp_pool.h>
#include <kmem/slab.h>

static volatile char sink;

/* Everything that is allowed, so that a report is an error of ours. */
static void good(struct kmem_cache *s)
{
	void *object[100];
	unsigned int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 100; i++) {
			object[i] = round & 1 ? kmem_cache_zalloc(s, GFP_KERNEL) : kmem_cache_alloc(s, GFP_KERNEL);
			memset(object[i], (int)i, 100);
		}
		for (i = 0; i < 100; i++)
			kmem_cache_free(s, object[i]);
		if (round == 10)
			kmem_cache_shrink(s);
		kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, object);
		for (i = 0; i < 100; i++)
			memset(object[i], 1, 100);
		kmem_cache_free_bulk(s, 100, object);
		object[0] = krealloc(kmalloc(50, GFP_KERNEL), 5000, GFP_KERNEL | __GFP_ZERO);
		memset(object[0], 2, 5000);
		kfree(object[0]);
	}
	kmem_cache_destroy(s);
}

static void good_mempool(mempool_t *reserve)
{
	unsigned int round, i;
	void *element[6];

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 6; i++) {
			element[i] = i < 2 ? mempool_alloc_preallocated(reserve) : mempool_alloc(reserve, GFP_KERNEL);
			memset(element[i], 1, 70);
		}
		for (i = 0; i < 6; i++)
			mempool_free(element[i], reserve);
		mempool_resize(reserve, 2 + (int)round);
	}
	mempool_destroy(reserve);
}

static void good_region(struct mp_pool *pool)
{
	static char buffer[3000];
	struct mp_pool *fixed = mp_create_fixed_pool(buffer, sizeof(buffer));
	unsigned int round, i;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 200; i++) {
			memset(mp_nalloc(pool, i), 1, i);
			memset(mp_alloc(pool, i * 40), 2, i * 40);
			memset(mp_alloc(fixed, 10), 3, 10);
			if (i % 100 == 99)
				mp_reset_pool(fixed);
		}
		mp_free(pool, mp_calloc(pool, 100000));
		mp_reset_pool(pool);
	}
	mp_destroy_pool(fixed);
	memset(buffer, 4, sizeof(buffer));
	mp_destroy_pool(pool);
}

int main(int argc, char **argv)
{
	struct kmem_cache *s = kmem_cache_create("shadow", 100, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *q = kmalloc(64, GFP_KERNEL);
	mempool_t *reserve = mempool_create_kmalloc_pool(2, 70);
	char *kept = mempool_alloc_preallocated(reserve);
	struct mp_pool *pool = mp_create_pool(1000);
	char *volatile piece = mp_alloc(pool, 24); /* of a size that the compiler does not know */
	const char *what = argc > 1 ? argv[1] : "good";

	memset(p, 1, 100);
	memset(q, 1, 64);
	if (!strcmp(what, "beyond"))
		sink = p[100];
	memset(piece, 1, 24);
	if (!strcmp(what, "gap"))
		sink = piece[mp_alloc(pool, 1) ? 24 : 0];
	memset(kept, 1, 70);
	mempool_free(kept, reserve);
	if (!strcmp(what, "reserve"))
		sink = kept[20];
	mp_reset_pool(pool);
	if (!strcmp(what, "piece"))
		sink = piece[5];
	kfree(q);
	if (!strcmp(what, "kmalloc"))
		sink = q[8];
	kmem_cache_free(s, p);
	if (!strcmp(what, "after"))
		sink = p[50];
	if (!strcmp(what, "good"))
		good(s);
	good_region(pool);
	good_mempool(reserve);
	puts("done");
	return 0;
}
