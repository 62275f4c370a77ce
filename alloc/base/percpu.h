/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percpu.h - the per-CPU regions: memory that only the running CPU changes,
 * inside restartable sequences (rseq).
 *
 *   region 0:  | CPU 0: null slot, slots of cache 1, 2, ... | CPU 1: ... |
 *   region 1:  the same layout, empty; a drain swaps a cache over to it
 *
 * A CPU is told apart by the rseq area's mm_cid where the kernel has it
 * (compact: a process with n threads uses n ids), else, and with several nodes,
 * by its cpu_id_start.
 * Without rseq (valgrind, old kernels, GLIBC_TUNABLES, KMEM_OPTIONS=rseq=off)
 * the id is read from a thread-local 0 and every slot keeps capacity 0, so that
 * the fast path always takes the slow one, which then works under locks. That
 * costs the fast path no extra branch.
 */
#ifndef BASE_PERCPU_H
#define BASE_PERCPU_H

#include <kmem/fastpath.h>
#include <kmem/options.h>

#include "base/base.h"

enum percpu_mode {
	PERCPU_NONE,   /* no rseq: shared slots under locks */
	PERCPU_CPU_ID,
	PERCPU_MM_CID,
	PERCPU_ASSUMED, /* one CPU, one thread, no kernel: see KMEM_RSEQ_ASSUME */
};

/* Decide the mode and reserve the regions; see kmem/options.h. 0 or -ENOMEM. */
int percpu_init(enum kmem_rseq_option rseq);

/*
 * Tell inline code in programs about this copy of the library. Of two, libkmem.so that the program is linked
 * with and a preloaded libkmem-malloc.so, whose functions it calls, the latter does so again.
 */
void percpu_publish(void);

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

/*
 * Restart all critical sections in progress, so that a region swapped out before is quiet. Return: false when the
 * program's filter of system calls refuses it by now.
 */
bool percpu_barrier(void);

/* In the child of fork(). */
void percpu_after_fork(void);

/*
 * Where the thread's rseq area and the CPU id lie, from the thread pointer: what
 * the fast path needs. And the shorter way of kmalloc() and malloc(), slab/hot.h:
 * one area with the id at a fixed place, and the slots by cache id.
 */
extern KMEM_HIDDEN struct percpu_tls {
	ptrdiff_t rseq;
	ptrdiff_t id;
	ptrdiff_t area;   /* of an rseq area whose mm_cid is the CPU id; a thread-local stand-in when there is none */
	uint64_t *slots;  /* by any value of the id map: CPU 0's slot; the null slot for what is no cache */
} percpu_tls;

/*
 * What belongs into percpu_tls.slots, and into other tables that are used with
 * percpu_tls.area, for a slot of CPU 0: the null slot when the CPU id is elsewhere.
 */
uint64_t percpu_hot_slot(uint64_t slot);

/* Id of the running CPU: a hint, it may change at any time. */
static inline unsigned int percpu_this_cpu(void)
{
	uint32_t id;

	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(id) : "r"(percpu_tls.id));
	return id;
}

#endif
