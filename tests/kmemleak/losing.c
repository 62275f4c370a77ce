/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * losing.c - a process on libkmem that loses objects when it is told to.
 *
 * Loses three objects of cache "early" and prints READY. Every byte on stdin
 * then makes lose_requests() lose five of cache "request", lose_buffers() two
 * large and one of kmalloc-256, and keeps, frees and allocates others from the
 * same caches. Prints LOST after each byte; runs until stdin ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kmem/slab.h>

#define NOINLINE __attribute__((noinline))
#define KEPT     200

static struct kmem_cache *early, *request;
static void *kept[KEPT];

/* What the caller left in registers and on the stack must not keep an object alive. */
static NOINLINE void scrub(void)
{
	char stack[16384];

	memset(stack, 0, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory");
}

/* Fill it, so that the call is no tail call and the contents point nowhere. */
static NOINLINE void use(void *p, size_t bytes)
{
	if (!p)
		exit(2);
	memset(p, 0x5c, bytes);
}

NOINLINE void lose_early(void);
NOINLINE void lose_early(void)
{
	for (int i = 0; i < 3; i++)
		use(kmem_cache_alloc(early, GFP_KERNEL), 40);
}

NOINLINE void lose_requests(void);
NOINLINE void lose_requests(void)
{
	for (int i = 0; i < 5; i++)
		use(kmem_cache_alloc(request, GFP_KERNEL), 200);
}

NOINLINE void lose_buffers(void);
NOINLINE void lose_buffers(void)
{
	use(kmalloc(20000, GFP_KERNEL), 20000);
	use(kmalloc(20000, GFP_KERNEL), 20000);
	use(kmalloc(250, GFP_KERNEL), 250);
}

/* Objects that are no leaks, before, between and after those that are. */
static NOINLINE void keep_some(void)
{
	for (int i = 0; i < KEPT; i++) {
		if (kept[i])
			kmem_cache_free(request, kept[i]);
		kept[i] = kmem_cache_alloc(request, GFP_KERNEL);
		use(kept[i], 200);
		kfree(kmalloc(250, GFP_KERNEL));
	}
}

int main(void)
{
	char byte;

	early = kmem_cache_create("early", 40, NULL, 0);
	request = kmem_cache_create("request", 200, NULL, 0);
	if (!early || !request)
		return 2;
	lose_early();
	keep_some();
	scrub();
	puts("READY");
	fflush(stdout);
	while (read(0, &byte, 1) == 1) {
		keep_some();
		lose_requests();
		lose_buffers();
		keep_some();
		scrub();
		puts("LOST");
		fflush(stdout);
	}
	return 0;
}
