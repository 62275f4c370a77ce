/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - run-time options, from the environment variable KMEM_OPTIONS:
 *
 *   KMEM_OPTIONS=rseq=off,arena=64G
 *
 * Sizes take K, M, G or T. A mistake is reported in one line on stderr and the
 * option keeps its default. Read once, before main(); not for set-user-ID programs.
 */
#ifndef KMEM_OPTIONS_H
#define KMEM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <kmem/attr.h>

KMEM_BEGIN

enum kmem_rseq_option {
	KMEM_RSEQ_OFF,    /* every call works under a lock */
	KMEM_RSEQ_ON,     /* per-CPU slots where the kernel supports them */
	KMEM_RSEQ_ASSUME, /* also where rseq is missing: for single-threaded runs under an emulator
	                   * such as callgrind, to count the fast path's instructions */
};

/* What follows the report of a misuse, such as a double free. */
enum kmem_misuse_option {
	KMEM_MISUSE_MIXED,  /* go on where that is safe, abort where it is not */
	KMEM_MISUSE_ABORT,
	KMEM_MISUSE_REPAIR, /* ignore or repair, and go on, as the kernel does */
};

/* Which huge pages the system is asked for. */
enum kmem_thp_option {
	KMEM_THP_MADVISE, /* beyond the first 64 MiB, if these are written to */
	KMEM_THP_ALWAYS,
	KMEM_THP_NEVER,
};

/* How free memory goes back to the system. */
enum kmem_madvise_option {
	KMEM_MADVISE_DONTNEED, /* at once */
	KMEM_MADVISE_FREE,     /* when the system needs it: cheaper, and RSS shows it later */
};

/* When free memory goes back to the system. */
enum kmem_purge_option {
	KMEM_PURGE_DECAY,     /* what nobody needed for purge_ms */
	KMEM_PURGE_THRESHOLD, /* when 128 MiB, or half of what is in use, is free */
	KMEM_PURGE_OFF,       /* only on kmem_page_purge() */
	KMEM_PURGE_NOW,       /* at once; frees make system calls */
};

/* What the smallest objects of malloc() are aligned to; all others are to 16 bytes. */
enum kmem_malloc_align_option {
	KMEM_MALLOC_ALIGN_16,
	KMEM_MALLOC_ALIGN_8, /* those of up to 8 bytes take 8 */
};

#define KMEM_GUARD_DEFAULT_MS 100

struct kmem_options {
	size_t arena;   /* address space to reserve, bytes; 0: as much as the system grants, up to 1 TiB */
	enum kmem_rseq_option rseq;
	unsigned int nodes; /* invent that many NUMA nodes (1-8), CPU n on node n % nodes; 0: the system's */
	bool freelist_random; /* objects leave their slabs in random order */
	bool random_kmalloc;  /* 16 sets of kmalloc caches, chosen by call site */
	bool init_on_alloc, init_on_free; /* clear memory unasked: kmem_set_init_on_alloc() */
	bool merge;    /* like caches share slabs; each name is still counted by itself */
	enum kmem_misuse_option misuse;
	unsigned int guard_ms; /* give an object a page between guard pages every so often; 0: never */
	bool strict;   /* enforce the kernel's rules about sleeping: kmem/strict.h */
	size_t limit;   /* budget of memory, bytes; 0: the address space. Watermarks are kept within it */
	size_t dma32;   /* bytes of the arena to place below 4 GiB, for GFP_DMA and GFP_DMA32; 0: none */
	size_t hugetlb; /* bytes to take from the system's pool of huge pages at start; 0: none */
	enum kmem_thp_option thp;
	enum kmem_purge_option purge;
	unsigned int purge_ms;
	enum kmem_madvise_option madvise;
	bool page_poison;             /* fill freed pages with 0xaa, check them when they are allocated */
	bool debug_pagealloc;         /* free pages cannot be accessed */
	bool shuffle;                 /* free blocks of 4 MiB in random order */
	unsigned int min_free_kbytes; /* 0: by the kernel's formula */
	unsigned int watermark_scale; /* distance of the watermarks in 1/10000 of the zone */
	unsigned int watermark_boost; /* in 1/10000 of the high watermark, 0 off */
	unsigned int pcp_high_fraction; /* per-CPU lists hold up to 1/fraction of the memory; 0: tuned */
	bool background; /* a thread gives memory back while the program makes no calls */
	enum kmem_malloc_align_option malloc_align;
	size_t sample; /* follow one allocation in so many bytes (kmem/observe_sample.h), at least 4096; 0: none */
	bool stats;    /* print /proc/slabinfo-like text on stderr at exit */
};

/* The options in force. */
KMEM_API const struct kmem_options *kmem_options(void);

/*
 * Apply `text`, in the format above, to *options. Return: 0, or -EINVAL with
 * one line about the first mistake in err (at most bytes); what came before and
 * after a mistake is still applied.
 */
KMEM_API int kmem_options_parse(struct kmem_options *options, const char *text, char *err, size_t bytes);

KMEM_END

#endif
