/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * populated.c - drop the pages of root ranges that do not exist.
 *
 * Reservations of gigabytes are common and mostly empty; a page that was never
 * touched holds no pointer. PAGEMAP_SCAN finds the others at page-table speed
 * and tells pages of a file from private copies. The pagemap file of older
 * kernels says the same with 8 bytes per page, present or not.
 */
#include "kmemleak/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* From linux/fs.h of 6.7; Debian 12's headers are older. */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define IOC_PAGEMAP_SCAN _IOWR('f', 16, struct scan_arg)
#define IS_FILE    (1u << 2)
#define IS_PRESENT (1u << 3)
#define IS_SWAPPED (1u << 4)
#define IS_PFNZERO (1u << 5)

#define REGIONS        512
#define PAGEMAP_BATCH  8192
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define PAGEMAP_FILE    (UINT64_C(1) << 61)

/* Without PAGEMAP_SCAN larger inaccessible reservations are passed over: 8 bytes per page is too much to read. */
#define RESERVATION_BYTES (UINT64_C(1) << 30)

#define PAGE_START(addr) ((addr) & ~(uint64_t)(KMEM_PAGE_BYTES - 1))

/* Append the part of `range` that lies in [start, end), joined to the last one where they meet. */
static int add_part(struct roots *out, const struct root_range *range, uint64_t start, uint64_t end)
{
	struct root_range part = *range;
	struct root_range *last = out->nr ? &out->ranges[out->nr - 1] : NULL;

	part.start = start > range->start ? start : range->start;
	part.end = end < range->end ? end : range->end;
	if (part.start >= part.end)
		return 0;
	if (last && last->end == part.start && last->map == part.map && last->kind == part.kind) {
		last->end = part.end;
		return 0;
	}
	return roots_add(out, &part);
}

/* Return 0, -ENOMEM, or -ENOTTY and the like when the kernel cannot do this. */
static int scan_range(struct roots *out, const struct root_range *range, int fd)
{
	struct scan_region regions[REGIONS];
	uint64_t unwanted = IS_PFNZERO | (range->kind == ROOT_DATA ? IS_FILE : 0);
	uint64_t at = PAGE_START(range->start);
	uint64_t end = PAGE_START(range->end + KMEM_PAGE_BYTES - 1);

	while (at < end) {
		struct scan_arg arg = {
			.size = sizeof(arg), .start = at, .end = end,
			.vec = (uintptr_t)regions, .vec_len = REGIONS,
			.category_mask = unwanted, .category_inverted = unwanted,
			.category_anyof_mask = IS_PRESENT | IS_SWAPPED,
			.return_mask = IS_PRESENT | IS_SWAPPED,
		};
		int nr = ioctl(fd, IOC_PAGEMAP_SCAN, &arg), err = 0;

		if (nr < 0)
			return -errno;
		for (int i = 0; i < nr && !err; i++)
			err = add_part(out, range, regions[i].start, regions[i].end);
		if (err || arg.walk_end <= at)
			return err;
		at = arg.walk_end;
	}
	return 0;
}

static bool page_counts(const struct root_range *range, uint64_t entry)
{
	if (!(entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)))
		return false;
	return range->kind != ROOT_DATA || !(entry & PAGEMAP_FILE);
}

static int read_pagemap(struct roots *out, const struct root_range *range, int fd)
{
	static uint64_t entries[PAGEMAP_BATCH];
	uint64_t page = range->start >> KMEM_PAGE_SHIFT;
	uint64_t end = (range->end + KMEM_PAGE_BYTES - 1) >> KMEM_PAGE_SHIFT;
	int err = 0;

	if (range->end - range->start > RESERVATION_BYTES && !(range->map->perms & TARGET_READ))
		return 0;
	while (page < end && !err) {
		size_t want = end - page < PAGEMAP_BATCH ? end - page : PAGEMAP_BATCH;
		ssize_t got = pread(fd, entries, want * sizeof(entries[0]), (off_t)(page * sizeof(entries[0])));
		size_t nr = got > 0 ? (size_t)got / sizeof(entries[0]) : 0;

		if (!nr)
			return add_part(out, range, page << KMEM_PAGE_SHIFT, range->end);
		for (size_t i = 0; i < nr && !err; i++)
			if (page_counts(range, entries[i]))
				err = add_part(out, range, (page + i) << KMEM_PAGE_SHIFT,
					       (page + i + 1) << KMEM_PAGE_SHIFT);
		page += nr;
	}
	return err;
}

int roots_populated(struct roots *roots, pid_t tid)
{
	struct roots out = { .skipped_bytes = roots->skipped_bytes, .nr_skipped = roots->nr_skipped };
	bool scan = true;
	char path[32];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	for (size_t i = 0; i < roots->nr && !err; i++) {
		const struct root_range *range = &roots->ranges[i];

		err = scan ? scan_range(&out, range, fd) : read_pagemap(&out, range, fd);
		if (err && err != -ENOMEM && scan) {
			/* Linux before 6.7: once more, with the file. */
			scan = false;
			err = read_pagemap(&out, range, fd);
		}
	}
	close(fd);
	if (err) {
		roots_free(&out);
		return err;
	}
	out.populated_known = true;
	free(roots->ranges);
	*roots = out;
	return 0;
}
