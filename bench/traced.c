/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traced.c - a loop of malloc() and free() for tracers to watch. traced PAIRS
 *
 * Prints "ready PID", waits for a line while a tracer attaches, runs, prints "cpu" and the nanoseconds of the process's CPU
 * time per pair, waits for another line while the tracer looks. Calls go through the PLT, where ltrace sits.
 */
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv)
{
	static char in[64], out[64];
	long pairs = argc > 1 ? atol(argv[1]) : 0, i;
	double begin;

	if (pairs < 1)
		return 2;
	setvbuf(stdin, in, _IOFBF, sizeof(in));
	setvbuf(stdout, out, _IOLBF, sizeof(out));
	free(malloc(64));
	printf("ready %d\n", (int)getpid());
	if (getchar() == EOF)
		return 2;
	begin = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (i = 0; i < pairs; i++) {
		void *p = malloc(64);

		*(volatile long *)p = 1;
		free(p);
	}
	printf("cpu %.2f\n", (bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / (double)pairs);
	return getchar() == EOF;
}
