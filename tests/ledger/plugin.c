/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin.c - what work.c loads and unloads: frees half of its objects when it goes. */
#include <kmem/slab.h>

#define OBJECTS 100

static void *object[OBJECTS];

/* Return: one more, which stays when this is unloaded. */
void *plugin_take(struct kmem_cache *s)
{
	for (int i = 0; i < OBJECTS; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < OBJECTS / 2; i++)
		kfree(object[i]);
	return kmem_cache_alloc(s, GFP_KERNEL);
}

__attribute__((destructor)) static void at_unload(void)
{
	for (int i = OBJECTS / 2; i < OBJECTS; i++)
		kfree(object[i]);
}
