/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - the algorithms of the library on the same workloads: time, memory, worst case.
 *
 *   algorithms [-n LAUNCHES] [-p PASSES] [-c OPERATIONS] [-t FILE] RECORDING[:SIZE]...
 *
 * -n: launches, interleaved (default 7); -p: passes over the workload per launch (10);
 * -c: only so many operations of each workload; -t: the figures for gnuplot, too.
 * A workload that is made up, churn, comes after them.
 *
 * Every launch is a process of its own, so that all begin alike. The first pass is
 * cold: memory comes from the system. Of every hundred operations the slowest one is
 * noted, and of all launches and passes the least of these: that leaves out what
 * interrupts did, and not what the allocator does now and then.
 */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "allocator.h"

#define PAGE 4096u
#define NO_ROOM 3 /* exit status */
#define HUNDRED 100u
#define MAX_LAUNCHES 99

static struct {
	unsigned int launches, passes;
	size_t operations;
	FILE *figures;
} option = { 7, 10, SIZE_MAX, NULL };

/* What children tell. */
struct result {
	size_t held, occupied; /* bytes: most held; occupied by objects when most was live */
	size_t range;          /* least in which all requests are served */
	double ns[MAX_LAUNCHES];
	uint32_t *cold, *warm; /* cycles that the slowest of each hundred operations took */
};

static double cycle_ns;
static uint32_t clock_cycles; /* what reading the clock takes */

static void *shared(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED) {
		fputs("algorithms: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

static double now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t cycles(void)
{
	unsigned int cpu;

	return __rdtscp(&cpu);
}

static void calibrate(void)
{
	double start = now_ns(CLOCK_MONOTONIC);
	uint64_t from = cycles();

	while (now_ns(CLOCK_MONOTONIC) - start < 50e6)
		;
	cycle_ns = (now_ns(CLOCK_MONOTONIC) - start) / (double)(cycles() - from);
	clock_cycles = UINT32_MAX;
	for (int i = 0; i < 10000; i++) {
		uint64_t at = cycles(), took = cycles() - at;

		clock_cycles = took < clock_cycles ? (uint32_t)took : clock_cycles;
	}
}

/* ---- one pass over a workload ---- */

/* A program writes what it allocates: one byte is enough to have the memory. */
static int allocate(const struct allocator *a, const struct op *op, void **object)
{
	char *p = a->alloc(op->size, op->scope);

	if (!p)
		return -1;
	*(volatile char *)p = 1;
	object[op->id] = p;
	return 0;
}

/* Return: 0; -1 when there was no room, and all is freed again. */
static int pass(const struct allocator *a, const struct workload *w, void **object)
{
	size_t i, failed = SIZE_MAX;

	for (i = 0; i < w->nr_ops && failed == SIZE_MAX; i++) {
		const struct op *op = &w->op[i];

		if (op->is_free)
			a->free(object[op->id], op->size, op->scope);
		else if (allocate(a, op, object))
			failed = i;
		if (op->is_free)
			object[op->id] = NULL;
	}
	for (i = 0; i < failed && failed != SIZE_MAX; i++) {
		const struct op *op = &w->op[i];

		if (op->is_free || !object[op->id])
			continue;
		a->free(object[op->id], op->size, op->scope);
		object[op->id] = NULL;
	}
	if (a->over)
		a->over();
	return failed == SIZE_MAX ? 0 : -1;
}

/* As above, timing every operation. slowest: of each hundred, lowered to what it was here. */
static void timed_pass(const struct allocator *a, const struct workload *w, void **object, uint32_t *slowest)
{
	uint64_t most = 0;

	for (size_t i = 0; i < w->nr_ops; i++) {
		const struct op *op = &w->op[i];
		uint64_t from = cycles(), took;

		if (op->is_free)
			a->free(object[op->id], op->size, op->scope);
		else if (allocate(a, op, object))
			_exit(1);
		took = cycles() - from;
		most = took > most ? took : most;
		if ((i + 1) % HUNDRED && i + 1 < w->nr_ops)
			continue;
		most = most > clock_cycles ? most - clock_cycles : 0;
		if (most < slowest[i / HUNDRED])
			slowest[i / HUNDRED] = (uint32_t)most;
		most = 0;
	}
	if (a->over)
		a->over();
}

/* ---- memory ---- */

/* Pages that were seen, in a table that is never full. */
struct pages {
	uintptr_t *at;
	size_t mask, nr;
};

static void see(struct pages *pages, uintptr_t from, size_t bytes)
{
	for (uintptr_t page = from / PAGE; page <= (from + bytes - 1) / PAGE; page++) {
		size_t i = page * 0x9e3779b1u & pages->mask;

		while (pages->at[i] && pages->at[i] != page)
			i = (i + 1) & pages->mask;
		pages->nr += !pages->at[i];
		pages->at[i] = page;
	}
}

/* Objects carry their id, so that two in the same place show. */
static void mark(const struct op *op, void *p)
{
	if (op->size >= sizeof(op->id))
		memcpy(p, &op->id, sizeof(op->id));
}

static void check(const struct op *op, const void *p, const char *name)
{
	if (op->size < sizeof(op->id) || !memcmp(p, &op->id, sizeof(op->id)))
		return;
	fprintf(stderr, "algorithms: %s gave two objects the same place\n", name);
	_exit(1);
}

static void measure_memory(const struct allocator *a, const struct workload *w, void **object, struct result *r)
{
	struct pages pages = { shared(sizeof(uintptr_t) << 20), (1u << 20) - 1, 0 };
	size_t occupied = 0, held;
	uintptr_t from;

	a->start(w, r->range);
	for (size_t i = 0; i < w->nr_ops; i++) {
		const struct op *op = &w->op[i];

		if (op->is_free) {
			if (a != allocators)
				check(op, object[op->id], a->name);
			a->free(object[op->id], op->size, op->scope);
		} else {
			object[op->id] = a->alloc(op->size, op->scope);
			if (!object[op->id])
				_exit(1);
			mark(op, object[op->id]);
			if (a->extent) {
				size_t bytes = a->extent(object[op->id], op->size, &from);

				see(&pages, from, bytes);
			}
		}
		occupied += op->is_free ? -a->occupies(op->size) : a->occupies(op->size);
		if (i == w->peak_op)
			r->occupied = occupied;
		held = a->held ? a->held() : pages.nr * PAGE;
		r->held = held > r->held ? held : r->held;
	}
	if (a->over)
		a->over();
	a->stop();
	if (a->needs_range)
		r->held = r->range;
	if (a == allocators)
		r->held = w->peak_live;
}

/* Whether the workload can be served in a range of that many bytes; a process for each, for it begins empty. */
static int fits(const struct allocator *a, const struct workload *w, void **object, size_t range)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		a->start(w, range);
		_exit(pass(a, w, object) ? NO_ROOM : 0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || (status && WEXITSTATUS(status) != NO_ROOM)) {
		fprintf(stderr, "algorithms: %s failed on %s\n", a->name, w->name);
		exit(1);
	}
	return status == 0;
}

static size_t least_range(const struct allocator *a, const struct workload *w, void **object)
{
	size_t low = (w->peak_live + PAGE - 1) / PAGE, high = low;

	while (!fits(a, w, object, high * PAGE))
		high *= 2;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (fits(a, w, object, middle * PAGE))
			high = middle;
		else
			low = middle;
	}
	return high * PAGE;
}

/* ---- a launch ---- */

static void launch(const struct allocator *a, const struct workload *w, void **object, struct result *r, unsigned int nth)
{
	unsigned int i;
	double start;

	/* A quarter more than the least: as a program would have it that does not know so well. */
	a->start(w, (r->range + r->range / 4) & ~(size_t)(PAGE - 1));
	timed_pass(a, w, object, r->cold);
	for (i = 0; i < option.passes; i++)
		timed_pass(a, w, object, r->warm);
	start = now_ns(CLOCK_THREAD_CPUTIME_ID);
	for (i = 0; i < option.passes; i++)
		if (pass(a, w, object))
			_exit(1);
	r->ns[nth] = (now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)(w->nr_ops * option.passes);
	a->stop();
}

static void in_a_process(const struct allocator *a, const struct workload *w, void **object, struct result *r, int nth)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (nth < 0)
			measure_memory(a, w, object, r);
		else
			launch(a, w, object, r, (unsigned int)nth);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status) {
		fprintf(stderr, "algorithms: %s failed on %s\n", a->name, w->name);
		exit(1);
	}
}

/* ---- figures ---- */

static int by_cycles(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int by_ns(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t hundreds(const struct workload *w)
{
	return (w->nr_ops + HUNDRED - 1) / HUNDRED;
}

static void print_row(const struct allocator *a, const struct workload *w, struct result *r)
{
	double held = (double)r->held / 100, live = (double)w->peak_live / held;
	double inner = (double)(r->occupied - w->peak_live) / held, outer = (double)(r->held - r->occupied) / held;
	size_t nr = hundreds(w);
	double ns, p99, worst, first;

	qsort(r->ns, option.launches, sizeof(r->ns[0]), by_ns);
	qsort(r->warm, nr, sizeof(uint32_t), by_cycles);
	qsort(r->cold, nr, sizeof(uint32_t), by_cycles);
	ns = r->ns[option.launches / 2];
	p99 = r->warm[nr / 2] * cycle_ns;
	worst = r->warm[nr - 1] * cycle_ns;
	first = r->cold[nr - 1] * cycle_ns;
	printf("%-12s %-10s %7.1f %8.0f %8.0f %8.0f %9zu %6.1f %9.1f %9.1f\n", w->name, a->name, ns, p99, worst, first,
	       r->held / 1024, live, inner, outer);
	if (option.figures)
		fprintf(option.figures, "%s\t%s\t%.2f\t%.0f\t%.0f\t%.0f\t%zu\t%.2f\t%.2f\t%.2f\n", w->name, a->name, ns, p99,
			worst, first, r->held, live, inner, outer);
}

static void run_workload(const struct workload *w)
{
	void **object = shared((w->nr_ids + 1) * sizeof(void *));
	struct result *r = shared(sizeof(*r) * 16);
	const struct allocator *a;
	unsigned int i;

	printf("%s: %zu operations, %u objects of %u sizes, at most %u at once with %zu bytes; %u scopes\n", w->name,
	       w->nr_ops, w->nr_ids, w->nr_sizes, w->most_live, w->peak_live, w->nr_scopes);
	for (a = allocators; a->name; a++) {
		struct result *mine = &r[a - allocators];

		if (a->refuses && a->refuses(w))
			continue;
		mine->cold = shared(hundreds(w) * sizeof(uint32_t));
		mine->warm = shared(hundreds(w) * sizeof(uint32_t));
		memset(mine->cold, 0xff, hundreds(w) * sizeof(uint32_t));
		memset(mine->warm, 0xff, hundreds(w) * sizeof(uint32_t));
		if (a->needs_range)
			mine->range = least_range(a, w, object);
		in_a_process(a, w, object, mine, -1);
	}
	for (i = 0; i < option.launches; i++)
		for (a = allocators; a->name; a++)
			if (r[a - allocators].held)
				in_a_process(a, w, object, &r[a - allocators], (int)i);
	for (a = allocators; a->name; a++) {
		if (r[a - allocators].held)
			print_row(a, w, &r[a - allocators]);
		else
			printf("%-12s %-10s cannot serve it: %s\n", w->name, a->name, a->refuses(w));
	}
	fflush(stdout);
}

static void print_head(void)
{
	char cpu[128] = "unknown CPU", line[256];
	FILE *info = fopen("/proc/cpuinfo", "re");
	struct utsname system;

	uname(&system);
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "model name : %127[^\n]", cpu) == 1)
			break;
	if (info)
		fclose(info);
	printf("machine: %s, %ld CPUs, Linux %s; %u launches of %u passes\n", cpu, sysconf(_SC_NPROCESSORS_ONLN),
	       system.release, option.launches, option.passes);
	printf("%-12s %-10s %7s %8s %8s %8s %9s %6s %9s %9s\n", "workload", "algorithm", "ns/op", "p99_ns", "worst_ns",
	       "cold_ns", "held_KiB", "live%", "internal%", "external%");
}

/* Else per-CPU lists of more than one CPU hold memory, by chance. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		fputs("algorithms: not on one CPU, so figures vary more\n", stderr);
}

static int usage(void)
{
	fputs("Usage: algorithms [-n LAUNCHES] [-p PASSES] [-c OPERATIONS] [-t FILE] RECORDING[:SIZE]...\n", stderr);
	return 2;
}

static int options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:p:c:t:")) != -1) {
		if (c == 'n')
			option.launches = (unsigned int)atoi(optarg);
		else if (c == 'p')
			option.passes = (unsigned int)atoi(optarg);
		else if (c == 'c')
			option.operations = (size_t)atol(optarg);
		else if (c != 't' || !(option.figures = fopen(optarg, "we")))
			return -1;
	}
	return optind < argc && option.launches - 1 < MAX_LAUNCHES && option.passes && option.operations ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct workload w;

	if (options(argc, argv))
		return usage();
	stay_here();
	calibrate();
	print_head();
	for (int i = optind; i < argc; i++) {
		char *colon = strrchr(argv[i], ':');

		if (colon)
			*colon = '\0';
		if (workload_read(&w, argv[i], colon ? (uint32_t)strtoul(colon + 1, NULL, 10) : 0))
			return 1;
		workload_cut(&w, option.operations);
		run_workload(&w);
	}
	workload_churn(&w, 2000, 20000);
	workload_cut(&w, option.operations);
	run_workload(&w);
	return option.figures && fclose(option.figures) ? 1 : 0;
}
