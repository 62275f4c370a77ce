/* SPDX-License-Identifier: BSD-2-Clause */
/* percpu.c - choice of the CPU id, the two per-CPU regions and their slots; see percpu.h. */
#include "base/percpu.h"

#include <errno.h>
#include <linux/auxvec.h>

#include "base/lock.h"
#include "base/meta.h"
#include "base/os.h"
#include "base/report.h"

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif

/* Offsets in struct rseq; glibc 2.36 knows the first two words only. */
#define RSEQ_CPU_ID_START 0
#define RSEQ_MM_CID       24

#define REGION_BYTES ((size_t)1 << KMEM_PERCPU_SHIFT)
/*
 * Slots start in the middle of a cache line: the word in the first line, objects
 * from the second on. Objects of 64 bytes start where lines do, so a store to the
 * first word of one never has the low address bits of the slot's word, which the
 * CPU would take for a dependency.
 */
#define NULL_SLOT    (CACHE_LINE + CACHE_LINE / 2)
#define MAX_FREED    64

static struct {
	enum percpu_mode mode;
	unsigned int nr_cpus;
	struct meta_range region[2];
	size_t committed; /* of each CPU's part */
	size_t used;
	lock_t lock;
	struct {
		uint32_t offset, bytes;
	} freed[MAX_FREED];
	unsigned int nr_freed;
} percpu KMEM_STATE;

struct percpu_tls percpu_tls KMEM_STATE;

/* Written once below; read by inline code in programs, for which it is constant. */
KMEM_API ptrdiff_t kmem_cpu_id_offset_value __asm__("kmem_cpu_id_offset") KMEM_STATE = 0;

static enum percpu_mode choose_mode(enum kmem_rseq_option rseq)
{
	if (rseq == KMEM_RSEQ_OFF)
		return PERCPU_NONE;
	if (!__rseq_size)
		return rseq == KMEM_RSEQ_ASSUME ? PERCPU_ASSUMED : PERCPU_NONE;
	/* Draining needs the barrier; without it (seccomp, old kernel) nothing could be taken back. */
	if (os_membarrier_register() || os_membarrier())
		return PERCPU_NONE;
	/* The kernel says what it fills in; __rseq_size is what glibc knows, 20 on all of them. */
	if (os_auxval(AT_RSEQ_FEATURE_SIZE) >= RSEQ_MM_CID + 4)
		return PERCPU_MM_CID;
	return PERCPU_CPU_ID;
}

/* Make [committed, end) of every CPU's part of both regions usable. */
static int commit_slots(size_t end)
{
	unsigned int which, cpu;

	end = ALIGN_UP(end, (size_t)64 << 10);
	if (end <= percpu.committed)
		return 0;
	if (end > REGION_BYTES)
		return -ENOMEM;
	for (which = 0; which < 2; which++) {
		for (cpu = 0; cpu < percpu.nr_cpus; cpu++) {
			int rc = meta_ensure_at(&percpu.region[which], cpu * REGION_BYTES + percpu.committed,
						end - percpu.committed);

			if (rc)
				return rc;
		}
	}
	percpu.committed = end;
	return 0;
}

int percpu_init(enum kmem_rseq_option rseq)
{
	int rc;

	percpu.mode = choose_mode(rseq);
	percpu.nr_cpus = percpu.mode == PERCPU_NONE || percpu.mode == PERCPU_ASSUMED ? 1 : os_nr_cpus();
	percpu_tls.rseq = __rseq_offset;
	percpu_tls.id = __rseq_offset + (percpu.mode == PERCPU_MM_CID ? RSEQ_MM_CID : RSEQ_CPU_ID_START);
	kmem_cpu_id_offset_value = percpu_tls.id;
	rc = meta_reserve(&percpu.region[0], "kmem percpu 0", percpu.nr_cpus * REGION_BYTES);
	if (!rc)
		rc = meta_reserve(&percpu.region[1], "kmem percpu 1", percpu.nr_cpus * REGION_BYTES);
	percpu.used = NULL_SLOT;
	return rc ? rc : commit_slots(percpu.used);
}

enum percpu_mode percpu_mode(void)
{
	return percpu.mode;
}

unsigned int percpu_nr_cpus(void)
{
	return percpu.nr_cpus;
}

size_t percpu_bytes(void)
{
	return percpu.nr_cpus * REGION_BYTES;
}

uint64_t percpu_region(unsigned int which)
{
	return (uintptr_t)percpu.region[which].base;
}

static uint32_t reuse_slot(size_t bytes)
{
	unsigned int i;

	for (i = 0; i < percpu.nr_freed; i++) {
		uint32_t offset = percpu.freed[i].offset;

		if (percpu.freed[i].bytes != bytes)
			continue;
		percpu.freed[i] = percpu.freed[--percpu.nr_freed];
		return offset;
	}
	return 0;
}

uint32_t percpu_slot_alloc(size_t bytes)
{
	uint32_t offset = 0;

	if (percpu.mode == PERCPU_NONE)
		return 0;
	bytes = ALIGN_UP(bytes, (size_t)CACHE_LINE);
	lock_acquire(&percpu.lock, LOCK_META);
	offset = reuse_slot(bytes);
	if (!offset && !commit_slots(percpu.used + bytes)) {
		offset = (uint32_t)percpu.used;
		percpu.used += bytes;
	}
	lock_release(&percpu.lock, LOCK_META);
	return offset;
}

void percpu_slot_free(uint32_t offset, size_t bytes)
{
	bytes = ALIGN_UP(bytes, (size_t)CACHE_LINE);
	lock_acquire(&percpu.lock, LOCK_META);
	if (offset && percpu.nr_freed < MAX_FREED) {
		percpu.freed[percpu.nr_freed].offset = offset;
		percpu.freed[percpu.nr_freed++].bytes = (uint32_t)bytes;
	}
	lock_release(&percpu.lock, LOCK_META);
}

void percpu_barrier(void)
{
	if (percpu.mode == PERCPU_CPU_ID || percpu.mode == PERCPU_MM_CID)
		BUG_ON(os_membarrier() != 0);
}

void percpu_after_fork(void)
{
	lock_reset(&percpu.lock);
}
