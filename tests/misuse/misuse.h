/* SPDX-License-Identifier: BSD-2-Clause */
/* misuse.h - for programs that do wrong on purpose: pointers that the compiler does not recognise. */
#ifndef TESTS_MISUSE_H
#define TESTS_MISUSE_H

#include <sched.h>

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

/* Its slot is what knows the object freed last. */
static inline void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		exit(9);
}

static inline struct kmem_cache *cache(const char *name, unsigned int size)
{
	struct kmem_cache *s = kmem_cache_create(name, size, 0, 0, NULL);

	if (!s)
		exit(9);
	return s;
}

#endif
