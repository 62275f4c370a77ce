/* SPDX-License-Identifier: BSD-2-Clause */
/* shadow.c - one access for AddressSanitizer or memcheck to judge. shadow good|after|beyond|kmalloc|sheaf */
#include <stdio.h>
#include <string.h>

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

int main(int argc, char **argv)
{
	struct kmem_cache *s = kmem_cache_create("shadow", 100, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *q = kmalloc(64, GFP_KERNEL);
	const char *what = argc > 1 ? argv[1] : "good";

	memset(p, 1, 100);
	memset(q, 1, 64);
	if (!strcmp(what, "beyond"))
		sink = p[100];
	kfree(q);
	if (!strcmp(what, "kmalloc"))
		sink = q[8];
	kmem_cache_free(s, p);
	if (!strcmp(what, "after"))
		sink = p[50];
	if (!strcmp(what, "good"))
		good(s);
	puts("done");
	return 0;
}
