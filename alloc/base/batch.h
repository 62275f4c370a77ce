/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.h - appends event records to the running CPU's buffer; kmem/observe_batch.h
 * says what they look like and how they leave.
 *
 * An append is one restartable sequence: four stores behind the cursor and one
 * that moves it. No lock, no atomic instruction, safe in signal handlers. Whoever
 * finds the buffer full puts an empty one in its place, in a sequence, too, and
 * delivers the full one. Buffers are taken from and returned to a lock-free list;
 * none are made later, so nothing waits and no system call is made.
 */
#ifndef BASE_BATCH_H
#define BASE_BATCH_H

#include <kmem/observe_batch.h>

#include "base/percpu.h"

/* Call after percpu_init(). 0 or -ENOMEM. */
int batch_init(void);

/* At exit: deliver what there is. Buffers stay where they are, since other threads may still append. */
void batch_flush(void);

/* In the child of fork(): what the buffers hold is the parent's to deliver. */
void batch_after_fork(void);

/* Address of CPU 0's cursor; without per-CPU memory that of one that stays 0. */
extern KMEM_HIDDEN uint64_t batch_cursors;
extern KMEM_HIDDEN struct kmem_batches batch_root;

/* The buffer is full, or there is none, or no per-CPU memory. */
void batch_append_slow(uint64_t tsc, const void *ptr, uint64_t site, uint64_t rest);

/*
 * False: nothing was done. Without per-CPU memory the cursor is one that is always
 * full: no branch of its own.
 */
static force_inline bool batch_try_append(uint64_t tsc, const void *ptr, uint64_t site, uint64_t rest)
{
	_Static_assert(KMEM_BATCH_BYTES == 0x8000 && sizeof(struct kmem_batch_record) == 32, "as in the code below");
	__asm__ goto(KMEM_RSEQ_ENTER
		"addq %[cursors], %%rcx\n\t"
		"movq (%%rcx), %%rdx\n\t"
		"testl $0x7fff, %%edx\n\t"
		"jz %l[full]\n\t"
		"movq %[tsc], (%%rdx)\n\t"
		"movq %[ptr], 8(%%rdx)\n\t"
		"movq %[site], 16(%%rdx)\n\t"
		"movq %[rest], 24(%%rdx)\n\t"
		"addq $32, (%%rcx)\n"
		KMEM_RSEQ_END
		:
		: [rseq] "r"(percpu_tls.rseq), [id] "r"(percpu_tls.id), [cursors] "m"(batch_cursors),
		  [tsc] "r"(tsc), [ptr] "r"(ptr), [site] "r"(site), [rest] "r"(rest)
		: "r11", "rcx", "rdx", "memory", "cc"
		: full);
	return true;
full:
	return false;
}

static force_inline void batch_append(uint64_t tsc, const void *ptr, uint64_t site, uint64_t rest)
{
	if (unlikely(!batch_try_append(tsc, ptr, site, rest)))
		batch_append_slow(tsc, ptr, site, rest);
}

/* The last 8 bytes of a record. */
static force_inline uint64_t batch_rest(size_t size, uint16_t cache, enum kmem_batch_op op, uint32_t flags)
{
	return MIN(size, (size_t)UINT32_MAX) | (uint64_t)cache << 32 | (uint64_t)op << 48 | (uint64_t)flags << 56;
}

#endif
