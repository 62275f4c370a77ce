/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.h - asking whether an allocation shall fail; see kmem/fault.h. Only on watched paths. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <kmem/fault.h>
#include <kmem/gfp.h>

#include "base/base.h"

/* Read KMEM_FAILSLAB, KMEM_FAIL_PAGE_ALLOC, ... with `variable`, which is like getenv(). Mistakes are reported. */
void fault_setup(char *(*variable)(const char *name));

/* An object of `bytes`; marked: its cache has SLAB_FAILSLAB. */
bool fault_slab(gfp_t gfp, size_t bytes, bool marked, const void *call_site);

/* A block of pages. */
bool fault_pages(gfp_t gfp, unsigned int order, const void *call_site);

/* What the program asked for, and fault_slab() does not see: KMEM_FAIL_NTH counts it. */
bool fault_object(gfp_t gfp, const void *call_site);

/* Whether a mempool shall do without the allocator below. */
bool fault_mempool(const void *call_site);

/* A piece of a region pool. */
bool fault_mp_pool(size_t bytes, const void *call_site);

#endif
