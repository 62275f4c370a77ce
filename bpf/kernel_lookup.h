/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* kernel_lookup.h - how kernel.bpf.c finds the cache of a kmalloc() or kfree() object. */
#ifndef KERNEL_LOOKUP_H
#define KERNEL_LOOKUP_H

enum kernel_lookup {
	KERNEL_LOOKUP_NONE,  /* not at all: such events count under KMEM_KEY_UNKNOWN */
	KERNEL_LOOKUP_KFUNC, /* bpf_get_kmem_cache(), 6.13 and later */
	KERNEL_LOOKUP_PAGE,  /* page descriptor; needs the symbols vmemmap_base and page_offset_base */
};

#endif
