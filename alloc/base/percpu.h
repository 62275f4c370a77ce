/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percpu.h - the per-CPU regions: memory that only the running CPU changes,
 * inside restartable sequences (rseq).
 *
 *   region 0:  | CPU 0: null slot, slots of cache 1, 2, ... | CPU 1: ... |
 *   region 1:  the same layout, empty; a drain swaps a cache over to it
 *
 * A CPU is told apart by the rseq area's mm_cid where the kernel has it
 * (compact: a process with n threads uses n ids), else by its cpu_id_start.
 * Without rseq (valgrind, old kernels, GLIBC_TUNABLES, KMEM_OPTIONS=rseq=off)
 * the id is read from a thread-local 0 and every slot keeps capacity 0, so that
 * the fast path always takes the slow one, which then works under locks. That
 * costs the fast path no extra branch.
 */
#ifndef BASE_PERCPU_H
#define BASE_PERCPU_H

#include <kmem/fastpath.h>

#include "base/base.h"

enum percpu_mode {
	PERCPU_NONE,   /* no rseq: shared slots under locks */
	PERCPU_CPU_ID,
	PERCPU_MM_CID,
};

/* Decide the mode and reserve the regions. allow_rseq false forces PERCPU_NONE. 0 or -ENOMEM. */
int percpu_init(bool allow_rseq);

enum percpu_mode percpu_mode(void);
unsigned int percpu_nr_cpus(void);
size_t percpu_bytes(void);

/*
 * Reserve `bytes` in every CPU's part of both regions. Return: offset, 0 when
 * the regions are full, memory is out, or there is no rseq: the cache then
 * works with the null slot, that is, under its lock.
 */
uint32_t percpu_slot_alloc(size_t bytes);
void percpu_slot_free(uint32_t offset, size_t bytes);

/* Address of CPU 0's part of region 0 or 1; other CPUs lie KMEM_PERCPU_SHIFT apart. */
uint64_t percpu_region(unsigned int which);

/* Restart all critical sections in progress, so that a region swapped out before is quiet. */
void percpu_barrier(void);

/* In the child of fork(). */
void percpu_after_fork(void);

/* Offset of the CPU id from the thread pointer; what the fast path indexes with. */
extern ptrdiff_t percpu_id_offset;

/* Id of the running CPU: a hint, it may change at any time. */
static inline unsigned int percpu_this_cpu(void)
{
	uint32_t id;

	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(id) : "r"(percpu_id_offset));
	return id;
}

#endif
