/* SPDX-License-Identifier: BSD-2-Clause */
/* base.h - the few words that every file of the allocator uses: attributes, alignment, bits. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline    __attribute__((__noinline__))
#define force_inline inline __attribute__((__always_inline__))
#define cold        __attribute__((__cold__, __noinline__))

/*
 * Every variable of the allocator lives in one of these sections; KMEM_STATE_SET is for
 * those that do not begin as 0. Their bounds are published as memory that a leak scan
 * must not take for roots: an address in here (the arena's base is the address of its
 * first object) keeps nothing alive.
 *
 * gcc gives a section of such a name contents, 200 KB of zeroes in the file, which get
 * resident around what is touched. So the name brings its own type, and makes the
 * rest of the assembler's line a comment.
 */
#ifdef __clang__
#define KMEM_STATE __attribute__((section("kmem_state")))
#else
#define KMEM_STATE __attribute__((section("kmem_state,\"aw\",@nobits#")))
#endif
#define KMEM_STATE_SET __attribute__((section("kmem_state_set")))

#define ALIGN_UP(n, a)   (((n) + (a) - 1) & ~((__typeof__(n))(a) - 1))
#define ALIGN_DOWN(n, a) ((n) & ~((__typeof__(n))(a) - 1))
#define ARRAY_LEN(a)     (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)        ((a) < (b) ? (a) : (b))
#define MAX(a, b)        ((a) > (b) ? (a) : (b))

/* For variables that several files share: without it, -fPIC reads them through the GOT. */
#define KMEM_HIDDEN __attribute__((visibility("hidden")))

#define CACHE_LINE 64u

static inline bool is_pow2(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* Position of the highest set bit, counted from 1; 0 for 0 (the kernel's fls64). */
static inline unsigned int fls64(uint64_t n)
{
	return n ? 64u - (unsigned int)__builtin_clzll(n) : 0;
}

static inline uint64_t roundup_pow2(uint64_t n)
{
	return n <= 1 ? 1 : UINT64_C(1) << fls64(n - 1);
}

/* One relaxed load or store that the compiler may neither tear nor repeat. */
#define READ_ONCE(x)     __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

#endif
