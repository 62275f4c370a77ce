/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.c - drives tools/common/collect.h for the test scripts.
 *
 *	watch [-a] PID ROOT ARENA_BASE ARENA_LIMIT IDMAP [PID ...]
 *		watches processes like fake.c: attaches, sends SIGUSR1, waits for
 *		them to end
 *	watch [-ae] -k COMMAND [ARG ...]
 *		watches what a command makes the kernel do
 *
 * -a: page events, too. -e: with -k, what everybody makes the kernel do. -m N: room
 * for N counters. -o N: room for N objects. -s N: with -k, room for N sizes. -v: libbpf's messages. Then prints
 *	row CACHE-KEY CACHE-NAME CALL-SITE TGID TYPE EVENTS BYTES-REQ BYTES-ALLOC
 *	object TGID PAGE CALL-SITE BYTES-REQ      the object at FAKE_OFFSET of the first FAKE_PAGES
 *	size CACHE-NAME BYTES-REQ EVENTS
 *	total NAME VALUE
 *	time STEP MILLISECONDS
 */
#include "common/bpfenv.h"
#include "common/collect.h"
#include "common/kcaches.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_PER_TARGET 5
#define FAKE_OFFSET      128 /* in_page() of fake.c */
#define FAKE_PAGES       16

static char err[256];
static double started;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void step_done(const char *step)
{
	printf("time %s %.1f\n", step, now_ms() - started);
	started = now_ms();
}

static void check(int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "watch: %s\n", err);
	exit(ret == -EPERM || ret == -EACCES ? 77 : 1);
}

static const char *cache_name(struct kcaches *kc, uint64_t cache)
{
	const struct kmem_cache_info *rows;
	size_t i, nr;

	if (cache == KMEM_KEY_UNKNOWN)
		return "UNKNOWN";
	if (cache == KMEM_KEY_LARGE)
		return "LARGE";
	if (cache == KMEM_KEY_PAGES)
		return "PAGES";
	check(kc ? kcaches_read(kc, &rows, &nr, err, sizeof(err)) : 0);
	for (i = 0; kc && i < nr; i++)
		if (rows[i].cache == cache)
			return rows[i].name;
	return "-";
}

static void print_rows(struct collect *c, struct kcaches *kc)
{
	const struct collect_count *rows;
	size_t i, nr;

	check(collect_read_counts(c, &rows, &nr, err, sizeof(err)));
	step_done("read");
	for (i = 0; i < nr; i++)
		printf("row %#llx %s %#llx %u %u %llu %llu %llu\n", rows[i].key.cache,
		       cache_name(kc, rows[i].key.cache), rows[i].key.call_site, rows[i].key.tgid,
		       rows[i].key.type, rows[i].count.events, rows[i].count.bytes_req,
		       rows[i].count.bytes_alloc);
}

static void print_sizes(struct collect *c, struct kcaches *kc)
{
	const struct collect_size *sizes;
	size_t i, nr;

	check(collect_read_sizes(c, &sizes, &nr, err, sizeof(err)));
	for (i = 0; i < nr; i++)
		if (sizes[i].events)
			printf("size %s %u %" PRIu64 "\n", cache_name(kc, sizes[i].key.cache), sizes[i].key.bytes_req,
			       sizes[i].events);
}

static void print_totals(struct collect *c, enum kmem_source source)
{
	struct collect_totals t;
	unsigned int type;

	check(collect_read_totals(c, source, &t, err, sizeof(err)));
	for (type = 0; type < KMEM_EV_NR; type++)
		printf("total events%u %llu\n", type, t.sum.events[type]);
	printf("total null_frees %llu\ntotal failed %llu\ntotal map_full %llu\ntotal map_busy %llu\n"
	       "total unreadable %llu\ntotal duplicates %llu\ntotal missed %" PRIu64 "\n"
	       "total lost %" PRIu64 "\ntotal used %" PRIu64 "\ntotal objects_lost %llu\ntotal sizes_full %llu\n",
	       t.sum.null_frees, t.sum.failed, t.sum.map_full, t.sum.map_busy, t.sum.unreadable,
	       t.sum.duplicates, t.missed, collect_lost(&t), t.counters_used, t.sum.objects_lost, t.sum.sizes_full);
}

/* The objects of a process like fake.c. A time outside of [since, now] is an error. */
static void print_objects(const struct collect *c, pid_t pid, uint64_t base, double since)
{
	struct collect_object object;
	uint64_t address;

	for (address = base + FAKE_OFFSET; address < base + FAKE_PAGES * 4096; address += 4096) {
		if (collect_find_object(c, pid, address, &object))
			continue;
		printf("object %d %" PRIu64 " %#" PRIx64 " %" PRIu64 "\n", pid, (address - base) / 4096,
		       object.call_site, object.bytes_req);
		if ((double)object.time_ns < since * 1e6 || (double)object.time_ns > now_ms() * 1e6) {
			fprintf(stderr, "watch: the time of an object is wrong\n");
			exit(1);
		}
	}
}

/* One process less: its counters stay, its slot is free, a second time is an error. */
static void detach_one(struct collect *c, pid_t pid)
{
	const struct collect_count *rows;
	size_t before, after;

	check(collect_read_counts(c, &rows, &before, err, sizeof(err)));
	check(collect_detach_library(c, pid, err, sizeof(err)));
	check(collect_read_counts(c, &rows, &after, err, sizeof(err)));
	if (before != after || collect_detach_library(c, pid, err, sizeof(err)) != -ENOENT) {
		fprintf(stderr, "watch: detach of %d: %zu counters before, %zu after\n", pid, before,
			after);
		exit(1);
	}
}

static void watch_processes(struct collect_options *options, int nr, char **words)
{
	struct collect *c;
	double since;
	int i;

	check(collect_open(&c, options, err, sizeof(err)));
	for (i = 0; i + WORDS_PER_TARGET <= nr; i += WORDS_PER_TARGET) {
		const struct collect_target target = {
			.pid = atoi(words[i]),
			.root = strtoull(words[i + 1], NULL, 0),
			.arena_base = strtoull(words[i + 2], NULL, 0),
			.arena_limit = strtoull(words[i + 3], NULL, 0),
			.idmap = strtoull(words[i + 4], NULL, 0),
		};
		check(collect_attach_library(c, &target, err, sizeof(err)));
	}
	step_done("attach");
	since = started;
	for (i = 0; i + WORDS_PER_TARGET <= nr; i += WORDS_PER_TARGET)
		kill(atoi(words[i]), SIGUSR1);
	for (i = 0; i + WORDS_PER_TARGET <= nr; i += WORDS_PER_TARGET)
		while (kill(atoi(words[i]), 0) == 0)
			usleep(1000);
	step_done("run");
	print_rows(c, NULL);
	for (i = 0; i + WORDS_PER_TARGET <= nr; i += WORDS_PER_TARGET)
		print_objects(c, atoi(words[i]), strtoull(words[i + 2], NULL, 0), since);
	print_totals(c, KMEM_SOURCE_LIBRARY);
	started = now_ms();
	detach_one(c, atoi(words[0]));
	collect_close(c);
	step_done("close");
}

/* Starts the command, held back until the other end of the pipe is closed. */
static pid_t start_held(char **command, int *hold)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe(ends))
		exit(2);
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		while (read(ends[0], &byte, 1) > 0)
			;
		execvp(command[0], command);
		exit(127);
	}
	close(ends[0]);
	*hold = ends[1];
	return pid;
}

static int watch_kernel(struct collect_options *options, bool everybody, char **command)
{
	struct kcaches *kc;
	struct collect *c;
	int hold, status;
	pid_t pid;

	check(kcaches_open(&kc, NULL, err, sizeof(err)));
	started = now_ms();
	pid = start_held(command, &hold);
	options->kernel_pid = everybody ? 0 : pid;
	check(collect_open(&c, options, err, sizeof(err)));
	check(collect_attach_kernel(c, err, sizeof(err)));
	step_done("attach");
	close(hold);
	waitpid(pid, &status, 0);
	step_done("run");
	collect_detach(c);
	step_done("detach");
	print_rows(c, kc);
	print_sizes(c, kc);
	print_totals(c, KMEM_SOURCE_KERNEL);
	printf("total names_kmalloc %d\n", collect_kernel_names_kmalloc(c));
	collect_close(c);
	kcaches_close(kc);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct collect_options options = { 0 };
	bool kernel = false, everybody = false;
	int opt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt(argc, argv, "+aekm:o:s:v")) != -1) {
		switch (opt) {
		case 'a':
			options.events = COLLECT_ALL;
			break;
		case 'e':
			everybody = true;
			break;
		case 'k':
			kernel = true;
			break;
		case 'm':
			options.max_counts = (uint32_t)atoi(optarg);
			break;
		case 'o':
			options.max_objects = (uint32_t)atoi(optarg);
			break;
		case 's':
			options.max_sizes = (uint32_t)atoi(optarg);
			break;
		case 'v':
			bpfenv_set_verbose(true);
			break;
		default:
			return 2;
		}
	}
	if (optind == argc)
		return 2;
	started = now_ms();
	if (kernel)
		return watch_kernel(&options, everybody, argv + optind);
	watch_processes(&options, argc - optind, argv + optind);
	return 0;
}
