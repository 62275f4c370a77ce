/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.h - start of the layer of pools, and fork(). */
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include <stdbool.h>

/* After cache_init(). Return: 0 or -ENOMEM. */
int pool_init(void);

/* Around fork(), outside of the caches' locks. */
void pool_lock_for_fork(void);
void pool_unlock_after_fork(bool child);

#endif
