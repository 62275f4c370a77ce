/* SPDX-License-Identifier: BSD-2-Clause */
/* aggregate.c - sequences by hand, and random ones beside a plain model. */
#include "kmemtrace/aggregate.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct aggregate a;
static struct aggregate_options options;

static void stride_is_64(void *context, struct group *g)
{
	(void)context;
	g->stride = g->cache == 9 ? 0 : 64;
	g->selected = g->stack != 99;
}

static void setup(void)
{
	options = (struct aggregate_options){ .describe = stride_is_64 };
}

static void teardown(void)
{
	aggregate_close(&a);
}

TestSuite(aggregate, .init = setup, .fini = teardown);

static void begin(void)
{
	cr_assert(aggregate_init(&a, &options));
}

static struct aggregate_event event(uint64_t time, uint16_t cpu, uint64_t ptr, uint64_t size, uint32_t stack)
{
	return (struct aggregate_event){ .time_ns = time, .ptr = ptr, .size = size, .stack = stack, .cache = 1, .pid = 7,
					 .space = 7, .cpu = cpu };
}

static void alloc(uint64_t time, uint16_t cpu, uint64_t ptr, uint64_t size, uint32_t stack)
{
	struct aggregate_event e = event(time, cpu, ptr, size, stack);

	aggregate_alloc(&a, &e);
}

static void release(uint64_t time, uint16_t cpu, uint64_t ptr)
{
	struct aggregate_event e = event(time, cpu, ptr, 0, 0);

	aggregate_free(&a, &e);
}

static void old(uint64_t ptr, uint64_t size)
{
	struct aggregate_event e = event(0, 0, ptr, size, 50);

	aggregate_before(&a, &e);
}

static const struct stats *of(uint32_t stack)
{
	for (size_t i = 0; i < a.nr_groups; i++)
		if (a.group[i].stack == stack)
			return &a.group[i].stats;
	cr_assert(false, "no group with stack %u", stack);
	return NULL;
}

Test(aggregate, counts)
{
	begin();
	alloc(10, 0, 0x1000, 50, 1);
	alloc(20, 0, 0x2000, 60, 1);
	alloc(30, 0, 0x3000, 64, 2);
	release(40, 0, 0x1000);
	aggregate_end(&a, 100);
	cr_expect(of(1)->allocs == 2 && of(1)->frees == 1 && of(1)->bytes == 110 && of(1)->freed_bytes == 50);
	cr_expect(of(1)->live_objects == 1 && of(1)->live_bytes == 60 && of(1)->live_waste == 4 && of(1)->waste == 18);
	cr_expect(of(2)->allocs == 1 && of(2)->live_bytes == 64 && of(2)->live_waste == 0);
	cr_expect(a.total.allocs == 3 && a.total.live_objects == 2 && a.total.live_bytes == 124 && a.events == 4);
	cr_expect_eq(of(1)->lifetime.max, 30);
	cr_expect_eq(of(1)->age.max, 80);
	cr_expect_eq(a.total.age.nr, 2);
	cr_expect_eq(a.live.nr, 2);
}

/* The peak is 160 at 30; who holds what at that moment differs from both ends. */
Test(aggregate, who_holds_the_peak)
{
	begin();
	alloc(10, 0, 0x1000, 100, 1);
	alloc(20, 0, 0x2000, 50, 2);
	alloc(30, 0, 0x3000, 10, 3);
	release(40, 0, 0x1000);
	alloc(50, 0, 0x4000, 90, 2);
	release(60, 0, 0x3000);
	alloc(70, 0, 0x5000, 5, 4);
	aggregate_end(&a, 100);
	cr_expect_eq(a.total.peak_bytes, 160);
	cr_expect_eq(a.peak_ns, 30);
	cr_expect(of(1)->peak_bytes == 100 && of(1)->peak_objects == 1);
	cr_expect_eq(of(2)->peak_bytes, 50);
	cr_expect_eq(of(3)->peak_bytes, 10);
	cr_expect_eq(of(4)->peak_bytes, 0, "it came after the peak");
	cr_expect_eq(of(2)->high_bytes, 140);
}

Test(aggregate, a_peak_at_the_very_end)
{
	begin();
	alloc(10, 0, 0x1000, 100, 1);
	alloc(20, 0, 0x2000, 50, 2);
	aggregate_end(&a, 20);
	cr_expect(of(1)->peak_bytes == 100 && of(2)->peak_bytes == 50 && a.total.peak_objects == 2);
}

Test(aggregate, temporary_and_remote)
{
	begin();
	alloc(10, 0, 0x1000, 8, 1);
	release(20, 0, 0x1000);     /* temporary */
	alloc(30, 0, 0x1000, 8, 1);
	alloc(31, 1, 0x2000, 8, 2); /* another CPU's allocation changes nothing */
	release(40, 0, 0x1000);     /* temporary */
	alloc(50, 0, 0x3000, 8, 1);
	alloc(51, 0, 0x4000, 8, 1);
	release(60, 0, 0x3000);     /* not */
	release(61, 1, 0x4000);     /* temporary and remote */
	release(70, 1, 0x2000);     /* temporary */
	aggregate_end(&a, 100);
	cr_expect(of(1)->temporary == 3 && of(1)->remote == 1);
	cr_expect(of(2)->temporary == 1 && of(2)->remote == 0);
	cr_expect(a.total.temporary == 4 && a.total.remote == 1);
}

Test(aggregate, what_cannot_be)
{
	begin();
	alloc(10, 0, 0x1000, 8, 1);
	alloc(20, 0, 0x1000, 16, 2);
	release(30, 0, 0x1000);
	release(40, 0, 0x1000);
	aggregate_end(&a, 100);
	cr_expect_eq(a.errors.double_allocs, 1);
	cr_expect_eq(a.errors.first_double.time_ns, 20);
	cr_expect_eq(a.errors.unknown_frees, 1);
	cr_expect_eq(a.errors.first_unknown.time_ns, 40);
	cr_expect(a.total.live_bytes == 0 && a.total.live_objects == 0 && a.live.nr == 0);
	cr_expect_eq(of(1)->live_bytes, 0, "the second allocation took its place");
}

Test(aggregate, what_was_there_before)
{
	begin();
	old(0x1000, 64);
	old(0x2000, 64);
	old(0x3000, 64);
	old(0x3000, 64);
	alloc(10, 0, 0x2000, 8, 1); /* so it had gone: the list was made a little earlier */
	release(20, 0, 0x1000);
	release(30, 0, 0x2000);
	aggregate_end(&a, 100);
	cr_expect_eq(a.errors.double_allocs + a.errors.unknown_frees, 0);
	cr_expect_eq(a.replaced, 1);
	cr_expect(of(50)->start_objects == 3 && of(50)->allocs == 0 && of(50)->frees == 1 && of(50)->live_objects == 1);
	cr_expect_eq(of(50)->lifetime.nr, 0, "how long it lived is not known");
	cr_expect(a.total.start_bytes == 192 && a.total.live_bytes == 64);
	cr_expect_eq(a.total.age.nr, 0);
}

Test(aggregate, a_window)
{
	options.from_ns = 25;
	options.to_ns = 45;
	begin();
	alloc(10, 0, 0x1000, 100, 1);
	alloc(20, 0, 0x2000, 10, 1);
	release(24, 0, 0x2000);
	alloc(30, 0, 0x3000, 7, 2);
	release(40, 0, 0x1000);
	release(45, 0, 0x3000);
	aggregate_end(&a, 100);
	cr_expect(of(1)->allocs == 0 && of(1)->start_bytes == 100 && of(1)->frees == 1);
	cr_expect_eq(of(1)->lifetime.max, 30, "it began before the window");
	cr_expect(of(2)->allocs == 1 && of(2)->live_bytes == 7);
	cr_expect_eq(a.timeline.start_ns, 25);
	cr_expect_eq(a.last_ns, 45);
	cr_expect_eq(a.total.peak_bytes, 107);
}

Test(aggregate, a_window_without_events)
{
	options.from_ns = 1000;
	begin();
	alloc(10, 0, 0x1000, 100, 1);
	aggregate_end(&a, 500);
	cr_expect(a.total.allocs == 0 && a.total.start_bytes == 100 && a.total.live_bytes == 100);
}

Test(aggregate, who_is_not_selected_is_followed)
{
	begin();
	alloc(10, 0, 0x1000, 100, 99);
	alloc(20, 0, 0x2000, 10, 1);
	release(30, 0, 0x1000);
	aggregate_end(&a, 100);
	cr_expect(a.total.allocs == 1 && a.total.peak_bytes == 10 && a.events == 1);
	cr_expect_eq(a.errors.unknown_frees, 0);
}

Test(aggregate, a_process_ends)
{
	begin();
	for (uint32_t i = 0; i < 1000; i++) {
		struct aggregate_event e = event(i, 0, 0x1000 + i * 16, 10, 1 + i % 2);

		e.pid = e.space = 7 + i % 2;
		aggregate_alloc(&a, &e);
	}
	cr_expect_eq(aggregate_forget(&a, 8, 2000), 500);
	aggregate_end(&a, 3000);
	cr_expect(a.live.nr == 500 && a.total.live_objects == 500 && a.total.live_bytes == 5000 && a.total.frees == 0);
	cr_expect(of(1)->live_objects == 500 && of(2)->live_objects == 0);
	cr_expect_eq(a.total.peak_bytes, 10000);
}

Test(aggregate, by_size)
{
	options.by_size = true;
	begin();
	alloc(10, 0, 0x1000, 40, 1);
	alloc(20, 0, 0x2000, 41, 1);
	alloc(30, 0, 0x3000, 41, 1);
	alloc(40, 0, 0x4000, 8193, 1);
	alloc(50, 0, 0x6000, 16384, 1);
	aggregate_end(&a, 100);
	cr_expect_eq(a.nr_groups, 3);
	cr_expect(a.group[1].size == 41 && a.group[1].stats.allocs == 2);
	cr_expect(a.group[2].size == 16384 && a.group[2].stats.allocs == 2);
}

Test(aggregate, whole_pages)
{
	struct aggregate_event e = event(1, 0, 0x10000, 5000, 1);

	begin();
	e.cache = 9;
	aggregate_alloc(&a, &e);
	aggregate_end(&a, 2);
	cr_expect_eq(a.total.live_waste, 8192 - 5000);
}

/* Bins double; nothing is counted twice or lost, and gaps keep the level. */
Test(aggregate, timeline)
{
	const struct timeline *t = &a.timeline;
	uint64_t allocs = 0, time = 0, i;

	begin();
	for (i = 0; i < 3000; i++) {
		time = i * i * 1000;
		alloc(time, 0, 0x1000 + i * 16, 10, 1);
	}
	aggregate_end(&a, time * 2);
	for (i = 0; i < t->nr; i++) {
		allocs += t->bin[i].allocs;
		cr_assert(t->bin[i].live_bytes == allocs * 10, "bin %lu: %lu of %lu", i, t->bin[i].live_bytes, allocs * 10);
		cr_assert_eq(t->bin[i].high_bytes, t->bin[i].live_bytes);
	}
	cr_expect_eq(allocs, 3000);
	cr_expect(t->nr > TIMELINE_BINS / 2 && t->nr <= TIMELINE_BINS);
	cr_expect(t->nr * t->width_ns >= time * 2 && (t->nr - 1) * t->width_ns <= time * 2);
}

/* The peak of each group by brute force: a copy of everything whenever there is a new one. */
Test(aggregate, peaks_as_by_brute_force)
{
	static struct { uint64_t size; uint32_t stack; } object[64];
	uint64_t held[9] = { 0 }, at_peak[9] = { 0 }, total = 0, peak = 0, seed = 5;

	begin();
	for (uint64_t time = 1; time < 20000; time++) {
		uint32_t i, size;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		i = (uint32_t)(seed >> 33) % 64;
		size = (uint32_t)(seed >> 40) % 1000 + 1;
		if (object[i].size) {
			release(time, 0, 0x1000 * (i + 1));
			held[object[i].stack] -= object[i].size;
			total -= object[i].size;
			object[i].size = 0;
			continue;
		}
		object[i].size = size;
		object[i].stack = (uint32_t)(seed >> 50) % 8 + 1;
		alloc(time, 0, 0x1000 * (i + 1), size, object[i].stack);
		held[object[i].stack] += size;
		total += size;
		if (total > peak) {
			peak = total;
			memcpy(at_peak, held, sizeof(held));
		}
	}
	aggregate_end(&a, 20000);
	cr_expect_eq(a.total.peak_bytes, peak);
	for (uint32_t stack = 1; stack <= 8; stack++) {
		cr_expect_eq(of(stack)->peak_bytes, at_peak[stack]);
		cr_expect_eq(of(stack)->live_bytes, held[stack]);
	}
}
