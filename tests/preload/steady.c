/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that goes on for longer than a decay period with objects of all sizes up to 300 KB,
 * each replaced by one of its size. It calls getppid() when it has warmed up.
 * steady SECONDS: to warm up, and to go on for
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HELD 3000

static void *held[HELD];

static uint64_t random_number(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* Of ten objects nine are small. */
static size_t size_of(unsigned int place)
{
	if (place < HELD * 9 / 10)
		return place * 7 % 1024;
	return place % 3 ? place * 7 % 20000 : place * 101 % 300000;
}

static void replace(unsigned int place)
{
	size_t size = size_of(place);
	char *p;

	switch (random_number() % 8) {
	case 0:
		p = realloc(held[place], size + 1);
		break;
	case 1:
		free(held[place]);
		p = calloc(1, size);
		break;
	default:
		free(held[place]);
		p = malloc(size);
	}
	if (!p)
		_exit(2);
	if (size)
		p[0] = p[size - 1] = 1;
	held[place] = p;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void go_on(double seconds)
{
	double end = now() + seconds;
	unsigned int i;

	while (now() < end)
		for (i = 0; i < 20000; i++)
			replace((unsigned int)(random_number() % HELD));
}

int main(int argc, char **argv)
{
	double seconds = argc == 2 ? atof(argv[1]) : 3;

	go_on(seconds);
	getppid();
	go_on(seconds);
	_exit(0);
}
