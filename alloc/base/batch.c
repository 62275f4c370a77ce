/* SPDX-License-Identifier: BSD-2-Clause */
/* batch.c - buffers of event records: per-CPU cursors, the list of empty ones, delivery; see batch.h. */
#include "base/batch.h"

#include <errno.h>
#include <stddef.h>

#include "base/meta.h"
#include "base/observe.h"
#include "base/os.h"
#include "base/trace.h"

#define OFFSET_MASK ((uint64_t)KMEM_BATCH_BYTES - 1)
#define EXTRA       64u  /* buffers in delivery, beyond those that CPUs fill */

_Static_assert(sizeof(struct kmem_batch) == KMEM_BATCH_BYTES, "a full buffer ends where the next begins");

uint64_t batch_cursors KMEM_STATE;
struct kmem_batches batch_root KMEM_STATE;

static struct {
	struct meta_range range;
	uint64_t empty;         /* list of empty buffers: number of the first + 1; above, how often it changed */
	uint32_t used;          /* buffers [used, nr_buffers) were never taken */
	uint32_t slot;          /* offset of the cursors in the per-CPU region, 0 without */
	uint64_t shared_cursor; /* without per-CPU memory: under `busy` */
	uint64_t no_cursor;     /* stays 0 */
	uint32_t busy;
} batches KMEM_STATE;

/* In append_shared(): a signal handler must not wait for its own thread. */
static __thread bool appending;

int batch_init(void)
{
	uint32_t nr = percpu_nr_cpus() + EXTRA;
	int rc = meta_reserve(&batches.range, "kmem batches", ((size_t)nr + 1) * KMEM_BATCH_BYTES);

	if (!rc)
		rc = meta_ensure(&batches.range, batches.range.limit);
	if (rc)
		return rc;
	batches.slot = percpu_slot_alloc(CACHE_LINE);
	batch_cursors = batches.slot ? percpu_region(0) + batches.slot : (uintptr_t)&batches.no_cursor;
	batch_root.cursors = batches.slot ? batch_cursors : (uintptr_t)&batches.shared_cursor;
	batch_root.nr_cpus = batches.slot ? percpu_nr_cpus() : 1;
	batch_root.buffers = ALIGN_UP((uintptr_t)batches.range.base, (uintptr_t)KMEM_BATCH_BYTES);
	batch_root.nr_buffers = nr;
	observe_root.batches = (uintptr_t)&batch_root;
	return 0;
}

/* ---- empty buffers ---- */

static struct kmem_batch *buffer(uint32_t i)
{
	return (struct kmem_batch *)(uintptr_t)batch_root.buffers + i;
}

/* In the list, `count` is the next one's number + 1. */
static struct kmem_batch *take_listed(void)
{
	uint64_t head = __atomic_load_n(&batches.empty, __ATOMIC_ACQUIRE), next;

	do {
		if (!(uint32_t)head)
			return NULL;
		/* Somebody may have taken it meanwhile, and be writing there: then the exchange fails. */
		next = READ_ONCE(buffer((uint32_t)head - 1)->count) | ((head >> 32) + 1) << 32;
	} while (!__atomic_compare_exchange_n(&batches.empty, &head, next, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
	return buffer((uint32_t)head - 1);
}

static struct kmem_batch *take_buffer(void)
{
	struct kmem_batch *b = take_listed();
	uint32_t i = READ_ONCE(batches.used);

	while (!b && i < batch_root.nr_buffers)
		if (__atomic_compare_exchange_n(&batches.used, &i, i + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			b = buffer(i);
	if (b) {
		WRITE_ONCE(b->count, 0);
		b->seq = 0;
		b->tsc_first = __builtin_ia32_rdtsc();
	}
	return b;
}

static void return_buffer(struct kmem_batch *b)
{
	uint64_t head = __atomic_load_n(&batches.empty, __ATOMIC_RELAXED), next;
	uint32_t number = (uint32_t)(b - buffer(0)) + 1;

	do {
		WRITE_ONCE(b->count, (uint32_t)head);
		next = number | ((head >> 32) + 1) << 32;
	} while (!__atomic_compare_exchange_n(&batches.empty, &head, next, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static cold void count_lost(void)
{
	__atomic_fetch_add(&batch_root.lost, 1, __ATOMIC_RELAXED);
}

/* A cursor at a buffer's end: nobody else has it, since whoever moved the cursor on did so once. */
static void deliver(uint64_t cursor)
{
	struct kmem_batch *b = (struct kmem_batch *)(uintptr_t)(cursor - KMEM_BATCH_BYTES);

	b->tsc_last = __builtin_ia32_rdtsc();
	b->count = KMEM_BATCH_RECORDS;
	b->lost = READ_ONCE(batch_root.lost);
	b->seq = __atomic_add_fetch(&batch_root.delivered, 1, __ATOMIC_RELAXED);
	trace_batch(b, KMEM_BATCH_RECORDS);
	return_buffer(b);
}

/* ---- per CPU ---- */

static uint64_t *cursor_of(unsigned int cpu)
{
	return (uint64_t *)(uintptr_t)(batch_cursors + ((uint64_t)cpu << KMEM_PERCPU_SHIFT));
}

/* Replace the cursor of `cpu`, if that is the running CPU, and if it still is `full`. */
static bool replace_cursor(uint64_t cpu, uint64_t full, uint64_t next)
{
	uint64_t distance = cpu << KMEM_PERCPU_SHIFT;
	bool done;

	__asm__ volatile(KMEM_RSEQ_ENTER
		"cmpq %[distance], %%rcx\n\t"
		"jne 2f\n\t"
		"addq %[cursors], %%rcx\n\t"
		"cmpq %[full], (%%rcx)\n\t"
		"jne 2f\n\t"
		"movq %[next], (%%rcx)\n"
		KMEM_RSEQ_END
		: "=@cce"(done)
		: [rseq] "r"(percpu_tls.rseq), [id] "r"(percpu_tls.id), [cursors] "m"(batch_cursors),
		  [distance] "r"(distance), [full] "r"(full), [next] "r"(next)
		: "r11", "rcx", "memory");
	return done;
}

/* Put an empty buffer where a full one is, and deliver that. False: there is no empty one. */
static bool next_buffer(void)
{
	unsigned int cpu = percpu_this_cpu();
	uint64_t full = READ_ONCE(*cursor_of(cpu));
	struct kmem_batch *b;

	if (full & OFFSET_MASK)
		return true;
	b = take_buffer();
	if (!b)
		return false;
	b->cpu = cpu;
	if (!replace_cursor(cpu, full, (uintptr_t)b->record))
		return_buffer(b);
	else if (full)
		deliver(full);
	return true;
}

/* ---- without per-CPU memory ---- */

static void put_record(uint64_t *cursor, uint64_t tsc, const void *ptr, uint64_t site, uint64_t rest)
{
	uint64_t *word = (uint64_t *)(uintptr_t)*cursor;

	word[0] = tsc;
	word[1] = (uintptr_t)ptr;
	word[2] = site;
	word[3] = rest;
	WRITE_ONCE(*cursor, *cursor + sizeof(struct kmem_batch_record));
}

static void append_shared(uint64_t tsc, const void *ptr, uint64_t site, uint64_t rest)
{
	struct kmem_batch *b = NULL;
	uint64_t full = 0;

	if (appending) {
		count_lost();
		return;
	}
	appending = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	while (__atomic_exchange_n(&batches.busy, 1, __ATOMIC_ACQUIRE))
		os_yield();
	if (!(batches.shared_cursor & OFFSET_MASK)) {
		b = take_buffer();
		full = batches.shared_cursor;
		if (b)
			batches.shared_cursor = (uintptr_t)b->record;
	}
	if (batches.shared_cursor & OFFSET_MASK)
		put_record(&batches.shared_cursor, tsc, ptr, site, rest);
	else
		count_lost();
	__atomic_store_n(&batches.busy, 0, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	appending = false;
	if (b && full)
		deliver(full);
}

noinline void batch_append_slow(uint64_t tsc, const void *ptr, uint64_t site, uint64_t rest)
{
	if (!batches.slot) {
		append_shared(tsc, ptr, site, rest);
		return;
	}
	do {
		if (!next_buffer()) {
			count_lost();
			return;
		}
	} while (!batch_try_append(tsc, ptr, site, rest));
}

/* Delivered again if it fills after this: a reader knows a buffer by its address and tsc_first. */
static void deliver_part(uint64_t cursor)
{
	struct kmem_batch *b;
	uint64_t bytes;

	if (!cursor)
		return;
	/* A cursor at the very end: full, and left to the next append. */
	b = (struct kmem_batch *)(uintptr_t)((cursor - 1) & ~OFFSET_MASK);
	bytes = cursor - (uintptr_t)b->record;
	if (bytes)
		trace_batch(b, (unsigned int)(bytes / sizeof(b->record[0])));
}

void batch_flush(void)
{
	unsigned int cpu;

	for (cpu = 0; batches.slot && cpu < percpu_nr_cpus(); cpu++)
		deliver_part(READ_ONCE(*cursor_of(cpu)));
	deliver_part(READ_ONCE(batches.shared_cursor));
}

void batch_after_fork(void)
{
	unsigned int cpu;

	for (cpu = 0; batches.slot && cpu < percpu_nr_cpus(); cpu++)
		*cursor_of(cpu) = 0;
	batches.shared_cursor = 0;
	batches.busy = 0;
	appending = false;
	batches.empty = 0;
	batches.used = 0;
	batch_root.lost = 0;
	batch_root.delivered = 0;
}
