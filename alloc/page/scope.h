/* SPDX-License-Identifier: BSD-2-Clause */
/* scope.h - what the calling thread has said about its allocations: memalloc_*_save() of kmem/gfp.h. */
#ifndef PAGE_SCOPE_H
#define PAGE_SCOPE_H

#include <kmem/gfp.h>

#include "base/base.h"

enum scope_flags {
	SCOPE_MEMALLOC = 1 << 0, /* the kernel's PF_MEMALLOC: no reclaim, no watermarks */
	SCOPE_NOFS = 1 << 1,
	SCOPE_NOIO = 1 << 2,
};

extern KMEM_HIDDEN __thread unsigned int scope_flags;

/* The flags of a request within the thread's scopes. */
static inline gfp_t scope_gfp(gfp_t gfp)
{
	if (likely(!(scope_flags & (SCOPE_NOFS | SCOPE_NOIO))))
		return gfp;
	return scope_flags & SCOPE_NOIO ? gfp & ~(__GFP_IO | __GFP_FS) : gfp & ~__GFP_FS;
}

#endif
