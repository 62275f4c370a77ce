/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * kernel_events.bpf.h - what all programs on the kernel's tracepoints kmem:* need:
 * whose event it is, and the cache of an object.
 *
 * kmalloc and kfree do not say which cache they used. The user side picks how
 * to find out (kernel_lookup.h): the kfunc bpf_get_kmem_cache() from 6.13 on,
 * before that the page descriptor, which the kernel would look at, too.
 */
#ifndef KERNEL_EVENTS_BPF_H
#define KERNEL_EVENTS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel_lookup.h"
#include "kmem_event.h"
#include "page.bpf.h"
#include "scalar.bpf.h"

#define PAGE_BYTES (1ULL << PAGE_SHIFT)
#define MAX_ORDER  52 /* any more cannot be an address */

/* In .rodata: the verifier knows the values and drops what they rule out. */
const volatile struct kernel_config config = {};

extern struct kmem_cache *bpf_get_kmem_cache(__u64 addr) __ksym __weak;

static __always_inline bool is_wanted(void)
{
	struct bpf_pidns_info task = {};

	if (!config.only_tgid)
		return true;
	if (!config.pidns_ino)
		return bpf_get_current_pid_tgid() >> 32 == config.only_tgid;
	return bpf_get_ns_current_pid_tgid(config.pidns_dev, config.pidns_ino, &task, sizeof(task)) == 0 &&
	       task.tgid == config.only_tgid;
}

/* The page descriptor of an object's slab or large block: the head page. */
static __always_inline struct page *head_page(__u64 ptr)
{
	__u64 vmemmap = config.vmemmap_base, page_offset = config.page_offset_base;

	if (config.lookup == KERNEL_LOOKUP_PAGE) {
		bpf_probe_read_kernel(&vmemmap, sizeof(vmemmap), (void *)config.vmemmap_base);
		bpf_probe_read_kernel(&page_offset, sizeof(page_offset), (void *)config.page_offset_base);
	}
	return head_of(vmemmap + ((ptr - page_offset) >> PAGE_SHIFT) * bpf_core_type_size(struct page));
}

static __always_inline __u64 cache_by_page(__u64 ptr)
{
	struct page *page = head_page(ptr);
	int is_slab = is_slab_page(page);

	if (is_slab < 0)
		return KMEM_KEY_UNKNOWN;
	if (!is_slab)
		return KMEM_KEY_LARGE;
	return (__u64)BPF_CORE_READ((struct slab *)page, slab_cache);
}

/* The cache key of an object, for events that do not say it. */
static __always_inline __u64 cache_of(__u64 ptr)
{
	__u64 cache;

	switch (config.lookup) {
	case KERNEL_LOOKUP_KFUNC:
		cache = scalar_of(bpf_get_kmem_cache(ptr));
		return cache ? cache : KMEM_KEY_LARGE;
	case KERNEL_LOOKUP_PAGE:
	case KERNEL_LOOKUP_FIXED:
		return cache_by_page(ptr);
	default:
		return KMEM_KEY_UNKNOWN;
	}
}

/* Bytes of a block of pages. */
static __always_inline __u64 order_bytes(__u32 order)
{
	return order < MAX_ORDER ? PAGE_BYTES << order : 0;
}

#endif
