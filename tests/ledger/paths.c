/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths.c - is each object told once, on each path of the allocator, by either tier?
 *
 *   events of each class of objects == what work.c did, path by path
 *   events of each cache            == the allocator's counters == live objects by the bitmaps
 *   batch tier: no address is allocated twice without a free between, or freed twice
 *
 * usage: paths event|batch|stacks WORKER PLUGIN; stacks: batch, with stacks. Exit 0 balanced, 1 not, 77 when BPF is not available.
 */
#include "paths.h"

#include <errno.h>
#include <kmem/observe.h>
#include <kmem/observe_batch.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/collect.h"
#include "common/heap.h"
#include "common/stream.h"
#include "common/target.h"

#define IDS       65536
#define MAX_PATHS 64
#define ABSENT    PATH_CLASSES /* no such cache, then */

static const char *const class_name[] = { "cache", "kmalloc", "malloc", "large" };

/* Events since tracing began, by cache id. */
static struct {
	uint64_t allocs[IDS], frees[IDS];
} seen, before, retired; /* now; at the end of the path before; of caches that are gone, whose id may come again */

static struct {
	char name[32];
	struct path_counts counts;
	uint8_t class[IDS]; /* at its end: enum path_class or ABSENT */
} path[MAX_PATHS];
static unsigned int nr_paths;

static struct {
	uint64_t allocs, frees;
} base[IDS]; /* the counters when tracing began */

static int bad;

/* ---- the worker ---- */

static pid_t start(char *const argv[], FILE **to, FILE **from)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe(in) || pipe(out))
		exit(1);
	pid = fork();
	if (!pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execv(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	*to = fdopen(in[1], "w");
	*from = fdopen(out[0], "r");
	return pid;
}

/* The path's line. Return: false at the end. */
static bool read_path(const char *line)
{
	struct path_counts *c = &path[nr_paths].counts;
	int used, i, known;

	if (nr_paths == MAX_PATHS || sscanf(line, "%31s%n", path[nr_paths].name, &used) != 1)
		return false;
	for (i = 0; i < PATH_CLASSES; i++) {
		int more;

		if (sscanf(line + used, " %ld %ld %d%n", &c->allocs[i], &c->frees[i], &known, &more) != 3)
			return false;
		c->known[i] = (enum path_knowledge)known;
		used += more;
	}
	nr_paths++;
	return true;
}

/* ---- comparisons ---- */

static enum path_class class_of(const char *name)
{
	if (!strncmp(name, "malloc-", 7))
		return PATH_MALLOC;
	return strstr(name, "kmalloc-") ? PATH_KMALLOC : PATH_CACHE;
}

/* The classes of all caches at the end of path k. */
static void note_classes(const struct heap *heap, unsigned int k)
{
	size_t i;

	memset(path[k].class, ABSENT, sizeof(path[k].class));
	for (i = 0; i < heap->nr_caches; i++)
		path[k].class[heap->caches[i].cache.id] = (uint8_t)class_of(heap->caches[i].cache.name);
	path[k].class[KMEM_ID_LARGE] = PATH_LARGE;
}

static void compare_class(unsigned int k, int class, long allocs, long frees)
{
	const struct path_counts *want = &path[k].counts;

	if (want->known[class] == PATH_OTHERS)
		return;
	if (allocs - frees == want->allocs[class] - want->frees[class] &&
	    (want->known[class] == PATH_DIFFERENCE || allocs == want->allocs[class]))
		return;
	printf("%s: %s: %ld allocations and %ld frees traced, %ld and %ld made%s\n", path[k].name, class_name[class],
	       allocs, frees, want->allocs[class], want->frees[class], want->known[class] ? " (the difference counts)" : "");
	bad = 1;
}

/* What was seen on path k. A cache that is gone had a name. */
static void compare_path(unsigned int k)
{
	long allocs[PATH_CLASSES] = { 0 }, frees[PATH_CLASSES] = { 0 };
	unsigned int id;
	int class;

	for (id = 0; id < IDS; id++) {
		class = path[k].class[id] == ABSENT ? PATH_CACHE : path[k].class[id];
		allocs[class] += (long)(seen.allocs[id] - before.allocs[id]);
		frees[class] += (long)(seen.frees[id] - before.frees[id]);
		if (path[k].class[id] == ABSENT) {
			retired.allocs[id] = seen.allocs[id];
			retired.frees[id] = seen.frees[id];
		}
	}
	for (class = 0; class < PATH_CLASSES; class++)
		compare_class(k, class, allocs[class], frees[class]);
	if (seen.allocs[0] || seen.frees[0]) {
		printf("%s: %lu events of no known cache\n", path[k].name, seen.allocs[0] + seen.frees[0]);
		bad = 1;
	}
	before = seen;
}

/* The worker stands still. */
static void compare_heap(struct heap *heap, const char *when)
{
	size_t i;

	for (i = 0; i < heap->nr_caches; i++) {
		const struct heap_cache *c = &heap->caches[i];
		unsigned int id = c->cache.id;
		uint64_t allocs = seen.allocs[id] - retired.allocs[id], frees = seen.frees[id] - retired.frees[id];
		struct heap_slabs slabs;
		uint64_t live;

		if (heap_read_slabs(heap, id, &slabs))
			exit(1);
		live = slabs.taken - heap_cached(c) + c->guarded;
		if (allocs == c->allocs - base[id].allocs && frees == c->frees - base[id].frees &&
		    c->allocs - c->frees == live)
			continue;
		printf("%s: %s: events %lu/%lu, counters %lu/%lu, live by bitmap %lu, by counters %lu\n", when,
		       c->cache.name, allocs, frees, c->allocs - base[id].allocs, c->frees - base[id].frees, live,
		       c->allocs - c->frees);
		bad = 1;
	}
}

static void read_heap(struct heap *heap)
{
	if (!heap_read(heap))
		return;
	printf("%s\n", heap->target->message);
	exit(1);
}

static void note_base(struct heap *heap)
{
	size_t i;

	read_heap(heap);
	for (i = 0; i < heap->nr_caches; i++) {
		base[heap->caches[i].cache.id].allocs = heap->caches[i].allocs;
		base[heap->caches[i].cache.id].frees = heap->caches[i].frees;
	}
}

/* ---- the event tier ---- */

static struct collect *collect;
static char err[320];

static int refuse(void)
{
	printf("%s\n", err);
	return strstr(err, "need") || strstr(err, "permitted") ? 77 : 1;
}

static int event_attach(struct target *t)
{
	const struct kmem_observe *o = &t->roots[0].observe;
	struct collect_target who = { t->pid, t->roots[0].addr, o->arena_base, o->arena_limit, o->idmap, o->pages };

	if (collect_open(&collect, NULL, err, sizeof(err)) || collect_attach_library(collect, &who, err, sizeof(err)))
		return refuse();
	return 0;
}

static void event_read(void)
{
	const struct collect_count *row;
	size_t nr, i;

	if (collect_read_counts(collect, &row, &nr, err, sizeof(err)))
		exit(refuse());
	memset(&seen, 0, sizeof(seen));
	for (i = 0; i < nr; i++) {
		uint64_t key = row[i].key.cache;
		unsigned int id = key == KMEM_KEY_LARGE ? KMEM_ID_LARGE :
				  key >= KMEM_KEY_ID_BASE ? (unsigned int)(key - KMEM_KEY_ID_BASE) % IDS : 0;

		if (row[i].key.type == KMEM_EV_CACHE_ALLOC || row[i].key.type == KMEM_EV_KMALLOC)
			seen.allocs[id] += row[i].count.events;
		else
			seen.frees[id] += row[i].count.events;
	}
}

static void event_end(void)
{
	struct collect_totals totals;

	if (collect_read_totals(collect, KMEM_SOURCE_LIBRARY, &totals, err, sizeof(err)))
		exit(refuse());
	if (collect_lost(&totals) || !totals.sum.failed) {
		printf("lost %lu, failed allocations %llu\n", collect_lost(&totals), totals.sum.failed);
		bad = 1;
	}
	collect_close(collect);
}

/* ---- the batch tier ---- */

static struct stream *stream;
static struct kmem_batch_record *record;
static size_t nr_records, room;

static void on_batch(void *context, pid_t pid, const struct kmem_batch *b, uint32_t nr)
{
	(void)context;
	(void)pid;
	if (nr_records + nr > room) {
		room = 2 * room + nr;
		record = realloc(record, room * sizeof(*record));
		if (!record)
			exit(1);
	}
	memcpy(record + nr_records, b->record, nr * sizeof(*record));
	nr_records += nr;
}

static int by_time(const void *a, const void *b)
{
	const struct kmem_batch_record *x = a, *y = b;

	return x->tsc < y->tsc ? -1 : x->tsc > y->tsc;
}

/* Addresses that were seen, and whether an object is there now. */
#define PLACES (1u << 21)
static struct {
	uint64_t ptr;
	bool live;
} place[PLACES];

static void set_live(const struct kmem_batch_record *r, bool live, const char *when)
{
	size_t i = (r->ptr >> 3) * UINT64_C(0x9e3779b97f4a7c15) % PLACES;

	while (place[i].ptr && place[i].ptr != r->ptr)
		i = (i + 1) % PLACES;
	/* The first that is seen of an address may be the free of an older object. */
	if (place[i].ptr && place[i].live == live) {
		printf("%s: %#lx of cache %u %s twice\n", when, r->ptr, r->cache, live ? "allocated" : "freed");
		bad = 1;
	}
	place[i].ptr = r->ptr;
	place[i].live = live;
}

static bool is_mark(const struct kmem_batch_record *r)
{
	return r->op == KMEM_BATCH_KMALLOC && !r->ptr && r->size >= PATH_MARK && r->size < PATH_MARK + MAX_PATHS;
}

static void replay(void)
{
	unsigned int k = 0;
	size_t i;

	qsort(record, nr_records, sizeof(*record), by_time);
	for (i = 0; i < nr_records; i++) {
		const struct kmem_batch_record *r = &record[i];
		bool alloc = r->op == KMEM_BATCH_CACHE_ALLOC || r->op == KMEM_BATCH_KMALLOC;

		if (is_mark(r)) {
			if (r->size - PATH_MARK != k || k >= nr_paths) {
				printf("mark %u where %u is expected\n", r->size - PATH_MARK, k);
				bad = 1;
				return;
			}
			compare_path(k++);
		}
		/* Pages have no class; NULL and ZERO_SIZE_PTR are no objects. */
		if (r->op > KMEM_BATCH_KFREE || r->ptr <= 16)
			continue;
		set_live(r, alloc, k < nr_paths ? path[k].name : "end");
		if (alloc)
			seen.allocs[r->cache]++;
		else
			seen.frees[r->cache]++;
	}
	if (k != nr_paths) {
		printf("%u paths of %u traced\n", k, nr_paths);
		bad = 1;
	}
}

static int batch_attach(struct target *t, const struct stream_options *options)
{
	if (stream_open(&stream, options, err, sizeof(err)) || stream_attach(stream, t, &t->roots[0], err, sizeof(err)))
		return refuse();
	return 0;
}

static void batch_end(void)
{
	struct stream_totals totals;

	stream_detach(stream, on_batch, NULL);
	if (stream_read_totals(stream, &totals, err, sizeof(err)))
		exit(refuse());
	if (totals.lost + totals.unreadable + totals.no_buffer + totals.tails_lost) {
		printf("lost %lu, unreadable %lu, without a buffer %lu, in tails %lu\n", totals.lost, totals.unreadable,
		       totals.no_buffer, totals.tails_lost);
		bad = 1;
	}
	stream_close(stream);
	replay();
}

/* ---- both ---- */

/* Next line of the worker, reading the stream meanwhile: its buffers are finite. */
static void await(FILE *from, char *line, size_t bytes)
{
	const struct timespec ms = { 0, 1000000 };

	for (;;) {
		struct timeval none = { 0, 0 };
		fd_set set;

		if (stream)
			stream_poll(stream, on_batch, NULL);
		FD_ZERO(&set);
		FD_SET(fileno(from), &set);
		if (select(fileno(from) + 1, &set, NULL, NULL, &none) > 0)
			break;
		nanosleep(&ms, NULL);
	}
	if (!fgets(line, (int)bytes, from)) {
		printf("the worker ended in or after path %s\n", nr_paths ? path[nr_paths - 1].name : "none");
		exit(1);
	}
}

static void go(bool batch, struct heap *heap, FILE *to, FILE *from)
{
	char line[256];

	for (;;) {
		fprintf(to, "go\n");
		fflush(to);
		await(from, line, sizeof(line));
		if (!read_path(line))
			break;
		read_heap(heap);
		note_classes(heap, nr_paths - 1);
		if (batch)
			continue;
		event_read();
		compare_path(nr_paths - 1);
		compare_heap(heap, path[nr_paths - 1].name);
	}
}

int main(int argc, char **argv)
{
	char *worker[] = { argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL, NULL };
	bool stacks = argc > 1 && !strcmp(argv[1], "stacks"), batch = stacks || (argc > 1 && !strcmp(argv[1], "batch"));
	const struct stream_options options = { .mode = stacks ? KMEM_BATCH_STACKS : 0 };
	struct target target = { 0 };
	struct heap heap;
	char line[256];
	FILE *to, *from;
	pid_t pid;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4)
		return 2;
	pid = start(worker, &to, &from);
	await(from, line, sizeof(line));
	if (target_open(&target, pid) || target_find_roots(&target)) {
		printf("%s\n", target.message);
		return 1;
	}
	heap_init(&heap, &target, target.roots[0].addr);
	rc = batch ? batch_attach(&target, &options) : event_attach(&target);
	if (!rc) {
		note_base(&heap);
		go(batch, &heap, to, from);
		if (batch)
			batch_end();
		else
			event_end();
		compare_heap(&heap, "end");
		printf("%s tier: %u paths, %s\n", argv[1], nr_paths, bad ? "NOT balanced" : "difference 0");
		rc = bad || !nr_paths;
	}
	heap_close(&heap);
	target_close(&target);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rc;
}
