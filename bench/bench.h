/* SPDX-License-Identifier: BSD-2-Clause */
/* bench.h - clocks, random numbers and medians for the benchmark programs. */
#ifndef BENCH_H
#define BENCH_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

static inline double bench_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline uint64_t bench_tsc(void)
{
	unsigned int cpu;

	return __rdtscp(&cpu);
}

/* Nanoseconds per tick of the TSC, from 10 ms of both clocks. */
static inline double bench_tick_ns(void)
{
	double begin = bench_clock_ns(CLOCK_MONOTONIC), now;
	uint64_t tsc = bench_tsc();

	do
		now = bench_clock_ns(CLOCK_MONOTONIC);
	while (now - begin < 1e7);
	return (now - begin) / (double)(bench_tsc() - tsc);
}

static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double bench_median(double *value, size_t nr)
{
	qsort(value, nr, sizeof(*value), bench_compare);
	return value[nr / 2];
}

/* The mean without the highest and the lowest hundredth, in which somebody else ran. */
static inline double bench_trimmed_mean(double *value, size_t nr)
{
	size_t cut = nr / 100, i;
	double sum = 0;

	qsort(value, nr, sizeof(*value), bench_compare);
	for (i = cut; i < nr - cut; i++)
		sum += value[i];
	return sum / (double)(nr - 2 * cut);
}

static inline void bench_pin(size_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

#endif
