/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tail.c - the time of single calls: eight sizes, 1000 places, one of them replaced at each step.
 *
 * Prints quantiles in ns (less the shortest time between two readings of the clock), the same of an
 * empty control between the same readings, and how many calls of a million took more than 2 us although
 * the thread had no page fault and was not preempted: those are the allocator's own, or an interrupt's,
 * and the control shows how many of the latter there are.
 */
#include <sys/resource.h>

#include "api.h"
#include "bench.h"

#define STEPS  6000000
#define PLACES 1000
#define MOST   (1 << 16) /* ticks that are told apart */

struct histogram {
	const char *name;
	uint32_t count[MOST];
	uint64_t slow; /* more than 2 us, nothing to explain it */
};

static struct histogram allocation = { .name = "alloc" }, release = { .name = "free" }, control = { .name = "control" };
static double tick_ns;
static uint64_t shortest = UINT64_MAX, slow_ticks;

/* Faults and switches of this thread so far. */
static long disturbances(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt + usage.ru_majflt + usage.ru_nvcsw + usage.ru_nivcsw;
}

static void record(struct histogram *h, uint64_t ticks)
{
	static long before;

	ticks = ticks > shortest ? ticks - shortest : 0;
	h->count[ticks < MOST ? ticks : MOST - 1]++;
	if (ticks > slow_ticks) {
		long now = disturbances();

		h->slow += now == before;
		before = now;
	}
}

static void step(api_handle *handle, uint64_t *state, int timed)
{
	static uint8_t class_of[PLACES];
	static void *place[PLACES];
	uint64_t r = bench_random(state), t0, t1, t2, t3;
	size_t k = (r >> 20) % PLACES, c = r >> 40 & 7;

	t0 = bench_tsc();
	if (place[k])
		api_free(handle[class_of[k]], place[k]);
	t1 = bench_tsc();
	place[k] = api_alloc(handle[c]);
	t2 = bench_tsc();
	class_of[k] = (uint8_t)c;
	*(volatile long *)place[k] = 1;
	if (!timed)
		return;
	record(&release, t1 - t0);
	record(&allocation, t2 - t1);
	t2 = bench_tsc();
	t3 = bench_tsc();
	record(&control, t3 - t2);
}

static double quantile(const struct histogram *h, double share)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < MOST - 1; i++) {
		sum += h->count[i];
		if ((double)sum >= share * STEPS)
			break;
	}
	return i * tick_ns;
}

static void print(const struct histogram *h)
{
	printf("%s_p999 %.1f\n%s_p9999 %.1f\n%s_slow %.2f\n", h->name, quantile(h, 0.999), h->name, quantile(h, 0.9999),
	       h->name, (double)h->slow * 1e6 / STEPS);
}

int main(void)
{
	api_handle handle[API_CLASSES];
	uint64_t state = 88172645463325252u;
	long i;

	tick_ns = bench_tick_ns();
	slow_ticks = (uint64_t)(2000 / tick_ns);
	api_open_classes(handle);
	for (i = 0; i < 10000; i++) {
		uint64_t begin = bench_tsc(), ticks = bench_tsc() - begin;

		if (ticks < shortest)
			shortest = ticks;
	}
	for (i = 0; i < STEPS / 10; i++)
		step(handle, &state, 0);
	for (i = 0; i < STEPS; i++)
		step(handle, &state, 1);
	print(&allocation);
	print(&release);
	print(&control);
	return 0;
}
