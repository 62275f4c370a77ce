/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kcaches.h - the state of all slab caches of the running kernel.
 *
 * Opens the best of these, in this order:
 *   iterator   BPF iterator over kmem_cache (6.13 and later)
 *   list       BPF program that follows the kernel's slab_caches list
 *              (needs that symbol: CONFIG_KALLSYMS_ALL)
 *   bootstrap  the same from any cache that an allocation event names
 *   slabinfo   text of /proc/slabinfo: needs no BPF, knows much less
 * The first three give the same rows; each row's `have` says which of its
 * columns the kernel (or slabinfo) offers.
 *
 * Every function that can fail returns 0 or -errno and then has put one line,
 * without newline, into `err` that names the cause and the remedy. Not thread
 * safe: one thread per handle.
 */
#ifndef COMMON_KCACHES_H
#define COMMON_KCACHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmem_cache_info.h"

struct kcaches;

enum kcaches_source {
	KCACHES_BEST,
	KCACHES_ITERATOR,
	KCACHES_LIST,
	KCACHES_BOOTSTRAP,
	KCACHES_SLABINFO,
};

struct kcaches_options {
	enum kcaches_source source; /* KCACHES_BEST, or exactly this one (tests, -v) */
	bool no_lists; /* skip list walks: cheaper, but without partial_free and in_use */
};

/*
 * Opens a reader. `options` may be NULL. With KCACHES_BEST this fails only when
 * not even /proc/slabinfo can be read; kcaches_why() then tells what a better
 * source was missing. Needs CAP_BPF and CAP_PERFMON (or root); slabinfo needs root.
 */
int kcaches_open(struct kcaches **kcaches, const struct kcaches_options *options,
		 char *err, size_t len);

/* Which source is in use. */
enum kcaches_source kcaches_source(const struct kcaches *kcaches);

/* "iterator", "list", "bootstrap" or "slabinfo". */
const char *kcaches_source_name(enum kcaches_source source);

/*
 * Why a better source was passed over, as one line ("BPF walker: needs CAP_BPF
 * ..."); empty if the source in use is a BPF walker. Valid until close.
 */
const char *kcaches_why(const struct kcaches *kcaches);

/*
 * Reads the state of all caches, in the order of the kernel's list. The array
 * belongs to the handle and is valid until the next read or close. A pass takes
 * 0.3 - 2 ms.
 */
int kcaches_read(struct kcaches *kcaches, const struct kmem_cache_info **rows,
		 size_t *nr, char *err, size_t len);

/*
 * The names under which a cache is known besides its own: the kernel merges
 * caches of like objects and keeps the first creator's name. Sorted, valid until
 * the next kcaches_read() or close. Returns the number of names; 0 when there
 * are none or /sys/kernel/slab cannot be read. kcaches_read() reads that folder
 * when it meets caches that it did not know.
 */
size_t kcaches_aliases(struct kcaches *kcaches, const char *cache_name,
		       const char *const **names);

/* Frees everything. NULL is fine. */
void kcaches_close(struct kcaches *kcaches);

/*
 * Parses the text of /proc/slabinfo (version 2.x, SLUB or SLAB) into a malloc'ed
 * array with KMEM_INFO_GEOMETRY | KMEM_INFO_SLABS | KMEM_INFO_SLABINFO_ACTIVE.
 * Lines that are no cache are skipped. Returns 0, -EINVAL (no slabinfo header)
 * or -ENOMEM; on failure nothing is to be freed.
 */
int kcaches_parse_slabinfo(const char *text, struct kmem_cache_info **rows, size_t *nr);

#endif
