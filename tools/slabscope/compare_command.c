/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare_command.c - a program's caches in libkmem beside the kernel's caches while it runs; see compare_command.h.
 *
 * Both are read at the beginning, every 20 ms, and at the end; the kernel's events are counted in between. How long
 * objects live follows from how many there are on average and how many come per second (Little's law).
 */
#include "slabscope/compare_command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/collect.h"
#include "common/heap.h"
#include "common/kcaches.h"
#include "common/library.h"
#include "common/target.h"

#define PERIOD_US 20000
#define ROOM      2048

struct entry {
	uint64_t id;       /* address of the kernel's cache, or id of the process's */
	bool process;
	struct kmem_cache_info first, last;
	uint64_t samples, sum_in_use, peak_slabs;
	uint64_t allocs, frees, asked, given;
};

struct watch {
	struct kcaches *kcaches;
	struct collect *collect;
	struct target target;
	struct heap heap[TARGET_MAX_ROOTS]; /* a program may carry the library, and be given it */
	unsigned int nr_heaps;
	bool has_heap; /* one of them was used */
	struct entry *entry;
	size_t nr;
	uint64_t start_ns, end_ns;
	char why[256]; /* the kernel is not watched */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct entry *find(struct watch *w, uint64_t id, bool process)
{
	for (size_t i = 0; i < w->nr; i++)
		if (w->entry[i].id == id && w->entry[i].process == process)
			return &w->entry[i];
	if (w->nr == ROOM)
		return NULL;
	w->entry[w->nr] = (struct entry){ .id = id, .process = process };
	return &w->entry[w->nr++];
}

static void sample(struct entry *e, const struct kmem_cache_info *row)
{
	if (!e->samples)
		e->first = *row;
	e->last = *row;
	e->samples++;
	e->sum_in_use += row->in_use;
	e->peak_slabs = row->slabs > e->peak_slabs ? row->slabs : e->peak_slabs;
}

/* ---- the kernel ---- */

static void sample_kernel(struct watch *w)
{
	const struct kmem_cache_info *row;
	char err[256];
	size_t nr;

	if (!w->kcaches || kcaches_read(w->kcaches, &row, &nr, err, sizeof(err)))
		return;
	for (; nr; nr--, row++) {
		struct entry *e = find(w, row->cache, false);

		if (e)
			sample(e, row);
	}
}

static void watch_kernel(struct watch *w)
{
	const struct collect_options options = { .max_counts = 65536 };
	int rc = kcaches_open(&w->kcaches, NULL, w->why, sizeof(w->why));

	if (!rc && kcaches_source(w->kcaches) == KCACHES_SLABINFO) {
		snprintf(w->why, sizeof(w->why), "%s", kcaches_why(w->kcaches));
		rc = -ENOTSUP;
	}
	if (!rc)
		rc = collect_open(&w->collect, &options, w->why, sizeof(w->why));
	if (!rc)
		rc = collect_attach_kernel(w->collect, w->why, sizeof(w->why));
	if (!rc) {
		w->why[0] = '\0';
		return;
	}
	kcaches_close(w->kcaches);
	w->kcaches = NULL;
}

static void count_kernel(struct watch *w)
{
	const struct collect_count *count;
	char err[256];
	size_t nr;

	if (!w->kcaches || collect_read_counts(w->collect, &count, &nr, err, sizeof(err)))
		return;
	for (; nr; nr--, count++) {
		bool alloc = count->key.type == KMEM_EV_CACHE_ALLOC || count->key.type == KMEM_EV_KMALLOC;
		struct entry *e = count->key.cache > KMEM_KEY_PAGES ? find(w, count->key.cache, false) : NULL;

		if (!e)
			continue;
		*(alloc ? &e->allocs : &e->frees) += count->count.events;
		e->asked += alloc ? count->count.bytes_req : 0;
		e->given += alloc ? count->count.bytes_alloc : 0;
	}
}

/* ---- the process ---- */

static void row_of(struct kmem_cache_info *row, const struct heap_cache *c)
{
	*row = (struct kmem_cache_info){
		.have = KMEM_INFO_IN_USE, .object_size = c->cache.object_size, .size = c->cache.size,
		.order = c->cache.order, .objects_per_slab = c->cache.objects, .slabs = c->slabs,
		.objects_total = c->objects, .node_partial = c->partial_slabs, .partial_free = c->objects - c->taken,
		.sheaf_main = c->cached_slots, .barn_objects = c->cached_barn, .in_use = c->active,
	};
	snprintf(row->name, sizeof(row->name), "%s", c->cache.name);
}

static void sample_heap(struct watch *w, unsigned int nth)
{
	struct heap *heap = &w->heap[nth];

	if (heap_read(heap))
		return;
	for (size_t i = 0; i < heap->nr_caches; i++) {
		const struct heap_cache *c = &heap->caches[i];
		struct entry *e = find(w, (uint64_t)nth << 32 | c->cache.id, true);
		struct kmem_cache_info row;

		if (!e)
			continue;
		row_of(&row, c);
		sample(e, &row);
		e->allocs = c->allocs;
		e->frees = c->frees;
		w->has_heap |= c->allocs != 0;
	}
}

static void close_heaps(struct watch *w)
{
	while (w->nr_heaps)
		heap_close(&w->heap[--w->nr_heaps]);
	target_close(&w->target);
}

/* What it maps at first is not all: looked for anew until one is used. */
static void sample_process(struct watch *w, pid_t pid)
{
	if (!w->has_heap) {
		close_heaps(w);
		if (target_open(&w->target, pid) || target_find_roots(&w->target))
			return;
		for (; w->nr_heaps < w->target.nr_roots; w->nr_heaps++)
			heap_init(&w->heap[w->nr_heaps], &w->target, w->target.roots[w->nr_heaps].addr);
	}
	for (unsigned int i = 0; i < w->nr_heaps; i++)
		sample_heap(w, i);
}

/* It begins when the other end of the pipe is closed. */
static pid_t launch(char **command, int *go)
{
	char path[PATH_MAX], byte;
	int fd[2];
	pid_t pid;

	library_find(path, sizeof(path));
	if (pipe(fd))
		return -errno;
	pid = fork();
	if (!pid) {
		close(fd[1]);
		if (read(fd[0], &byte, 1) < 0)
			_exit(127);
		close(fd[0]);
		setenv("LD_PRELOAD", path, 1);
		execvp(command[0], command);
		fprintf(stderr, "slabscope compare: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	close(fd[0]);
	*go = fd[1];
	return pid < 0 ? -errno : pid;
}

static int follow(struct watch *w, pid_t pid, int go)
{
	int status = 0;

	sample_kernel(w);
	w->start_ns = now_ns();
	close(go);
	/* It is not waited for before it is read: a zombie has no memory. */
	for (;;) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == pid)
			break;
		sample_process(w, pid);
		sample_kernel(w);
		usleep(PERIOD_US);
	}
	w->end_ns = now_ns();
	sample_kernel(w);
	count_kernel(w);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- telling ---- */

static int by_allocs(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->process != b->process)
		return a->process - b->process;
	return a->allocs == b->allocs ? 0 : a->allocs > b->allocs ? -1 : 1;
}

static uint64_t held(const struct entry *e, uint64_t slabs)
{
	return slabs * (UINT64_C(4096) << e->last.order);
}

static uint64_t rate(const struct watch *w, const struct entry *e)
{
	uint64_t ns = w->end_ns - w->start_ns;

	return ns ? (uint64_t)((double)e->allocs * 1e9 / (double)ns) : 0;
}

/* Microseconds that an object lives, on average. */
static uint64_t life_us(const struct watch *w, const struct entry *e)
{
	double mean = e->samples ? (double)e->sum_in_use / (double)e->samples : 0;

	return e->allocs ? (uint64_t)(mean * (double)(w->end_ns - w->start_ns) / 1000 / (double)e->allocs) : 0;
}

/* Objects that came or went without an event. Of a process: what its counters do not explain. */
static int64_t residue(const struct entry *e)
{
	uint64_t before = e->process ? 0 : e->first.in_use;

	return (int64_t)(e->last.in_use - before - (e->allocs - e->frees));
}

static void print_row(const struct watch *w, const struct entry *e)
{
	const struct kmem_cache_info *row = &e->last;
	uint64_t use = row->objects_total ? row->in_use * 1000 / row->objects_total : 0, life = life_us(w, e);
	char memory[OUTPUT_HUMAN_BYTES], peak[OUTPUT_HUMAN_BYTES], calls[OUTPUT_HUMAN_BYTES], lives[24], asked[16] = "-";

	if (e->given)
		snprintf(asked, sizeof(asked), "%" PRIu64 "%%", e->asked * 100 / e->given);
	snprintf(lives, sizeof(lives), life < 10000 ? "%" PRIu64 "us" : "%" PRIu64 "ms", life < 10000 ? life : life / 1000);
	printf("  %-22.22s %6u %5u %3u %8llu %7llu %5llu.%llu %7s %7s %5s %7s %9s %8lld\n", row->name,
	       row->size, row->objects_per_slab, row->order, row->in_use, row->slabs, (unsigned long long)use / 10, (unsigned long long)use % 10,
	       output_human(memory, held(e, row->slabs)), output_human(peak, held(e, e->peak_slabs)), asked,
	       output_count(calls, rate(w, e)), lives, (long long)residue(e));
}

static void print_record(const struct watch *w, struct output *o, const struct entry *e)
{
	const struct kmem_cache_info *row = &e->last;

	output_begin(o);
	output_string(o, "side", e->process ? "libkmem" : "kernel");
	output_string(o, "cache", row->name);
	output_number(o, "object_size_bytes", row->object_size);
	output_number(o, "size_bytes", row->size);
	output_number(o, "order", row->order);
	output_number(o, "objects_per_slab", row->objects_per_slab);
	output_number(o, "slabs", row->slabs);
	output_number(o, "peak_slabs", e->peak_slabs);
	output_number(o, "objects", row->objects_total);
	output_number(o, "in_use", row->in_use);
	output_number(o, "held_bytes", held(e, row->slabs));
	output_number(o, "waste_bytes", held(e, row->slabs) - row->in_use * row->object_size);
	output_number(o, "allocs", e->allocs);
	output_number(o, "frees", e->frees);
	output_number(o, "allocs_per_second", rate(w, e));
	output_number(o, "mean_life_us", life_us(w, e));
	if (e->given)
		output_milli(o, "asked_of_size", e->asked * 1000 / e->given);
	else
		output_unknown(o, "asked_of_size");
	output_number(o, "residue", (uint64_t)llabs((long long)residue(e)));
	output_end(o);
}

static void print_side(const struct watch *w, bool process, uint32_t limit)
{
	printf("%s\n  %-22s %6s %5s %3s %8s %7s %7s %7s %7s %5s %7s %9s %8s\n",
	       process ? "libkmem in the command" : "the kernel, everybody's work included", "cache", "bytes", "/slab", "ord",
	       "in use", "slabs", "use %", "memory", "peak", "asked", "alloc/s", "life", "residue");
	for (size_t i = 0; i < w->nr && limit; i++) {
		if (w->entry[i].process != process || !w->entry[i].allocs)
			continue;
		print_row(w, &w->entry[i]);
		limit--;
	}
}

static int tell(struct watch *w, enum output_format format, uint32_t limit)
{
	uint32_t left[2] = { limit, limit };
	struct output o;

	qsort(w->entry, w->nr, sizeof(*w->entry), by_allocs);
	if (w->why[0])
		fprintf(stderr, "slabscope compare: the kernel is not watched: %s\n", w->why);
	if (!w->has_heap)
		fprintf(stderr, "slabscope compare: libkmem was not seen in the command: it ended at once, or is static or set-user-ID\n");
	if (format == OUTPUT_TEXT) {
		printf("%.2f s\n", (double)(w->end_ns - w->start_ns) / 1e9);
		print_side(w, false, w->kcaches ? limit : 0);
		print_side(w, true, limit);
		return output_flush_file(stdout);
	}
	output_init(&o, stdout, format);
	for (size_t i = 0; i < w->nr; i++)
		if (w->entry[i].allocs && left[w->entry[i].process] && left[w->entry[i].process]--)
			print_record(w, &o, &w->entry[i]);
	return output_flush(&o);
}

int compare_command(char **command, enum output_format format, uint32_t limit)
{
	struct watch w = { .entry = calloc(ROOM, sizeof(struct entry)) };
	int go = -1, code = 1;
	pid_t pid;

	if (!w.entry) {
		fprintf(stderr, "slabscope compare: out of memory\n");
		return 1;
	}
	pid = launch(command, &go);
	if (pid < 0) {
		fprintf(stderr, "slabscope compare: cannot start a process: %s\n", strerror(-pid));
	} else {
		watch_kernel(&w);
		code = follow(&w, pid, go);
		if (tell(&w, format, limit))
			code = 1;
	}
	collect_close(w.collect);
	kcaches_close(w.kcaches);
	close_heaps(&w);
	free(w.entry);
	return code;
}
