/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gfp.h - allocation flags: what each of the kernel's gfp bits means here.
 *
 * The names are the kernel's (include/linux/gfp_types.h); the numeric values
 * are those of bits 0-23 of Linux 6.1-6.18, so that recorded gfp_flags decode
 * alike on both sides. Do not store them: the kernel does not promise them.
 *
 *   flag                  meaning here
 *   __GFP_DMA, DMA32      pages below 4 GiB, from zone DMA32, if KMEM_OPTIONS=dma32=SIZE
 *                         made one; else no meaning, as in a kernel without such zones
 *   __GFP_HIGHMEM         accepted: there is no memory without an address
 *   __GFP_MOVABLE,        mobility: which pageblocks (2 MiB) the pages come from, so that
 *   __GFP_RECLAIMABLE     memory of one kind, freed together, is free in one piece
 *   __GFP_HIGH            urgent: may use half of what the min watermark keeps
 *   __GFP_IO, __GFP_FS    told to shrinkers, so that they do not recurse; masked by the
 *                         scopes memalloc_noio_save() and memalloc_nofs_save()
 *   __GFP_ZERO            filled with zeroes. With a constructor: reported, ignored
 *   __GFP_DIRECT_RECLAIM  may make system calls, grow the arena, wait for locks, and run
 *                         shrinkers. Without it: no system call and no wait; memory that
 *                         is already there, or NULL, down to a quarter less than min
 *   __GFP_KSWAPD_RECLAIM  the caller can spin. With neither reclaim flag a request does
 *                         not even spin for a lock: it may run in a signal handler
 *   __GFP_WRITE           accepted: there is no page cache
 *   __GFP_NOWARN          no report when the allocation fails
 *   __GFP_NORETRY         one round of reclaim, then NULL
 *   __GFP_RETRY_MAYFAIL   tries hard, large orders, too, and then fails
 *   __GFP_NOFAIL          never NULL: retries for ever. Reported once when it cannot be
 *                         kept (without __GFP_DIRECT_RECLAIM) or is unwise (order > 1)
 *   __GFP_MEMALLOC        below all watermarks: the caller will soon free more than it takes
 *   __GFP_NOMEMALLOC      no reserves at all; stronger than __GFP_MEMALLOC
 *   __GFP_COMP            alloc_pages(): one compound page, its tails know their head
 *   __GFP_HARDWALL        accepted: there are no cpusets
 *   __GFP_THISNODE        only the node that was asked for
 *   __GFP_ACCOUNT         see kmem/slab.h
 *   __GFP_ZEROTAGS        accepted: there is no memory tagging
 *
 * When memory runs out: with a budget (KMEM_OPTIONS=limit=SIZE) or at the end of
 * the address space, a request that may block drains the per-CPU lists, runs
 * the shrinkers and retries, up to 16 rounds without progress; of order > 3 it
 * fails after the first. There is no OOM killer. Then it returns NULL.
 */
#ifndef KMEM_GFP_H
#define KMEM_GFP_H

#include <kmem/attr.h>

KMEM_BEGIN

typedef unsigned int gfp_t;

#define __GFP_DMA            ((gfp_t)0x01u)
#define __GFP_HIGHMEM        ((gfp_t)0x02u)
#define __GFP_DMA32          ((gfp_t)0x04u)
#define __GFP_MOVABLE        ((gfp_t)0x08u)
#define __GFP_RECLAIMABLE    ((gfp_t)0x10u)
#define __GFP_HIGH           ((gfp_t)0x20u)
#define __GFP_IO             ((gfp_t)0x40u)
#define __GFP_FS             ((gfp_t)0x80u)
#define __GFP_ZERO           ((gfp_t)0x100u)
#define __GFP_DIRECT_RECLAIM ((gfp_t)0x400u)
#define __GFP_KSWAPD_RECLAIM ((gfp_t)0x800u)
#define __GFP_WRITE          ((gfp_t)0x1000u)
#define __GFP_NOWARN         ((gfp_t)0x2000u)
#define __GFP_RETRY_MAYFAIL  ((gfp_t)0x4000u)
#define __GFP_NOFAIL         ((gfp_t)0x8000u)
#define __GFP_NORETRY        ((gfp_t)0x10000u)
#define __GFP_MEMALLOC       ((gfp_t)0x20000u)
#define __GFP_COMP           ((gfp_t)0x40000u)
#define __GFP_NOMEMALLOC     ((gfp_t)0x80000u)
#define __GFP_HARDWALL       ((gfp_t)0x100000u)
#define __GFP_THISNODE       ((gfp_t)0x200000u)
#define __GFP_ACCOUNT        ((gfp_t)0x400000u)
#define __GFP_ZEROTAGS       ((gfp_t)0x800000u)

#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_ATOMIC         (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL         (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT         (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO           (__GFP_RECLAIM)
#define GFP_NOFS           (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER           (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_HIGHUSER       (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_DMA            __GFP_DMA
#define GFP_DMA32          __GFP_DMA32

#define GFP_TRANSHUGE_LIGHT  ((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE        (GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)

#define GFP_ZONEMASK (__GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE)

/* Switches of kernels that have lockdep or KASAN: nothing here, as in those without. */
#define __GFP_NOLOCKDEP  ((gfp_t)0)
#define __GFP_SKIP_ZERO  ((gfp_t)0)
#define __GFP_SKIP_KASAN ((gfp_t)0)

/* All bits that mean something to some kernel; the rest of a word is free for others (xarray packs marks there). */
#define __GFP_BITS_SHIFT 28
#define __GFP_BITS_MASK  ((gfp_t)((1u << __GFP_BITS_SHIFT) - 1))

/* True when the caller may wait and make system calls. */
static inline int gfpflags_allow_blocking(gfp_t gfp)
{
	return (gfp & __GFP_DIRECT_RECLAIM) != 0;
}

/* True when the caller may at least spin for a lock. */
static inline int gfpflags_allow_spinning(gfp_t gfp)
{
	return (gfp & __GFP_RECLAIM) != 0;
}

/*
 * Scopes of the calling thread: until the matching restore, its allocations are
 * taken as if without __GFP_FS, or without __GFP_IO and __GFP_FS, or (noreclaim,
 * the kernel's PF_MEMALLOC) as if with __GFP_MEMALLOC, and never reclaim.
 * They nest: a save returns what its restore takes. Any context.
 */
KMEM_API unsigned int memalloc_nofs_save(void) KMEM_CHECK;
KMEM_API void memalloc_nofs_restore(unsigned int flags);
KMEM_API unsigned int memalloc_noio_save(void) KMEM_CHECK;
KMEM_API void memalloc_noio_restore(unsigned int flags);
KMEM_API unsigned int memalloc_noreclaim_save(void) KMEM_CHECK;
KMEM_API void memalloc_noreclaim_restore(unsigned int flags);

/* The flags as the thread's scopes mask them. */
KMEM_API gfp_t current_gfp_context(gfp_t gfp);

KMEM_END

#endif
