/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lifetime.h - mempools begin and end. A pool that was destroyed still has what
 * calls need, and it says so: no call has to ask first.
 */
#ifndef POOL_LIFETIME_H
#define POOL_LIFETIME_H

#include <kmem/mempool.h>

#include "base/base.h"

/* Whether a pool has begun and not ended, asked on slow paths. If not, that was reported for `function`. */
bool mempool_is_live(const mempool_t *pool, const char *function);

#endif
