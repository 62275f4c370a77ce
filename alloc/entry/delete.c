/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delete.c - frees that say a size (libkmem-malloc.so): C++'s operator delete with
 * one, and C23's. In a debug cache with SLAB_STORE_USER the size is checked.
 *
 * A program may replace operator delete(void *), and sized ones then have to end
 * there: that is where the C++ library's own would go.
 */
#include <stdlib.h>

#include <kmem/attr.h>

#include "slab/kmalloc.h"

/* Symbols of C++: operator delete(void *), and the sized ones with and without [] and alignment. */
extern void delete_plain(void *p) __asm__("_ZdlPv") __attribute__((weak));
extern void delete_plain_array(void *p) __asm__("_ZdaPv") __attribute__((weak));
extern void delete_plain_aligned(void *p, size_t align) __asm__("_ZdlPvSt11align_val_t") __attribute__((weak));
extern void delete_plain_array_aligned(void *p, size_t align) __asm__("_ZdaPvSt11align_val_t") __attribute__((weak));

KMEM_API void delete_sized(void *p, size_t size) __asm__("_ZdlPvm");
KMEM_API void delete_array_sized(void *p, size_t size) __asm__("_ZdaPvm");
KMEM_API void delete_sized_aligned(void *p, size_t size, size_t align) __asm__("_ZdlPvmSt11align_val_t");
KMEM_API void delete_array_sized_aligned(void *p, size_t size, size_t align) __asm__("_ZdaPvmSt11align_val_t");
KMEM_API void free_sized(void *p, size_t size);
KMEM_API void free_aligned_sized(void *p, size_t align, size_t size);

/* operator new gives a byte for nothing. */
static size_t new_size(size_t size)
{
	return size ? size : 1;
}

void delete_sized(void *p, size_t size)
{
	kfree_size_is(p, new_size(size), __builtin_return_address(0));
	if (delete_plain)
		delete_plain(p);
	else
		free(p);
}

void delete_array_sized(void *p, size_t size)
{
	kfree_size_is(p, new_size(size), __builtin_return_address(0));
	if (delete_plain_array)
		delete_plain_array(p);
	else
		free(p);
}

/* Aligned operator new rounds the size up to the alignment, so it is not the one said here. */
void delete_sized_aligned(void *p, size_t size, size_t align)
{
	(void)size;
	if (delete_plain_aligned)
		delete_plain_aligned(p, align);
	else
		free(p);
}

void delete_array_sized_aligned(void *p, size_t size, size_t align)
{
	(void)size;
	if (delete_plain_array_aligned)
		delete_plain_array_aligned(p, align);
	else
		free(p);
}

void free_sized(void *p, size_t size)
{
	kfree_size_is(p, size, __builtin_return_address(0));
	free(p);
}

void free_aligned_sized(void *p, size_t align, size_t size)
{
	(void)align;
	kfree_size_is(p, size, __builtin_return_address(0));
	free(p);
}
