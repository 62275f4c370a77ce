/* SPDX-License-Identifier: BSD-2-Clause */
/* pcpu.h - per-CPU memory for programs: start and fork; the calls are in kmem/percpu.h. */
#ifndef POOL_PCPU_H
#define POOL_PCPU_H

/* After percpu_init(). Return: 0 or -ENOMEM. */
int pcpu_init(void);

/* Around fork(). */
void pcpu_lock_for_fork(void);
void pcpu_unlock_after_fork(int child);

#endif
