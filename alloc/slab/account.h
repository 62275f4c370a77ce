/* SPDX-License-Identifier: BSD-2-Clause */
/* account.h - charging objects to groups (kmem/group.h), on the watched path. */
#ifndef SLAB_ACCOUNT_H
#define SLAB_ACCOUNT_H

#include <kmem/gfp.h>
#include <kmem/group.h>

#include "base/base.h"

extern KMEM_HIDDEN uint32_t account_groups; /* that exist, or have objects */

/* Before an allocation that is accounted: id of the group charged, 0 nobody's, -1 when it has no room for `bytes`. */
int account_charge(gfp_t gfp, size_t bytes);

/* After it: the object's owner; or, with NULL, that nothing was allocated. */
void account_own(int id, void *object, size_t bytes);

/* Before an object is freed. bytes as it was charged with. */
void account_release(const void *object, size_t bytes);

/* In the child of fork(). */
void account_after_fork(void);

static inline bool account_on(void)
{
	return READ_ONCE(account_groups) != 0;
}

#endif
