/* SPDX-License-Identifier: BSD-2-Clause */
/* percpu.c - choice of the CPU id, the two per-CPU regions and their slots; see percpu.h. */
#include "base/percpu.h"

#include <errno.h>
#include <linux/auxvec.h>

#include "base/lock.h"
#include "base/meta.h"
#include "base/numa.h"
#include "base/os.h"
#include "base/report.h"
#include "base/trace.h"

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

static struct {
	enum percpu_mode mode;
	unsigned int nr_cpus;
	struct meta_range region[2];
	struct meta_range slots; /* percpu_tls.slots */
	size_t committed; /* of each CPU's part */
	size_t used;
	lock_t lock;
	uint32_t freed; /* offset of the first freed slot, see slot_freed() */
} percpu KMEM_STATE;

/*
 * Stands in for the rseq area, with 0 as the CPU id. The area itself does not do: with
 * KMEM_OPTIONS=rseq=off, or without membarrier, glibc has registered it all the
 * same, and it names the CPU, whose part the one-CPU region does not have.
 */
static __thread struct {
	char other[RSEQ_MM_CID]; /* sections are announced in here */
	uint32_t cpu;
} no_rseq __attribute__((aligned(32)));

/* One cache line. */
struct percpu_tls percpu_tls KMEM_STATE __attribute__((aligned(CACHE_LINE)));

/* Written once below; read by inline code in programs, for which it is constant. */
KMEM_API ptrdiff_t percpu_public_id __asm__("kmem_fast_id") KMEM_STATE;
KMEM_API const uint32_t *percpu_public_semaphore __asm__("kmem_fast_semaphore") KMEM_STATE;

static enum percpu_mode choose_mode(enum kmem_rseq_option rseq)
{
	if (rseq == KMEM_RSEQ_OFF)
		return PERCPU_NONE;
	if (!__rseq_size)
		return rseq == KMEM_RSEQ_ASSUME ? PERCPU_ASSUMED : PERCPU_NONE;
	/* Draining needs the barrier; without it (seccomp, old kernel) nothing could be taken back. */
	if (os_membarrier_register() || os_membarrier())
		return PERCPU_NONE;
	/* An mm_cid says nothing about the node. */
	if (numa_nr_nodes() > 1)
		return PERCPU_CPU_ID;
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

/* From the thread pointer, the same in every thread. */
static ptrdiff_t stand_in(void)
{
	return (char *)&no_rseq - (char *)__builtin_thread_pointer();
}

/* Offset of the CPU id from the thread pointer, the same in every thread. */
static ptrdiff_t id_offset(void)
{
	switch (percpu.mode) {
	case PERCPU_MM_CID:
		return __rseq_offset + RSEQ_MM_CID;
	case PERCPU_CPU_ID:
		return __rseq_offset + RSEQ_CPU_ID_START;
	default:
		return stand_in() + RSEQ_MM_CID;
	}
}

/* Whether the CPU id is where the area's mm_cid is, and one byte. */
static bool is_hot(void)
{
	return (percpu.mode == PERCPU_MM_CID || percpu.mode == PERCPU_ASSUMED) && percpu.nr_cpus <= 256;
}

uint64_t percpu_hot_slot(uint64_t slot)
{
	return is_hot() ? slot : percpu_region(0);
}

/* Every entry that can be met before a cache has its id: the null slot. */
static int init_slots(void)
{
	const size_t nr = UINT16_MAX + 1;
	size_t id;
	int rc = meta_reserve(&percpu.slots, "kmem slots", nr * sizeof(*percpu_tls.slots));

	if (!rc)
		rc = meta_ensure_at(&percpu.slots, 0, nr * sizeof(*percpu_tls.slots));
	if (rc)
		return rc;
	percpu_tls.slots = (uint64_t *)(void *)percpu.slots.base;
	percpu_tls.slots[KMEM_ID_NONE] = percpu_region(0);
	for (id = KMEM_ID_MAX; id < nr; id++)
		percpu_tls.slots[id] = percpu_region(0);
	return 0;
}

void percpu_publish(void)
{
	percpu_public_id = percpu_tls.id;
	percpu_public_semaphore = (const uint32_t *)(const void *)&trace_semaphore[TRACE_KMEM_CACHE_ALLOC];
}

int percpu_init(enum kmem_rseq_option rseq)
{
	int rc;

	percpu.mode = choose_mode(rseq);
	percpu.nr_cpus = percpu.mode == PERCPU_NONE || percpu.mode == PERCPU_ASSUMED ? 1 : os_nr_cpus();
	percpu_tls.rseq = __rseq_offset;
	percpu_tls.id = id_offset();
	percpu_tls.area = percpu.mode == PERCPU_MM_CID ? __rseq_offset : stand_in();
	if (!percpu_public_semaphore)
		percpu_publish();
	rc = meta_reserve(&percpu.region[0], "kmem percpu 0", percpu.nr_cpus * REGION_BYTES);
	if (!rc)
		rc = meta_reserve(&percpu.region[1], "kmem percpu 1", percpu.nr_cpus * REGION_BYTES);
	percpu.used = NULL_SLOT;
	percpu.committed = 0;
	if (!rc)
		rc = commit_slots(percpu.used);
	return rc ? rc : init_slots();
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

static struct kmem_slot *slot_at(unsigned int which, unsigned int cpu, uint32_t offset)
{
	return (struct kmem_slot *)(void *)(percpu.region[which].base + cpu * REGION_BYTES + offset);
}

/* Freed slots are chained through their own memory: CPU 0, region 0, `limit` the next, `address_mask` the size. */
static struct kmem_slot *slot_freed(uint32_t offset)
{
	return slot_at(0, 0, offset);
}

static uint32_t reuse_slot(size_t bytes)
{
	uint32_t *link = &percpu.freed;

	while (*link) {
		uint32_t offset = *link;
		struct kmem_slot *slot = slot_freed(offset);

		if (slot->address_mask == bytes) {
			*link = slot->limit;
			slot->limit = 0;
			slot->address_mask = 0;
			return offset;
		}
		link = &slot->limit;
	}
	return 0;
}

/* The next owner's capacity may be smaller: a slot holding more than its capacity would overflow. */
static void reset_capacity(uint32_t offset)
{
	unsigned int which, cpu;

	for (which = 0; which < 2; which++)
		for (cpu = 0; cpu < percpu.nr_cpus; cpu++)
			if (slot_at(which, cpu, offset)->limit) {
				slot_at(which, cpu, offset)->limit = 0;
				slot_at(which, cpu, offset)->capacity = 0;
			}
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
	if (!offset)
		return;
	reset_capacity(offset);
	lock_acquire(&percpu.lock, LOCK_META);
	slot_freed(offset)->address_mask = (uint32_t)ALIGN_UP(bytes, (size_t)CACHE_LINE);
	slot_freed(offset)->limit = percpu.freed;
	percpu.freed = offset;
	lock_release(&percpu.lock, LOCK_META);
}

bool percpu_barrier(void)
{
	return (percpu.mode != PERCPU_CPU_ID && percpu.mode != PERCPU_MM_CID) || os_membarrier() == 0;
}

void percpu_after_fork(void)
{
	lock_reset(&percpu.lock);
}
