/* SPDX-License-Identifier: BSD-2-Clause */
/* strict.h - what the public calls check in strict mode; see kmem/strict.h. */
#ifndef BASE_STRICT_H
#define BASE_STRICT_H

#include <kmem/strict.h>

#include "base/base.h"

extern KMEM_HIDDEN bool strict_flag;

void strict_check_slow(gfp_t gfp, const void *call_site);

/* An allocation with these flags is about to be made for call_site. */
static inline void strict_check(gfp_t gfp, const void *call_site)
{
	if (READ_ONCE(strict_flag))
		strict_check_slow(gfp, call_site);
}

#endif
