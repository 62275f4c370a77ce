/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - timing loops: median over rounds of thread CPU time.
 *
 * A round is a million units: shorter ones measure how fast the CPU learns again,
 * after the system call that reads the clock, which stores feed which loads.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_ROUNDS 41

static inline double bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median over rounds of f(arg, n) in ns per unit, n units a round. */
static inline double bench_median(void (*f)(void *, long), void *arg, long n)
{
	double round[BENCH_ROUNDS];
	int i;

	f(arg, n);
	for (i = 0; i < BENCH_ROUNDS; i++) {
		double start = bench_now_ns();

		f(arg, n);
		round[i] = (bench_now_ns() - start) / (double)n;
	}
	qsort(round, BENCH_ROUNDS, sizeof(round[0]), bench_compare);
	return round[BENCH_ROUNDS / 2];
}

/* The program's rows: `prog` prints all, `prog NAME N` runs one loop of N units for callgrind. */
struct bench_row {
	const char *name;
	void (*loop)(void *, long);
	long n;
};

static inline int bench_main(int argc, char **argv, const struct bench_row *row, size_t rows, void *arg)
{
	size_t i;

	for (i = 0; i < rows; i++) {
		if (argc == 3 && !strcmp(argv[1], row[i].name))
			row[i].loop(arg, atol(argv[2]));
		else if (argc == 1)
			printf("%s %.3f\n", row[i].name, bench_median(row[i].loop, arg, row[i].n));
	}
	return 0;
}

#endif
