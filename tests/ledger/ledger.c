/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.c - does the ledger balance? A child runs mixed operations on several
 * threads while every probe is on. Then, cache by cache:
 *
 *   events counted by BPF == the allocator's own counters
 *   allocations - frees   == live objects by the slabs' bitmaps, and between guard pages
 *
 * ledger OPERATIONS THREADS [guarded]. Exit 0 balanced, 1 not, 77 when BPF is not available.
 */
#include <errno.h>
#include <kmem/slab.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/collect.h"
#include "common/heap.h"
#include "common/target.h"

#define CACHES 6
#define LIVE   512 /* objects that a thread holds */
#define BULK   32

static const unsigned int cache_size[CACHES] = { 24, 64, 192, 640, 2048, 5000 };
static struct kmem_cache *cache[CACHES];
static bool want_guarded; /* the child samples: there must be some */

struct worker {
	pthread_t thread;
	long operations;
	uint32_t random;
	struct {
		void *object;
		int cache; /* -1: kmalloc */
	} live[LIVE];
};

static uint32_t next_random(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return w->random;
}

/* Fill an empty place or empty a full one: one operation. */
static void single(struct worker *w)
{
	uint32_t at = next_random(w) % LIVE;
	int c = (int)(next_random(w) % (CACHES + 2)) - 2;

	if (w->live[at].object) {
		if (w->live[at].cache < 0)
			kfree(w->live[at].object);
		else
			kmem_cache_free(cache[w->live[at].cache], w->live[at].object);
		w->live[at].object = NULL;
		return;
	}
	w->live[at].cache = c < 0 ? -1 : c;
	w->live[at].object = c < 0 ? kmalloc(1 + next_random(w) % 12000, GFP_KERNEL)
				   : kmem_cache_alloc(cache[c], GFP_KERNEL);
	if (!w->live[at].object)
		abort();
}

/* 2 * BULK operations. */
static void bulk(struct worker *w)
{
	struct kmem_cache *s = cache[next_random(w) % CACHES];
	void *object[BULK];

	if (kmem_cache_alloc_bulk(s, GFP_KERNEL, BULK, object) != BULK)
		abort();
	kmem_cache_free_bulk(s, BULK, object);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	long done = 0;

	while (done < w->operations) {
		if (next_random(w) % 64 == 0) {
			bulk(w);
			done += 2 * BULK;
		} else {
			single(w);
			done++;
		}
	}
	return NULL;
}

/* The traced process: waits for a byte, works, says so, waits to be killed. */
static void child(long operations, int threads, int start, int done)
{
	struct worker *worker = calloc((size_t)threads, sizeof(*worker));
	char byte;
	int i;

	for (i = 0; i < CACHES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "ledger-%u", cache_size[i]);
		cache[i] = kmem_cache_create(name, cache_size[i], 0, 0, NULL);
	}
	if (write(done, "r", 1) != 1 || read(start, &byte, 1) != 1)
		_exit(1);
	for (i = 0; i < threads; i++) {
		worker[i].operations = operations / threads;
		worker[i].random = 2463534242u + (uint32_t)i * 7919u;
		pthread_create(&worker[i].thread, NULL, work, &worker[i]);
	}
	for (i = 0; i < threads; i++)
		pthread_join(worker[i].thread, NULL);
	if (write(done, "d", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

struct sums {
	uint64_t allocs, frees;
};

/* Events of one cache key, over all call sites. */
static struct sums events_of(const struct collect_count *row, size_t nr, uint64_t key)
{
	struct sums sums = { 0, 0 };
	size_t i;

	for (i = 0; i < nr; i++) {
		if (row[i].key.cache != key)
			continue;
		if (row[i].key.type == KMEM_EV_CACHE_ALLOC || row[i].key.type == KMEM_EV_KMALLOC)
			sums.allocs += row[i].count.events;
		else
			sums.frees += row[i].count.events;
	}
	return sums;
}

static int compare(struct collect *collect, struct heap *heap)
{
	const struct collect_count *row;
	uint64_t events = 0, guarded = 0;
	size_t nr, i;
	char err[256];
	int bad = 0;

	if (collect_read_counts(collect, &row, &nr, err, sizeof(err)) || heap_read(heap)) {
		printf("cannot read: %s %s\n", err, heap->target->message);
		return 1;
	}
	for (i = 0; i < heap->nr_caches; i++) {
		const struct heap_cache *c = &heap->caches[i];
		struct sums seen = events_of(row, nr, c->cache.id + 16u);
		struct heap_slabs slabs;
		uint64_t live;

		if (heap_read_slabs(heap, c->cache.id, &slabs))
			return 1;
		live = slabs.taken - heap_cached(c) + c->guarded;
		guarded += c->cache.guard_allocs;
		events += seen.allocs + seen.frees;
		if (seen.allocs == c->allocs && seen.frees == c->frees && c->allocs - c->frees == live)
			continue;
		printf("%s: events %lu/%lu, counters %lu/%lu, live by bitmap %lu\n", c->cache.name, seen.allocs,
		       seen.frees, c->allocs, c->frees, live);
		bad = 1;
	}
	printf("%lu events in %zu caches, %lu objects between guard pages, %s\n", events, heap->nr_caches, guarded,
	       bad ? "NOT balanced" : "difference 0");
	return bad || !events || (want_guarded && !guarded);
}

static int attach(struct collect **collect, struct target *target, pid_t pid)
{
	struct collect_target who = { .pid = pid };
	char err[256];

	if (target_open(target, pid) || target_find_roots(target)) {
		printf("%s\n", target->message);
		return 1;
	}
	who.root = target->roots[0].addr;
	who.arena_base = target->roots[0].observe.arena_base;
	who.arena_limit = target->roots[0].observe.arena_limit;
	who.idmap = target->roots[0].observe.idmap;
	who.pages = target->roots[0].observe.pages;
	if (collect_open(collect, NULL, err, sizeof(err)) ||
	    collect_attach_library(*collect, &who, err, sizeof(err))) {
		printf("%s\n", err);
		return 77;
	}
	return 0;
}

static int check_losses(struct collect *collect)
{
	struct collect_totals totals;
	char err[256];

	if (collect_read_totals(collect, KMEM_SOURCE_LIBRARY, &totals, err, sizeof(err))) {
		printf("%s\n", err);
		return 1;
	}
	if (collect_lost(&totals))
		printf("lost events: %lu\n", collect_lost(&totals));
	return collect_lost(&totals) != 0;
}

int main(int argc, char **argv)
{
	long operations = argc > 1 ? atol(argv[1]) : 1000000;
	int threads = argc > 2 ? atoi(argv[2]) : 4;
	int start[2], done[2], rc;
	struct collect *collect = NULL;
	struct target target = { 0 };
	struct heap heap;
	pid_t pid;
	char byte;

	setvbuf(stdout, NULL, _IOLBF, 0);
	want_guarded = argc > 3;
	if (pipe(start) || pipe(done))
		return 1;
	pid = fork();
	if (!pid)
		child(operations, threads, start[0], done[1]);
	if (pid < 0 || read(done[0], &byte, 1) != 1)
		return 1;
	rc = attach(&collect, &target, pid);
	if (!rc) {
		heap_init(&heap, &target, target.roots[0].addr);
		if (write(start[1], "g", 1) != 1 || read(done[0], &byte, 1) != 1)
			return 1;
		rc = compare(collect, &heap) || check_losses(collect);
		heap_close(&heap);
	}
	collect_close(collect);
	target_close(&target);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rc;
}
