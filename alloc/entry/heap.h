/* SPDX-License-Identifier: BSD-2-Clause */
/* heap.h - what the files of libkmem-malloc.so share: malloc.c and its class tables, below the others. */
#ifndef ENTRY_HEAP_H
#define ENTRY_HEAP_H

#include "base/base.h"
#include "slab/cache.h"
#include "slab/hot.h"

#define GRAIN     8u    /* of the table of classes, in bytes */
#define ALIGNMENT 16u   /* of everything but the class that malloc_align=8 adds */
#define MAX_SMALL 8192u /* the largest class */

/* Whoever asks is told by NULL, and may have other plans: no message. */
#define HEAP_GFP (GFP_KERNEL | __GFP_NOWARN)

/* What the fast path needs: a word and a table. */
extern KMEM_HIDDEN struct heap_hot {
	size_t limit;                             /* sizes below it are looked up; 0 before the first call */
	uint64_t slot[MAX_SMALL / ALIGNMENT + 1]; /* on CPU 0, by (size + 15) / 16 */
} heap_hot;

_Static_assert(offsetof(struct heap_hot, slot) == 8 && ALIGNMENT == 16, "HEAP_HOT_ALLOC says so");

/* Body of a HOT_FUNCTION whose only argument is a size: malloc(); SLOW when it is not that easy, DUE as in hot.h. */
#define HEAP_HOT_ALLOC(SLOW, DUE)               \
	"cmpq heap_hot(%%rip), %%rdi\n\t"       \
	"jae " #SLOW "\n\t"                     \
	"leal 15(%%rdi), %%r9d\n\t"             \
	"shrl $4, %%r9d\n\t"                    \
	"leaq heap_hot+8(%%rip), %%rdx\n\t"     \
	HOT_POP(SLOW, DUE)

/* malloc(), or calloc() with __GFP_ZERO, on behalf of call_site: all but the fast path. NULL sets errno. */
void *heap_alloc(size_t size, gfp_t gfp, const void *call_site);

/* malloc() whose fast path has popped `object` from a slot that has come to a sample (slab/hot.h). */
void *heap_due(size_t size, void *object, struct kmem_slot *slot, const void *call_site);

/* malloc() and memalign() (`align` is a power of two) on behalf of call_site. */
void *heap_malloc(size_t size, const void *call_site);
void *heap_memalign(size_t align, size_t size, const void *call_site);

/* The smallest class of at least `size` bytes whose objects are aligned (a power of two); NULL when there is none. */
struct kmem_cache *heap_aligned_class(size_t align, size_t size);

/* M_PERTURB: bytes of new memory become the complement of `value`, those of freed memory `value`; 0: they do not. */
void heap_set_perturb(uint8_t value);

/* After an allocation on the watched path: its event, and M_PERTURB. p may be NULL. */
void heap_watched(void *p, size_t size, size_t reserved, gfp_t gfp, const void *call_site);

#endif
