/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow.h - telling AddressSanitizer (make SAN=address SHADOW=1) or valgrind's
 * memcheck (make VALGRIND=1) which bytes of the arena belong to somebody, so that
 * they report the use of free objects and what lies behind an object. In other
 * builds nothing of this exists.
 *
 * Such builds send every allocation and free through the watched path.
 */
#ifndef BASE_SHADOW_H
#define BASE_SHADOW_H

#include <stdbool.h>
#include <stddef.h>

#if defined(KMEM_SHADOW) && defined(__SANITIZE_ADDRESS__)

#include <sanitizer/asan_interface.h>

#define SHADOW true

static inline void shadow_init(void)
{
}

/* An object is handed out: `bytes` of the `room` up to the next object. */
static inline void shadow_alloc(const void *object, size_t bytes, size_t room)
{
	__asan_poison_memory_region(object, room);
	__asan_unpoison_memory_region(object, bytes);
}

/* It comes back. */
static inline void shadow_free(const void *object, size_t room)
{
	__asan_poison_memory_region(object, room);
}

/* Memory is no objects any more, or not yet. */
static inline void shadow_forget(const void *start, size_t bytes)
{
	__asan_unpoison_memory_region(start, bytes);
}

/* A part of an object that nobody may touch, until shadow_forget(). */
static inline void shadow_close(const void *start, size_t bytes)
{
	__asan_poison_memory_region(start, bytes);
}

#elif defined(KMEM_SHADOW)

#include <valgrind/memcheck.h>

#define SHADOW true

/* All objects are of one pool, whose name is any address. */
#define SHADOW_POOL ((void *)1)

static inline void shadow_init(void)
{
	VALGRIND_CREATE_MEMPOOL(SHADOW_POOL, 0, false);
}

static inline void shadow_alloc(const void *object, size_t bytes, size_t room)
{
	VALGRIND_MAKE_MEM_NOACCESS(object, room);
	VALGRIND_MEMPOOL_ALLOC(SHADOW_POOL, object, bytes);
}

static inline void shadow_free(const void *object, size_t room)
{
	VALGRIND_MEMPOOL_FREE(SHADOW_POOL, object);
	VALGRIND_MAKE_MEM_NOACCESS(object, room);
}

static inline void shadow_forget(const void *start, size_t bytes)
{
	VALGRIND_MAKE_MEM_UNDEFINED(start, bytes);
}

static inline void shadow_close(const void *start, size_t bytes)
{
	VALGRIND_MAKE_MEM_NOACCESS(start, bytes);
}

#else

#define SHADOW false

static inline void shadow_init(void)
{
}

static inline void shadow_alloc(const void *object, size_t bytes, size_t room)
{
	(void)object;
	(void)bytes;
	(void)room;
}

static inline void shadow_free(const void *object, size_t room)
{
	(void)object;
	(void)room;
}

static inline void shadow_forget(const void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
}

static inline void shadow_close(const void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
}

#endif

#endif
