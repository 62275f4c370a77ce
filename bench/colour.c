/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * colour.c - what colouring does: ns per touch of the first word of every object of a working set, in a chain
 * of random order, in caches without and with colour.
 *
 * colour SIZE OBJECTS: prints "plain NS" and "coloured NS". Few large objects per slab begin at the same places
 * of their slabs, so their first lines share few sets of the CPU's caches, unless slabs begin differently.
 */
#include <kmem/slab.h>

#include "bench.h"

struct node {
	struct node *next;
};

static struct node *make(const char *name, unsigned int size, size_t nr, bool colour)
{
	struct kmem_cache_args args = { .colour = colour };
	struct kmem_cache *s = kmem_cache_create(name, size, &args, SLAB_NO_MERGE);
	struct node **object = calloc(nr, sizeof(*object)), *first;
	uint64_t state = 88172645463325252u;
	size_t i;

	for (i = 0; i < nr; i++)
		if (!s || !object || !(object[i] = kmem_cache_alloc(s, GFP_KERNEL)))
			exit(1);
	for (i = nr - 1; i; i--) {
		size_t j = bench_random(&state) % (i + 1);
		struct node *swap = object[i];

		object[i] = object[j];
		object[j] = swap;
	}
	for (i = 0; i < nr; i++)
		object[i]->next = object[(i + 1) % nr];
	first = object[0];
	free(object);
	return first;
}

static void touch(void *chain, long n)
{
	struct node *at = chain;

	for (; n > 0; n--)
		at = at->next;
	__asm__ volatile("" : : "r"(at));
}

int main(int argc, char **argv)
{
	unsigned int size = argc == 3 ? (unsigned int)atoi(argv[1]) : 0;
	size_t nr = argc == 3 ? (size_t)atol(argv[2]) : 0;
	struct node *chain[2];
	double ns[2] = { 1e9, 1e9 };
	int round, which;

	if (!size || !nr)
		return 2;
	chain[0] = make("plain", size, nr, false);
	chain[1] = make("coloured", size, nr, true);
	/* In turns, and the best of many: both see the same machine. */
	for (round = 0; round < 200; round++) {
		for (which = 0; which < 2; which++) {
			double start, took;

			touch(chain[which], (long)nr);
			start = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
			touch(chain[which], 20000);
			took = (bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / 20000;
			ns[which] = took < ns[which] ? took : ns[which];
		}
	}
	printf("plain %.3f\ncoloured %.3f\n", ns[0], ns[1]);
	return 0;
}
