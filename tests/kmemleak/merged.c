/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * merged.c - a process on libkmem with caches that merge=on makes share slabs: "first" with its aliases "second"
 * and "last", the root of two others gone. Each loses some objects and keeps others.
 *
 * A line per lost object: its address, inverted, so that the process does not hold it. Then READY; runs until
 * stdin ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <kmem/slab.h>

#define NOINLINE __attribute__((noinline))
#define NR       200 /* of each cache; every fourth is lost */

static const char *const names[] = { "first", "second", "last", "orphan-1", "orphan-2" };
#define NR_CACHES (sizeof(names) / sizeof(names[0]))

static struct kmem_cache *cache[NR_CACHES];
static void *kept[NR_CACHES * NR];
static uintptr_t inverted[NR_CACHES * NR];

static int create(void)
{
	struct kmem_cache *gone = kmem_cache_create("gone", 500, NULL, 0);
	size_t i;

	for (i = 0; i < NR_CACHES; i++) {
		cache[i] = kmem_cache_create(names[i], i < 3 ? 200 : 500, NULL, 0);
		if (!cache[i])
			return -1;
	}
	return gone && !kmem_cache_destroy(gone) ? 0 : -1;
}

static NOINLINE int fill(void)
{
	size_t i;

	for (i = 0; i < NR_CACHES * NR; i++) {
		void *p = kmem_cache_zalloc(cache[i % NR_CACHES], GFP_KERNEL);

		if (!p)
			return -1;
		if (i / NR_CACHES % 4 == 0)
			inverted[i] = ~(uintptr_t)p;
		else
			kept[i] = p;
	}
	/* Freed by one name, or by address: no leaks. */
	for (i = NR_CACHES; i < 2 * NR_CACHES; i++) {
		if (i % 2)
			kmem_cache_free(cache[i % NR_CACHES], kept[i]);
		else
			kfree(kept[i]);
		kept[i] = NULL;
	}
	return 0;
}

static NOINLINE void scrub(void)
{
	char stack[16384];

	memset(stack, 0, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory");
}

int main(void)
{
	char byte;
	size_t i;

	if (create() || fill())
		return 2;
	scrub();
	for (i = 0; i < NR_CACHES * NR; i++)
		if (inverted[i])
			printf("%lx\n", (unsigned long)inverted[i]);
	puts("READY");
	fflush(stdout);
	while (read(0, &byte, 1) == 1)
		;
	return 0;
}
