/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* kernel_lookup.h - what the programs on the kernel's tracepoints are told before they are loaded. */
#ifndef KERNEL_LOOKUP_H
#define KERNEL_LOOKUP_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* How the cache of a kmalloc() or kfree() object is found. */
enum kernel_lookup {
	KERNEL_LOOKUP_NONE,  /* not at all: such events count under KMEM_KEY_UNKNOWN */
	KERNEL_LOOKUP_KFUNC, /* bpf_get_kmem_cache(), 6.13 and later */
	KERNEL_LOOKUP_PAGE,  /* page descriptor, by the kernel's variables vmemmap_base and page_offset_base */
	KERNEL_LOOKUP_FIXED, /* page descriptor, where the kernel has these as constants */
};

struct kernel_config {
	__u64 vmemmap_base;     /* the variable's address; FIXED: the value */
	__u64 page_offset_base; /* the same */
	__u64 pidns_dev;        /* whose process ids only_tgid is one of; 0: the first's */
	__u64 pidns_ino;
	__u32 only_tgid; /* only what this process causes; 0: all */
	__u32 lookup;    /* enum kernel_lookup */
};

#endif
