/* SPDX-License-Identifier: BSD-2-Clause */
/* shrinker.h - the shrinkers of kmem/shrinker.h, as reclaim calls them. */
#ifndef PAGE_SHRINKER_H
#define PAGE_SHRINKER_H

#include <kmem/shrinker.h>

#include "base/base.h"

#define SHRINKER_DEF_PRIORITY 12 /* the first round looks at 1/4096 of the objects, the last one at all */

/* One round over all shrinkers. No lock held, may block. Return: objects freed. */
unsigned long shrinker_shrink_all(gfp_t gfp, unsigned int nid, unsigned int priority);

/* Objects that one shrinker frees in one round. Apart for tests. */
unsigned long shrinker_shrink_one(struct shrinker *shrinker, struct shrink_control *sc, unsigned int priority);

/* How many are registered. */
unsigned int shrinker_count(void);

void shrinker_lock_for_fork(void);
void shrinker_unlock_after_fork(bool child);

#endif
