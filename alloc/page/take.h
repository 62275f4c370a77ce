/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * take.h - where a block comes from: the zonelist with its watermarks, growth,
 * reclaim and retries.
 */
#ifndef PAGE_TAKE_H
#define PAGE_TAKE_H

#include "page/zone.h"

/* Fill in type and flags of a request from its gfp and the thread's scopes. */
void take_prepare(struct page_request *request);

/* Return: a block with order and migratetype set, counted; NULL when there is none, reported. */
struct page *take_block(struct page_request *request);

/*
 * nr_pages in a row, not a power of two, as buddy_take_run() finds them, without
 * growth or reclaim. NULL: take a block and trim it.
 */
struct page *take_run(const struct page_request *request, uint32_t nr_pages);

/* The names of gfp flags as the kernel prints them, "GFP_KERNEL|__GFP_ZERO". */
size_t take_gfp_names(char *buf, size_t bytes, gfp_t gfp);

#endif
