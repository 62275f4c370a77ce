/* SPDX-License-Identifier: BSD-2-Clause */
/* walk.h - the arena's page descriptors and pageblocks, one after the other. */
#ifndef TEXT_WALK_H
#define TEXT_WALK_H

#include "text/text.h"

/*
 * Every block that is somebody's: slabs, large objects, alloc_pages(), free and
 * parked ones. A block that changes hands meanwhile may be missed or miscounted.
 * Return: 0 or -errno of a read.
 */
int walk_blocks(const struct text_source *src,
		void (*visit)(void *context, const struct page *head, unsigned int zone), void *context);

/* Every pageblock of the page allocator, with its mobility. Return: as above. */
int walk_pageblocks(const struct text_source *src, void (*visit)(void *context, unsigned int zone, unsigned int type),
		    void *context);

#endif
