/* SPDX-License-Identifier: BSD-2-Clause */
/* stress.h - what the stress programs share: failing, random numbers, the number of operations. */
#ifndef TESTS_STRESS_H
#define TESTS_STRESS_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "slab/cache.h"

#define CHECK(condition, ...)                                                        \
	do {                                                                         \
		if (!(condition)) {                                                  \
			fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
			fprintf(stderr, __VA_ARGS__);                                \
			fputc('\n', stderr);                                         \
			abort();                                                     \
		}                                                                    \
	} while (0)

static inline uint32_t random_next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* First argument, such as 2000000 or 1e8. */
static inline uint64_t operations(int argc, char **argv, double fallback)
{
	double n = argc > 1 ? strtod(argv[1], NULL) : fallback;

	return n < 1 ? 1 : (uint64_t)n;
}

static inline void move_to_cpu(int tid, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(tid, sizeof(set), &set);
}

#endif
