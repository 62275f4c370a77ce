/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc_names.c - glibc's second names of its allocation functions
 * (libkmem-malloc.so). A program that calls __libc_malloc() frees with free(), and
 * cfree() is what old ones call: one heap must answer to all of them.
 */
#include <malloc.h>
#include <stdlib.h>

#include <kmem/attr.h>

KMEM_API void cfree(void *p);
KMEM_API void *__libc_malloc(size_t size);
KMEM_API void *__libc_calloc(size_t n, size_t size);
KMEM_API void *__libc_realloc(void *p, size_t size);
KMEM_API void __libc_free(void *p);
KMEM_API void *__libc_memalign(size_t align, size_t size);
KMEM_API void *__libc_valloc(size_t size);
KMEM_API void *__libc_pvalloc(size_t size);

/* All are jumps: the call site of events is the caller's. */

void cfree(void *p)
{
	free(p);
}

void *__libc_malloc(size_t size)
{
	return malloc(size);
}

void *__libc_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}

void *__libc_realloc(void *p, size_t size)
{
	return realloc(p, size);
}

void __libc_free(void *p)
{
	free(p);
}

void *__libc_memalign(size_t align, size_t size)
{
	return memalign(align, size);
}

void *__libc_valloc(size_t size)
{
	return valloc(size);
}

void *__libc_pvalloc(size_t size)
{
	return pvalloc(size);
}
