/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wipe.h - the kernel's init_on_alloc and init_on_free: whether memory is cleared
 * that nobody asked to be. Switched at run time; the watched paths look at it.
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <kmem/gfp.h>

#include "base/base.h"

extern KMEM_HIDDEN bool wipe_on_alloc_flag, wipe_on_free_flag;

static inline bool wipe_on_alloc(void)
{
	return READ_ONCE(wipe_on_alloc_flag);
}

static inline bool wipe_on_free(void)
{
	return READ_ONCE(wipe_on_free_flag);
}

/* gfp, with __GFP_ZERO when every allocation is to be cleared. */
static inline gfp_t wipe_gfp(gfp_t gfp)
{
	return wipe_on_alloc() ? gfp | __GFP_ZERO : gfp;
}

#endif
