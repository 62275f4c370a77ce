/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * placed.c - a process on libkmem that says which objects it loses: those of debug
 * caches, which lie behind red zones, and those between guard pages.
 *
 * A line per lost object: its address, inverted, so that the process does not hold
 * it, and its size. Then READY; runs until stdin ends. What it keeps is reachable
 * through an array only, every second one by a pointer into its middle.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <kmem/slab.h>

#define NOINLINE __attribute__((noinline))
#define NR       400

static char *kept[NR];
static uintptr_t inverted[NR];
static size_t size[NR];
static struct kmem_cache *odd;

static NOINLINE char *get(int i)
{
	char *p;

	/* Long enough for a sample between guard pages to be due. */
	if (i % 16 == 0)
		usleep(1500);
	size[i] = i % 4 ? i % 4 == 1 ? 512 : 96 : 75;
	p = i % 4 ? kmalloc(size[i], GFP_KERNEL) : kmem_cache_alloc(odd, GFP_KERNEL);
	if (p)
		memset(p, 0x5c, size[i]);
	return p;
}

static NOINLINE int fill(void)
{
	int i;

	for (i = 0; i < NR; i++) {
		char *p = get(i);

		if (!p)
			return -1;
		if (i % 8 < 4)
			inverted[i] = ~(uintptr_t)p;
		else
			kept[i] = i % 8 == 5 ? p + 40 : p;
	}
	/* Freed objects are no leaks. */
	for (i = 4; i < NR; i += 8) {
		kmem_cache_free(odd, kept[i]);
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
	int i;

	odd = kmem_cache_create("odd", 75, NULL, 0);
	if (!odd || fill())
		return 2;
	scrub();
	for (i = 0; i < NR; i++)
		if (inverted[i])
			printf("%lx %zu\n", (unsigned long)inverted[i], size[i]);
	puts("READY");
	fflush(stdout);
	while (read(0, &byte, 1) == 1)
		;
	return 0;
}
