/* SPDX-License-Identifier: BSD-2-Clause */
/* pages.h - the page allocator's files: buddyinfo, pagetypeinfo, extfrag, vmstat, zoneinfo, and parked pages. */
#ifndef TEXT_PAGES_H
#define TEXT_PAGES_H

#include "text/text.h"

/* Each appends a whole file. Return: 0, or -errno of a read that failed; the text is then not complete. */

/* /proc/buddyinfo: free blocks by order. Blocks parked in per-CPU lists are not in it, as in the kernel. */
int text_buddyinfo(struct text *t, const struct text_source *src);

/* The same format for what /proc/buddyinfo leaves out: blocks parked in per-CPU lists. */
int text_pcpinfo(struct text *t, const struct text_source *src);

/* /proc/pagetypeinfo: free blocks by mobility and order, pageblocks by mobility. */
int text_pagetypeinfo(struct text *t, const struct text_source *src);

/*
 * debugfs extfrag/unusable_index: which part of the free memory an allocation of
 * each order cannot use; extfrag/extfrag_index: why it would fail: towards 0 for
 * lack of memory, towards 1 for fragmentation, -1 when it would succeed.
 */
int text_unusable_index(struct text *t, const struct text_source *src);
int text_extfrag_index(struct text *t, const struct text_source *src);

/* /proc/vmstat and /proc/zoneinfo, with the counters that there are here. */
int text_vmstat(struct text *t, const struct text_source *src);
int text_zoneinfo(struct text *t, const struct text_source *src);

#endif
