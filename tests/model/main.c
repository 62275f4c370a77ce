/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - random operations against the model; a failure is reduced to the few that are needed.
 *
 * model [-n OPERATIONS] [-s SEED] [-v EVERY] [-t THREADS] [-r FILE]
 *   -n  how many operations (default 2e6; the long run is 1e8)
 *   -s  where the random numbers start (default 1)
 *   -v  validate the allocator's structures every so many operations (default 5000, 0 never)
 *   -t  so many threads at once, each with its own model and caches; not reduced
 *   -r  run the operations in FILE, as a failure has printed them
 *
 * An epoch of operations runs in a process of its own, so that a failure needs
 * nothing from before it. Exit: 0, 1 a difference was found, 2 usage.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/model.h"

#define EPOCH 200000u

static struct {
	uint64_t operations, seed, every;
	unsigned int threads;
	const char *file;
} option = { 2000000, 1, 5000, 0, NULL };

/* Shared with the child: how far it came. */
static volatile uint64_t *progress;

/* ---- one epoch in a child ---- */

static void run_list(const struct operation *list, uint64_t nr)
{
	struct model *m = model_new();
	uint64_t i;

	for (i = 0; i < nr; i++) {
		*progress = i;
		model_run(m, &list[i]);
		if (option.every && i % option.every == option.every - 1)
			model_validate();
	}
	*progress = nr;
	model_end(m);
	model_validate();
}

/* Return: whether the list runs through. quiet: keep its words to ourselves. */
static bool passes(const struct operation *list, uint64_t nr, bool quiet)
{
	struct rlimit no_core = { 0, 0 };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &no_core);
		alarm(120);
		if (quiet && !freopen("/dev/null", "w", stderr))
			_exit(3);
		run_list(list, nr);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* ---- reducing ---- */

/* Leave out parts of the list, halves first, then ever smaller ones, as long as it fails. Return: what is left. */
static uint64_t reduce(struct operation *list, uint64_t nr)
{
	struct operation *shorter = malloc(nr * sizeof(*shorter));
	uint64_t part, at;
	unsigned int tries = 0;

	if (!shorter)
		return nr;
	for (part = nr / 2; part; part /= 2) {
		for (at = 0; at + part <= nr && tries < 3000;) {
			memcpy(shorter, list, at * sizeof(*list));
			memcpy(shorter + at, list + at + part, (nr - at - part) * sizeof(*list));
			tries++;
			if (passes(shorter, nr - part, true)) {
				at += part;
				continue;
			}
			nr -= part;
			memcpy(list, shorter, nr * sizeof(*list));
		}
	}
	free(shorter);
	return nr;
}

static void report(struct operation *list, uint64_t nr, uint64_t seed)
{
	uint64_t failed_at = *progress, i;
	char line[128];

	fprintf(stderr, "model: failed with seed %lu at operation %lu; reducing\n", seed, failed_at);
	if (failed_at < nr && !passes(list, failed_at + 1, true))
		nr = failed_at + 1;
	option.every = option.every ? 1 : 0;
	if (nr > 5000 || passes(list, nr, true))
		option.every = 0;
	if (passes(list, nr, true))
		option.every = 5000;
	nr = reduce(list, nr);
	passes(list, nr, false);
	printf("# model: %lu operations fail; run them with: model -v %lu -r FILE\n", nr, option.every);
	for (i = 0; i < nr; i++) {
		model_print(&list[i], line, sizeof(line));
		puts(line);
	}
}

/* ---- the ways to run ---- */

static int run_epochs(void)
{
	struct operation *list = malloc(EPOCH * sizeof(*list));
	uint64_t done, i;

	for (done = 0; list && done < option.operations; done += EPOCH) {
		uint64_t nr = option.operations - done < EPOCH ? option.operations - done : EPOCH;
		uint64_t seed = option.seed + done / EPOCH;

		for (i = 0; i < nr; i++)
			list[i] = model_operation(seed, i);
		if (passes(list, nr, false))
			continue;
		report(list, nr, seed);
		return 1;
	}
	free(list);
	printf("model: %lu operations, no difference\n", option.operations);
	return 0;
}

static int run_file(void)
{
	struct operation *list = calloc(EPOCH, sizeof(*list));
	FILE *f = fopen(option.file, "r");
	uint64_t nr = 0;
	char line[256];

	if (!f || !list) {
		fprintf(stderr, "model: cannot read %s: %s\n", option.file, strerror(errno));
		return 2;
	}
	while (nr < EPOCH && fgets(line, sizeof(line), f))
		if (line[0] != '#' && !model_parse(line, &list[nr++])) {
			fprintf(stderr, "model: %s: no operation: %s", option.file, line);
			return 2;
		}
	fclose(f);
	return passes(list, nr, false) ? 0 : 1;
}

static void *run_thread(void *number)
{
	uint64_t seed = option.seed * 1000 + (uint64_t)(uintptr_t)number, i;
	struct model *m = model_new();

	for (i = 0; i < option.operations / option.threads; i++) {
		struct operation op = model_operation(seed, i);

		model_run(m, &op);
	}
	model_end(m);
	return NULL;
}

/* Threads meet in kmalloc's caches, in the page lists and zones; each has a dozen caches beside. */
static int run_threads(void)
{
	pthread_t thread[64];
	unsigned int i;

	for (i = 0; i < option.threads; i++)
		if (pthread_create(&thread[i], NULL, run_thread, (void *)(uintptr_t)i))
			return 2;
	for (i = 0; i < option.threads; i++)
		pthread_join(thread[i], NULL);
	model_validate();
	printf("model: %lu operations on %u threads, no difference\n", option.operations, option.threads);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: model [-n OPERATIONS] [-s SEED] [-v EVERY] [-t THREADS] [-r FILE]\n");
	return 2;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:s:v:t:r:")) != -1) {
		switch (c) {
		case 'n': option.operations = (uint64_t)strtod(optarg, NULL); break;
		case 's': option.seed = strtoull(optarg, NULL, 0); break;
		case 'v': option.every = (uint64_t)strtod(optarg, NULL); break;
		case 't': option.threads = (unsigned int)strtoul(optarg, NULL, 0); break;
		case 'r': option.file = optarg; break;
		default: return usage();
		}
	}
	if (optind != argc || option.threads > 64)
		return usage();
	progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		return 2;
	if (option.file)
		return run_file();
	return option.threads ? run_threads() : run_epochs();
}
