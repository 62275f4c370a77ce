/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delete.c - C++'s operator delete, and C23's frees that say a size
 * (libkmem-malloc.so). In a debug cache with SLAB_STORE_USER the size is checked.
 */
#include <stdlib.h>

#include "base/trace.h"
#include "entry/operators.h"
#include "slab/kmalloc.h"

KMEM_API void free_sized(void *p, size_t size);
KMEM_API void free_aligned_sized(void *p, size_t align, size_t size);

/* Debug caches put all calls on the watched path. */
static noinline void check_and_end(void *p, size_t size, const void *call_site, void (*end)(void *p))
{
	kfree_size_is(p, size, call_site);
	end(p);
}

void delete_plain(void *p)
{
	free(p);
}

void delete_array(void *p)
{
	delete_plain(p);
}

void delete_aligned(void *p, size_t align)
{
	(void)align;
	free(p);
}

void delete_array_aligned(void *p, size_t align)
{
	delete_aligned(p, align);
}

/* Memory of a program's own operator new has the size that it wanted; and the C++ library's makes 0 bytes 1. */
void delete_sized(void *p, size_t size)
{
	if (trace_on(TRACE_KFREE) && size && new_plain == new_plain_ours)
		check_and_end(p, size, __builtin_return_address(0), delete_plain);
	else
		delete_plain(p);
}

void delete_array_sized(void *p, size_t size)
{
	if (trace_on(TRACE_KFREE) && size && new_array == new_array_ours && new_plain == new_plain_ours)
		check_and_end(p, size, __builtin_return_address(0), delete_array);
	else
		delete_array(p);
}

/* Not checked: a program's own aligned operator new may round the size up to the alignment. */
void delete_sized_aligned(void *p, size_t size, size_t align)
{
	(void)size;
	delete_aligned(p, align);
}

void delete_array_sized_aligned(void *p, size_t size, size_t align)
{
	(void)size;
	delete_array_aligned(p, align);
}

void free_sized(void *p, size_t size)
{
	if (trace_on(TRACE_KFREE))
		check_and_end(p, size, __builtin_return_address(0), free);
	else
		free(p);
}

void free_aligned_sized(void *p, size_t align, size_t size)
{
	(void)align;
	free_sized(p, size);
}
