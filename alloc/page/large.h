/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * large.h - objects with an address range of their own: beyond 4 MiB, the
 * buddy's largest block. They take whole blocks of arena address space, and
 * memory for just their pages.
 */
#ifndef PAGE_LARGE_H
#define PAGE_LARGE_H

#include "page/page.h"

/*
 * Map `bytes` (> 0) of node nid, zero-filled; nid < 0: of the running CPU's. Aligned
 * to 4 MiB, or to `align` (a power of two) if that is more. Return: its head page,
 * type LARGE and MAPPED; NULL when out of memory.
 */
struct page *large_map(size_t bytes, int nid);
struct page *large_map_aligned(size_t bytes, size_t align, int nid);

/* Unmap what large_map() returned. The memory is gone at once. */
void large_unmap(struct page *page);

/* Change the size within the blocks that it has. Return: false when that is not possible. */
bool large_resize(struct page *page, size_t bytes);

/*
 * Change the size in place, or by moving pages without copying. Return: the
 * head page, perhaps a new one; NULL when out of memory, the old one valid.
 */
struct page *large_remap(struct page *page, size_t bytes);

/* How many there are, and were at most; and their bytes. */
struct large_usage {
	uint64_t nr, peak_nr, bytes, peak_bytes;
};
struct large_usage large_usage(void);

#endif
