/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quiet.c - is the machine ours? A thread on each CPU computes for 50 ms. Prints the least share of the wall
 * time that one of them had, and the speed of a chain of dependent additions, which take a cycle each.
 */
#include <pthread.h>
#include <unistd.h>

#include "bench.h"

#define MOST_CPUS 256
#define WALL_NS   5e7

static double share[MOST_CPUS], ghz[MOST_CPUS];

static void add(long n)
{
	long sum = 0;

	for (; n; n--)
		__asm__ volatile("addq $1, %0" : "+r"(sum));
}

static void *compute(void *arg)
{
	double wall, cpu;
	long cpu_nr = (long)arg, rounds = 0;

	bench_pin((size_t)cpu_nr);
	wall = bench_clock_ns(CLOCK_MONOTONIC);
	cpu = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	do {
		add(100000);
		rounds++;
	} while (bench_clock_ns(CLOCK_MONOTONIC) - wall < WALL_NS);
	cpu = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	share[cpu_nr] = cpu / (bench_clock_ns(CLOCK_MONOTONIC) - wall);
	ghz[cpu_nr] = (double)rounds * 1e5 / cpu;
	return NULL;
}

int main(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	pthread_t thread[MOST_CPUS];
	double least = 1;

	cpus = cpus > MOST_CPUS ? MOST_CPUS : cpus;
	for (i = 0; i < cpus; i++)
		pthread_create(&thread[i], NULL, compute, (void *)i);
	for (i = 0; i < cpus; i++) {
		pthread_join(thread[i], NULL);
		least = share[i] < least ? share[i] : least;
	}
	printf("share %.3f\nghz %.2f\n", least, bench_median(ghz, (size_t)cpus));
	return 0;
}
