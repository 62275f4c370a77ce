/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kasan.c - what the kernel's list of KASAN tests does wrong with pages, mempools and
 * TYPESAFE_BY_RCU caches, by name. Prints "survived" when nothing stopped it.
 */
#include <kmem/mempool.h>
#include <kmem/page.h>
#include <kmem/slab.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

#define ELEMENT 100

/* Not seen through by the compiler. */
static char *volatile hold;
static volatile char seen;

/* ---- pages ---- */

static struct page *page;

static char *get_block(void)
{
	page = alloc_pages(GFP_KERNEL, 2);
	hold = page_address(page);
	return hold;
}

static void page_uaf_read(void)
{
	char *p = get_block();

	__free_pages(page, 2);
	seen = p[100];
}

static void page_uaf_write(void)
{
	int i;
	char *p = get_block();

	__free_pages(page, 2);
	p[5000] = 'x';
	/* The per-CPU lists hand out the last one freed first. */
	for (i = 0; i < 100; i++)
		get_block();
}

static void page_oob_right(void)
{
	char *p = get_block(), *q = get_block();

	/* Behind the upper one of two neighbours, which is free. */
	__free_pages(virt_to_page(q > p ? q : p), 2);
	(q > p ? p : q)[4 * 4096] = 'x';
	get_block();
}

static void page_double_free(void)
{
	get_block();
	__free_pages(page, 2);
	__free_pages(page, 2);
}

/* ---- mempools: the reserve is full, so that an element goes back to the allocator below ---- */

static mempool_t *pool;
static struct kmem_cache *cache;

static char *element(mempool_t *made)
{
	pool = made;
	hold = mempool_alloc(pool, GFP_KERNEL);
	return hold;
}

static char *of_kmalloc(void)
{
	return element(mempool_create_kmalloc_pool(2, ELEMENT));
}

static char *of_kmalloc_large(void)
{
	return element(mempool_create_kmalloc_pool(2, 8192 + 10));
}

static char *of_slab(void)
{
	cache = kmem_cache_create("elements", ELEMENT, NULL, 0);
	return element(mempool_create_slab_pool(2, cache));
}

static char *of_pages(void)
{
	page = (struct page *)element(mempool_create_page_pool(2, 2));
	return page_address(page);
}

static void again(void)
{
	int i;

	for (i = 0; i < 100; i++)
		hold = mempool_alloc(pool, GFP_KERNEL);
}

#define OOB(name, get, size)                 \
	static void name(void)               \
	{                                    \
		char *p = get();             \
		p[size] = 'x';               \
		mempool_free(p, pool);       \
	}
#define UAF(name, get)                       \
	static void name(void)               \
	{                                    \
		char *p = get();             \
		mempool_free(p, pool);       \
		p[33] = 'x';                 \
		again();                     \
	}
#define DOUBLE_FREE(name, get)               \
	static void name(void)               \
	{                                    \
		char *p = get();             \
		mempool_free(p, pool);       \
		mempool_free(p, pool);       \
	}
#define INVALID_FREE(name, get)              \
	static void name(void)               \
	{                                    \
		char *p = get();             \
		mempool_free(p + 1, pool);   \
	}

OOB(mempool_kmalloc_oob_right, of_kmalloc, ELEMENT)
OOB(mempool_kmalloc_large_oob_right, of_kmalloc_large, 8192 + 10)
OOB(mempool_slab_oob_right, of_slab, ELEMENT)
UAF(mempool_kmalloc_uaf, of_kmalloc)
UAF(mempool_kmalloc_large_uaf, of_kmalloc_large)
UAF(mempool_slab_uaf, of_slab)
DOUBLE_FREE(mempool_kmalloc_double_free, of_kmalloc)
DOUBLE_FREE(mempool_kmalloc_large_double_free, of_kmalloc_large)
DOUBLE_FREE(mempool_slab_double_free, of_slab)
INVALID_FREE(mempool_kmalloc_invalid_free, of_kmalloc)
INVALID_FREE(mempool_kmalloc_large_invalid_free, of_kmalloc_large)
INVALID_FREE(mempool_slab_invalid_free, of_slab)

static void mempool_pages_uaf(void)
{
	char *p = of_pages();

	mempool_free(page, pool);
	p[33] = 'x';
	again();
}

static void mempool_pages_uaf_read(void)
{
	char *p = of_pages();

	mempool_free(page, pool);
	seen = p[33];
}

static void mempool_pages_double_free(void)
{
	of_pages();
	mempool_free(page, pool);
	mempool_free(page, pool);
}

/* ---- TYPESAFE_BY_RCU ---- */

static char *typed(void)
{
	cache = kmem_cache_create("typed", 200, NULL, SLAB_TYPESAFE_BY_RCU);
	hold = kmem_cache_alloc(cache, GFP_KERNEL);
	return hold;
}

/* It may: until its slab is gone, it stays an object of its type. */
static void typesafe_use_after_free(void)
{
	char *p = typed();

	memset(p, 7, 200);
	kmem_cache_free(cache, p);
	seen = p[100];
	if (seen != 7)
		dprintf(1, "not what was written\n");
	p[100] = 8;
	hold = kmem_cache_alloc(cache, GFP_KERNEL);
	kmem_cache_free(cache, hold);
}

static void typesafe_double_free(void)
{
	char *p = typed();

	kmem_cache_free(cache, p);
	kmem_cache_free(cache, p);
}

static void typesafe_oob_right(void)
{
	char *p = typed();

	p[200] = 'x';
	kmem_cache_free(cache, p);
}

#define CASE(name) { #name, name }
static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(page_uaf_read), CASE(page_uaf_write), CASE(page_oob_right), CASE(page_double_free),
	CASE(mempool_kmalloc_oob_right), CASE(mempool_kmalloc_large_oob_right), CASE(mempool_slab_oob_right),
	CASE(mempool_kmalloc_uaf), CASE(mempool_kmalloc_large_uaf), CASE(mempool_slab_uaf), CASE(mempool_kmalloc_double_free),
	CASE(mempool_kmalloc_large_double_free), CASE(mempool_slab_double_free), CASE(mempool_kmalloc_invalid_free),
	CASE(mempool_kmalloc_large_invalid_free), CASE(mempool_slab_invalid_free), CASE(mempool_pages_uaf),
	CASE(mempool_pages_uaf_read), CASE(mempool_pages_double_free), CASE(typesafe_use_after_free),
	CASE(typesafe_double_free), CASE(typesafe_oob_right),
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc > 1 && !strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			dprintf(1, "survived\n");
			return 0;
		}
		if (argc == 1)
			dprintf(1, "%s\n", cases[i].name);
	}
	return argc > 1 ? 2 : 0;
}
