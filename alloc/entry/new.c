/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new.c - C++'s operator new (libkmem-malloc.so). When memory is out, the C++
 * library's own does what has to follow: the program's new handler, and
 * std::bad_alloc, which passes through here.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/report.h"
#include "entry/heap.h"
#include "entry/operators.h"

/* The definition behind ours; loaded with a plugin, it is known to that only. */
static void *next_definition(const char *symbol, const void *call_site)
{
	void *next = dlsym(RTLD_NEXT, symbol), *handle;
	Dl_info caller;

	if (next || !dladdr(call_site, &caller))
		return next;
	handle = dlopen(caller.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (handle) {
		next = dlsym(handle, symbol);
		dlclose(handle);
	}
	return next;
}

static noinline void *new_failed(size_t size, const void *call_site)
{
	void *(*next)(size_t) = (void *(*)(size_t))(uintptr_t)next_definition("_Znwm", call_site);

	if (!next)
		report_bug("operator new(%zu): out of memory, and no C++ library to throw std::bad_alloc", size);
	return next(size);
}

/* libstdc++ 12 rounds the size up to the alignment without looking: what is too much must not become 0. */
static noinline void *new_aligned_failed(size_t size, size_t align, const void *call_site)
{
	void *(*next)(size_t, size_t);

	if (size > PTRDIFF_MAX)
		return new_failed(size, call_site);
	next = (void *(*)(size_t, size_t))(uintptr_t)next_definition("_ZnwmSt11align_val_t", call_site);
	if (!next)
		report_bug("operator new(%zu, %zu): out of memory, and no C++ library to throw std::bad_alloc", size, align);
	return next(size, align);
}

HOT_SLOW void *new_slow(size_t size);

void *new_slow(size_t size)
{
	void *p = heap_malloc(size, __builtin_return_address(0));

	return likely(p) ? p : new_failed(size, __builtin_return_address(0));
}

HOT_SLOW void *new_due(size_t size, size_t unused, void *object, struct kmem_slot *slot);

void *new_due(size_t size, HOT_ARGUMENT size_t unused, void *object, struct kmem_slot *slot)
{
	void *p = heap_due(size, object, slot, __builtin_return_address(0));

	return likely(p) ? p : new_failed(size, __builtin_return_address(0));
}

HOT_FUNCTION void *new_plain(HOT_ARGUMENT size_t size)
{
	__asm__ volatile(HEAP_HOT_ALLOC(new_slow, new_due)
		:
		:);
}

void *new_array(size_t size)
{
	return new_plain(size);
}

void *new_plain_ours(size_t size) __attribute__((alias("_Znwm")));
void *new_array_ours(size_t size) __attribute__((alias("_Znam")));

void *new_aligned(size_t size, size_t align)
{
	void *p = is_pow2(align) ? heap_memalign(align, size, __builtin_return_address(0)) : NULL;

	return likely(p) ? p : new_aligned_failed(size, align, __builtin_return_address(0));
}

void *new_array_aligned(size_t size, size_t align)
{
	return new_aligned(size, align);
}
