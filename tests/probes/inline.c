/* SPDX-License-Identifier: BSD-2-Clause */
/* inline.c - do inline fast paths look at the probes of the library whose functions are called? Exit 0 or 1. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <kmem/fastpath.h>
#include <kmem/slab.h>

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("inline", 64, 0, 0, NULL);
	Dl_info function, word;

	kmem_cache_free_inline(s, kmem_cache_alloc_inline(s, GFP_KERNEL));
	if (!dladdr(dlsym(RTLD_DEFAULT, "kmem_cache_alloc"), &function) || !dladdr(kmem_fast_semaphore, &word))
		return 1;
	printf("functions of %s, semaphores of %s\n", function.dli_fname, word.dli_fname);
	return strcmp(function.dli_fname, word.dli_fname) != 0;
}
