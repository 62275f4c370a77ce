/* SPDX-License-Identifier: BSD-2-Clause */
/* holder.c - a process with 10 000 slabs of 64-byte objects, every third object freed again. */
#include <kmem/slab.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OBJECTS (10000 * 64)

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("held", 64, 0, 0, NULL);
	void **object = malloc(OBJECTS * sizeof(*object));
	int i;

	for (i = 0; i < OBJECTS; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < OBJECTS; i += 3)
		kmem_cache_free(s, object[i]);
	puts("READY");
	fflush(stdout);
	pause();
	return 0;
}
