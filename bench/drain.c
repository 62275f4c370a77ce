/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.c - how long it takes to take the parked objects of one cache away from all CPUs, while a thread on
 * each other CPU goes on allocating from it. Prints the median in us.
 */
#include <pthread.h>
#include <unistd.h>

#include "api.h"
#include "bench.h"

#define DRAINS 1001

static api_handle handle;
static volatile int stop;

static void *use(void *arg)
{
	void *object[32];
	int i;

	bench_pin((size_t)arg);
	while (!stop) {
		for (i = 0; i < 32; i++)
			object[i] = api_alloc(handle);
		for (i = 0; i < 32; i++)
			api_free(handle, object[i]);
	}
	return NULL;
}

int main(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), i, k;
	static double us[DRAINS];
	pthread_t thread[64];
	void *object[32];

	handle = api_open(64, NULL);
	bench_pin(0);
	for (i = 1; i < cpus && i < 64; i++)
		pthread_create(&thread[i], NULL, use, (void *)(intptr_t)i);
	for (i = 0; i < DRAINS; i++) {
		double begin;

		for (k = 0; k < 32; k++)
			object[k] = api_alloc(handle);
		for (k = 0; k < 32; k++)
			api_free(handle, object[k]);
		begin = bench_clock_ns(CLOCK_MONOTONIC);
		kmem_cache_shrink(handle);
		us[i] = (bench_clock_ns(CLOCK_MONOTONIC) - begin) / 1e3;
	}
	stop = 1;
	for (i = 1; i < cpus && i < 64; i++)
		pthread_join(thread[i], NULL);
	printf("drain %.2f\n", bench_median(us, DRAINS));
	return 0;
}
