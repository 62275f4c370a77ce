/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/page_frag_cache.h for kernel code in userspace: fragments of pages, of libkmem. */
#ifndef KMEM_COMPAT_LINUX_PAGE_FRAG_CACHE_H
#define KMEM_COMPAT_LINUX_PAGE_FRAG_CACHE_H

#include <kmem/page.h>

#endif
