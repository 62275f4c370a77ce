/* SPDX-License-Identifier: BSD-2-Clause */
/* kfree_rcu.h - kfree_rcu() and relatives; see kmem/rcu.h. */
#ifndef SLAB_KFREE_RCU_H
#define SLAB_KFREE_RCU_H

/* Before the first call. */
void kfree_rcu_init(void);

#endif
