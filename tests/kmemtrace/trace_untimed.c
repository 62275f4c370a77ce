/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_untimed.c - without time stamps allocations and frees of each address alternate again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/sample.h"

TestSuite(trace_untimed, .fini = sample_clean, .timeout = 300);

#define CPUS   3
#define EVENTS 60000
#define PTRS   600
#define BUFFER 64

/* A buffer that a CPU fills, with the moment at which it was begun. */
struct filling {
	struct kmem_batch b;
};

static struct filling *filling[CPUS];
static struct trace_writer *writer;

static struct pack_names name(void *writer_again, const struct pack_event *e)
{
	uint64_t site = e->site;

	return (struct pack_names){ .stack = trace_add_stack(writer_again, e->pid, &site, 1), .cache = 1 };
}

static void deliver(int cpu, uint64_t now)
{
	struct kmem_batch *b = &filling[cpu]->b;

	b->tsc_last = now;
	if (b->count)
		trace_put_batch(writer, SAMPLE_PID, b, b->count, name, writer);
	b->count = 0;
	b->tsc_first = now;
}

static void append(int cpu, uint64_t now, enum kmem_batch_op op, uint64_t ptr)
{
	struct kmem_batch *b = &filling[cpu]->b;

	b->record[b->count++] = sample_record(0, op, ptr);
	if (b->count == BUFFER)
		deliver(cpu, now + 1);
}

/* Addresses are allocated and freed in an order that is known here only. */
static void write_random(unsigned int seed)
{
	bool live[PTRS] = { false };

	srandom(seed);
	writer = sample_begin(sample_path("u"), false);
	trace_put_snapshot(writer, TRACE_BEGIN, SAMPLE_PID, SAMPLE_TICKS, true, NULL, 0, NULL, 0);
	for (int cpu = 0; cpu < CPUS; cpu++) {
		filling[cpu] = calloc(1, sizeof(*filling[cpu]));
		filling[cpu]->b.cpu = (uint32_t)cpu;
		filling[cpu]->b.tsc_first = SAMPLE_TICKS;
	}
	for (uint64_t i = 0; i < EVENTS; i++) {
		long p = random() % PTRS;

		/* Each address belongs to a CPU, but a tenth is freed on another. */
		int cpu = live[p] && random() % 10 == 0 ? (int)(random() % CPUS) : (int)(p % CPUS);

		append(cpu, SAMPLE_TICKS + 10 * i, live[p] ? KMEM_BATCH_KFREE : KMEM_BATCH_KMALLOC,
		       0x10000 + (uint64_t)p * 64);
		live[p] = !live[p];
	}
	for (int cpu = 0; cpu < CPUS; cpu++) {
		deliver(cpu, SAMPLE_TICKS + 10 * EVENTS + 1);
		free(filling[cpu]);
	}
	trace_finish(writer, &(struct trace_totals){ 0 });
	trace_end(writer);
}

/* Return how often an address did not alternate. */
static uint64_t read_all(uint64_t *forced)
{
	struct trace *t = sample_open(sample_path("u"));
	bool live[PTRS] = { false };
	uint64_t nr = 0, wrong = 0;
	struct trace_event e;

	while (trace_next(t, &e)) {
		size_t p = (e.ptr - 0x10000) / 64;

		wrong += live[p] == trace_is_alloc(&e);
		live[p] = trace_is_alloc(&e);
		nr++;
	}
	cr_expect_eq(nr, EVENTS);
	cr_expect_eq(trace_info(t)->damaged, 0);
	*forced = trace_info(t)->forced;
	trace_close(t);
	return wrong;
}

/* What cannot be told apart may end in a few that are forced. */
Test(trace_untimed, addresses_alternate)
{
	for (unsigned int seed = 1; seed <= 5; seed++) {
		uint64_t forced, wrong;

		write_random(seed);
		wrong = read_all(&forced);
		cr_expect_leq(wrong, forced, "what does not alternate is counted: %lu, %lu", wrong, forced);
		cr_expect_lt(forced, EVENTS / 100, "%lu", forced);
		remove(sample_path("u"));
	}
}

/* The free comes first in the file, from another CPU. */
Test(trace_untimed, a_free_waits_for_its_allocation)
{
	struct trace_event e;
	struct trace *t;

	sample_write(sample_path("u"), false);
	t = sample_open(sample_path("u"));
	for (uint64_t i = 0; i < SAMPLE_EVENTS / 2; i += 1) {
		cr_assert(trace_next(t, &e));
		cr_expect(trace_is_alloc(&e) || trace_info(t)->forced == 0);
	}
	cr_expect_eq(trace_info(t)->forced, 0);
	trace_close(t);
}

/* The free of an object that lived before, and one of nothing, which a loss has left over. */
Test(trace_untimed, older_objects_and_what_is_missing)
{
	struct kmem_batch_record r[] = { sample_record(0, KMEM_BATCH_KFREE, 0x5000),
					 sample_record(0, KMEM_BATCH_KFREE, 0x6000),
					 sample_record(0, KMEM_BATCH_KMALLOC, 0x7000) };
	const struct trace_object old = { .ptr = 0x5000, .size = 60, .cache = 1, .pid = SAMPLE_PID };
	struct trace_event e;
	struct trace *t;

	writer = sample_begin(sample_path("u"), false);
	trace_put_snapshot(writer, TRACE_BEGIN, SAMPLE_PID, SAMPLE_TICKS, true, &old, 1, NULL, 0);
	sample_put(writer, 0, r, 3);
	trace_finish(writer, &(struct trace_totals){ .lost = 1 });
	trace_end(writer);
	t = sample_open(sample_path("u"));
	cr_assert(trace_next(t, &e) && e.ptr == 0x5000);
	cr_expect_eq(trace_info(t)->forced, 0);
	cr_assert(trace_next(t, &e) && e.ptr == 0x6000);
	cr_expect_eq(trace_info(t)->forced, 1);
	cr_assert(trace_next(t, &e) && e.ptr == 0x7000);
	cr_expect_eq(trace_info(t)->forced, 1);
	trace_close(t);
}
