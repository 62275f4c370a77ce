/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* page.bpf.h - reads the kernel's page descriptors. */
#ifndef PAGE_BPF_H
#define PAGE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define PAGE_SHIFT 12

/* The descriptor of the first page of the block that the page of this descriptor is part of. */
static __always_inline struct page *head_of(__u64 page)
{
	__u64 head = BPF_CORE_READ((struct page *)page, compound_head);

	return (struct page *)(head & 1 ? head - 1 : page);
}

/* 1 yes, 0 no, -1 this kernel marks slabs in a way that we do not know (6.10). */
static __always_inline int is_slab_page(struct page *page)
{
	struct page___flags_word *old = (void *)page;

	if (bpf_core_enum_value_exists(enum pageflags, PG_slab))
		return BPF_CORE_READ(old, flags) >> bpf_core_enum_value(enum pageflags, PG_slab) & 1;
	if (bpf_core_enum_value_exists(enum pagetype, PGTY_slab))
		return BPF_CORE_READ(page, page_type) >> 24 ==
		       bpf_core_enum_value(enum pagetype, PGTY_slab);
	return -1;
}

#endif
