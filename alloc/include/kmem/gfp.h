/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gfp.h - allocation flags: what each of the kernel's gfp bits means here.
 *
 * The names are the kernel's (include/linux/gfp_types.h); the numeric values
 * are those of bits 0-23 of Linux 6.1-6.18, so that recorded gfp_flags decode
 * alike on both sides. Do not store them: the kernel does not promise them.
 */
#ifndef KMEM_GFP_H
#define KMEM_GFP_H

typedef unsigned int gfp_t;

/* Zone modifiers. Accepted; there is one zone, "Normal", so they change nothing. */
#define __GFP_DMA     ((gfp_t)0x01u)
#define __GFP_HIGHMEM ((gfp_t)0x02u)
#define __GFP_DMA32   ((gfp_t)0x04u)

/* Mobility hints: which pageblocks (2 MiB) the pages come from. */
#define __GFP_MOVABLE     ((gfp_t)0x08u)
#define __GFP_RECLAIMABLE ((gfp_t)0x10u)

/* Urgency. __GFP_HIGH: accepted. */
#define __GFP_HIGH ((gfp_t)0x20u)

/* Block I/O and file system recursion: accepted, there is neither here. */
#define __GFP_IO ((gfp_t)0x40u)
#define __GFP_FS ((gfp_t)0x80u)

/* The memory is filled with zeroes. With a constructor: reported, and ignored. */
#define __GFP_ZERO ((gfp_t)0x100u)

/*
 * May make system calls that grow the arena, and may wait for a lock held over
 * one. Without it an allocation is served from memory that is already there.
 */
#define __GFP_DIRECT_RECLAIM ((gfp_t)0x400u)
#define __GFP_KSWAPD_RECLAIM ((gfp_t)0x800u) /* accepted: no background thread */

#define __GFP_WRITE         ((gfp_t)0x1000u)    /* accepted */
#define __GFP_NOWARN        ((gfp_t)0x2000u)    /* no report when the allocation fails */
#define __GFP_RETRY_MAYFAIL ((gfp_t)0x4000u)    /* accepted */
#define __GFP_NOFAIL        ((gfp_t)0x8000u)    /* never returns NULL: retries until memory is there */
#define __GFP_NORETRY       ((gfp_t)0x10000u)   /* accepted */
#define __GFP_MEMALLOC      ((gfp_t)0x20000u)   /* accepted */
#define __GFP_COMP          ((gfp_t)0x40000u)   /* alloc_pages(): one compound page */
#define __GFP_NOMEMALLOC    ((gfp_t)0x80000u)   /* accepted */
#define __GFP_HARDWALL      ((gfp_t)0x100000u)  /* accepted */
#define __GFP_THISNODE      ((gfp_t)0x200000u)  /* only the node that was asked for */
#define __GFP_ACCOUNT       ((gfp_t)0x400000u)  /* accepted */
#define __GFP_ZEROTAGS      ((gfp_t)0x800000u)  /* accepted */

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

#endif
