/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operators.h - C++'s operators by their symbols (libkmem-malloc.so).
 *
 * A program may replace those without array, size or nothrow, and expects the
 * others to end in its own: so calls of one to another are left to the dynamic
 * linker (alloc/operators.list). Forms with nothrow are the C++ library's, which
 * call these.
 */
#ifndef ENTRY_OPERATORS_H
#define ENTRY_OPERATORS_H

#include <stddef.h>

#include <kmem/attr.h>

KMEM_API void *new_plain(size_t size) __asm__("_Znwm");
KMEM_API void *new_array(size_t size) __asm__("_Znam");
KMEM_API void *new_aligned(size_t size, size_t align) __asm__("_ZnwmSt11align_val_t");
KMEM_API void *new_array_aligned(size_t size, size_t align) __asm__("_ZnamSt11align_val_t");

/* Ours, whatever the program has put in their place. */
extern __attribute__((visibility("hidden"))) void *new_plain_ours(size_t size);
extern __attribute__((visibility("hidden"))) void *new_array_ours(size_t size);

KMEM_API void delete_plain(void *p) __asm__("_ZdlPv");
KMEM_API void delete_array(void *p) __asm__("_ZdaPv");
KMEM_API void delete_aligned(void *p, size_t align) __asm__("_ZdlPvSt11align_val_t");
KMEM_API void delete_array_aligned(void *p, size_t align) __asm__("_ZdaPvSt11align_val_t");
KMEM_API void delete_sized(void *p, size_t size) __asm__("_ZdlPvm");
KMEM_API void delete_array_sized(void *p, size_t size) __asm__("_ZdaPvm");
KMEM_API void delete_sized_aligned(void *p, size_t size, size_t align) __asm__("_ZdlPvmSt11align_val_t");
KMEM_API void delete_array_sized_aligned(void *p, size_t size, size_t align) __asm__("_ZdaPvmSt11align_val_t");

#endif
