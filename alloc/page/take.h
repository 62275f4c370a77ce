/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * take.h - where a block comes from: the zonelist with its watermarks, growth,
 * reclaim and retries.
 */
#ifndef PAGE_TAKE_H
#define PAGE_TAKE_H

#include "page/pcp.h"

/* Fill in type and flags of a request from its gfp and the thread's scopes. */
void take_prepare(struct page_request *request);

/* The same as take_block(), past the parked page that it looks for first. */
struct page *take_from_zones(gfp_t gfp, unsigned int order, unsigned int nid);

/*
 * A block of 2^order pages, meant for node nid. Return: with order, node and
 * migratetype set, counted; NULL when there is none, reported.
 */
static force_inline struct page *take_block(gfp_t gfp, unsigned int order, unsigned int nid)
{
	struct kmem_zone *zone = zone_list(gfp, nid)[0];
	enum migratetype type = gfp_migratetype(gfp);
	struct page *page = NULL;

	/* A parked page costs no watermark: what the thread's scopes and the flags allow does not matter. */
	if (likely(pcp_has_order(order) && zone->node == nid))
		page = pcp_take(zone, nid, order, type);
	if (unlikely(!page))
		page = take_from_zones(gfp, order, nid);
	if (likely(page))
		WRITE_ONCE(page->migratetype, (uint8_t)type);
	return page;
}

/*
 * nr_pages in a row, not a power of two, as buddy_take_run() finds them, without
 * growth or reclaim. NULL: take a block and trim it.
 */
struct page *take_run(gfp_t gfp, uint32_t nr_pages, unsigned int nid);

/* The names of gfp flags as the kernel prints them, "GFP_KERNEL|__GFP_ZERO". */
size_t take_gfp_names(char *buf, size_t bytes, gfp_t gfp);

/* The nr_pages behind a block in use, for it, when they are free. Makes no system call. */
bool take_behind(const struct page *page, uint32_t nr_pages);

#endif
