/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.c - CPU time to read and add up the descriptors and bitmaps of 10 000 slabs of another
 * process. reader HOLDER: HOLDER is a program that makes them, prints READY and waits.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/heap.h"
#include "common/target.h"

#define ROUNDS 21

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static pid_t start(const char *program)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(ready[1], 1);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && read(ready[0], &byte, 1) == 1 ? pid : -1;
}

int main(int argc, char **argv)
{
	struct target target = { 0 };
	struct heap_slabs slabs = { 0 };
	double round[ROUNDS];
	struct heap heap;
	unsigned int id = 0;
	int i, rc = 1;
	pid_t pid = argc == 2 ? start(argv[1]) : -1;

	if (pid < 0 || target_open(&target, pid) || target_find_roots(&target)) {
		fprintf(stderr, "reader: %s\n", target.message);
		return 1;
	}
	heap_init(&heap, &target, target.roots[0].addr);
	for (i = 0; i < ROUNDS; i++) {
		double begin = cpu_ms();
		size_t k;

		if (heap_read(&heap))
			break;
		for (k = 0; k < heap.nr_caches && !id; k++)
			if (heap.caches[k].slabs >= 10000)
				id = heap.caches[k].cache.id;
		if (heap_read_slabs(&heap, id, &slabs))
			break;
		round[i] = cpu_ms() - begin;
	}
	if (i == ROUNDS && slabs.slabs >= 10000 && slabs.taken == slabs.inuse) {
		qsort(round, ROUNDS, sizeof(round[0]), compare);
		printf("read_10000_slabs_ms %.3f\n", round[ROUNDS / 2]);
		rc = 0;
	} else {
		fprintf(stderr, "reader: %s\n", target.message);
	}
	heap_close(&heap);
	target_close(&target);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rc;
}
