/* SPDX-License-Identifier: BSD-2-Clause */
/* misuse.h - for programs that do wrong on purpose: pointers that the compiler does not recognise. */
#ifndef TESTS_MISUSE_H
#define TESTS_MISUSE_H

#include <kmem/page.h>
#include <kmem/slab.h>
#include <stdio.h>
#include <stdlib.h>

/* The same pointer, as far as the compiler knows another one. */
static inline void *again(const void *p)
{
	void *forgotten;

	__asm__("" : "=r"(forgotten) : "0"(p) : "memory");
	return forgotten;
}

static inline struct kmem_cache *cache(const char *name, unsigned int size)
{
	struct kmem_cache *s = kmem_cache_create(name, size, 0, 0, NULL);

	if (!s)
		exit(9);
	return s;
}

#endif
