/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed.c - 64 threads on all CPUs allocate and free objects of several caches
 * and of kmalloc, singly and in bulk, hand them to each other, are moved between
 * CPUs by one thread, and have their slots drained by another.
 *
 * A live object says whose it is: an owner's tag and a checksum over tag, address
 * and kind. A free one says nothing: both words are 0, in all memory, as the
 * allocator writes into no object. So an object handed out twice is caught at
 * once, and in the end allocs - frees, active and our own count must be equal.
 *
 * mixed [OPERATIONS [THREADS]], default 1e8 and 64.
 */
#include "stress.h"

#include <stdatomic.h>

#include "slab/kmalloc.h"

enum { MAX_THREADS = 256, HELD = 256, MAILBOX = 1024, NR_CACHES = 5, KMALLOC = NR_CACHES, NR_KINDS, BULK = 40 };

struct object {
	uint64_t tag, check;
};

struct worker {
	uint64_t seed, operations;
	int64_t live[NR_KINDS]; /* may be negative: others' objects are freed here */
	_Atomic int tid;
	unsigned int number;
	struct {
		struct object *object;
		unsigned int kind;
	} held[HELD];
};

static struct kmem_cache *caches[NR_CACHES];
static struct worker workers[MAX_THREADS];
static unsigned int nr_threads;
static _Atomic bool stop;

/* An object changes hands as address + kind: kinds fit below the alignment. */
static _Atomic uintptr_t mailbox[MAILBOX];

static uint64_t checksum(const struct object *object, uint64_t tag, unsigned int kind)
{
	uint64_t h = (uint64_t)(uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15) ^ tag;

	return (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9) + kind;
}

static void own(struct worker *w, struct object *object, unsigned int kind)
{
	uint64_t tag = (uint64_t)w->number << 48 | (random_next(&w->seed) + UINT64_C(1));

	CHECK(object, "out of memory");
	CHECK(!object->tag && !object->check, "object %p of kind %u is live already, its tag is %lx", (void *)object,
	      kind, object->tag);
	object->tag = tag;
	object->check = checksum(object, tag, kind);
	w->live[kind]++;
}

static void disown(struct worker *w, struct object *object, unsigned int kind)
{
	CHECK(object->check == checksum(object, object->tag, kind), "object %p of kind %u changed: tag %lx",
	      (void *)object, kind, object->tag);
	object->tag = 0;
	object->check = 0;
	w->live[kind]--;
}

static void free_object(struct worker *w, struct object *object, unsigned int kind)
{
	disown(w, object, kind);
	if (kind == KMALLOC)
		kfree(object);
	else
		kmem_cache_free(caches[kind], object);
}

static struct object *alloc_object(struct worker *w, unsigned int kind)
{
	struct object *object;

	if (kind == KMALLOC)
		object = kmalloc(16 + random_next(&w->seed) % 2000, GFP_KERNEL);
	else
		object = kmem_cache_alloc(caches[kind], GFP_KERNEL);
	own(w, object, kind);
	return object;
}

static unsigned int single(struct worker *w)
{
	unsigned int at = random_next(&w->seed) % HELD;

	if (w->held[at].object) {
		free_object(w, w->held[at].object, w->held[at].kind);
		w->held[at].object = NULL;
	} else {
		w->held[at].kind = random_next(&w->seed) % NR_KINDS;
		w->held[at].object = alloc_object(w, w->held[at].kind);
	}
	return 1;
}

static unsigned int bulk(struct worker *w)
{
	unsigned int kind = random_next(&w->seed) % NR_CACHES, nr = random_next(&w->seed) % BULK + 1, i;
	void *object[BULK];

	CHECK(kmem_cache_alloc_bulk(caches[kind], GFP_KERNEL, nr, object) == (int)nr, "out of memory");
	for (i = 0; i < nr; i++)
		own(w, object[i], kind);
	for (i = 0; i < nr; i++)
		disown(w, object[i], kind);
	kmem_cache_free_bulk(caches[kind], nr, object);
	return 2 * nr;
}

/* Leave one object for anybody, and free what somebody else has left. */
static unsigned int exchange(struct worker *w)
{
	unsigned int kind = random_next(&w->seed) % NR_KINDS;
	uintptr_t got = atomic_exchange(&mailbox[random_next(&w->seed) % MAILBOX],
					(uintptr_t)alloc_object(w, kind) | kind);

	if (!got)
		return 1;
	free_object(w, (struct object *)(got & ~(uintptr_t)7), got & 7);
	return 2;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t done = 0;

	atomic_store(&w->tid, os_gettid());
	while (done < w->operations) {
		unsigned int dice = random_next(&w->seed) % 64;

		done += dice == 0 ? bulk(w) : dice < 8 ? exchange(w) : single(w);
	}
	atomic_store(&w->tid, 0);
	return NULL;
}

/* Threads migrate far more often than they would. */
static void *chaos(void *unused)
{
	uint64_t seed = 99;

	while (!atomic_load(&stop)) {
		int tid = atomic_load(&workers[random_next(&seed) % nr_threads].tid);

		if (tid)
			move_to_cpu(tid, random_next(&seed) % os_nr_cpus());
		usleep(200);
	}
	return unused;
}

static void *drainer(void *unused)
{
	uint64_t seed = 77;

	while (!atomic_load(&stop)) {
		kmem_cache_shrink(caches[random_next(&seed) % NR_CACHES]);
		usleep(2000);
	}
	return unused;
}

static int64_t live_of(unsigned int kind)
{
	int64_t live = 0;
	unsigned int i;

	for (i = 0; i < nr_threads; i++)
		live += workers[i].live[kind];
	return live;
}

/* Our count against every counter of the allocator. */
static void account(void)
{
	struct kmem_cache_stat stat;
	struct kmem_cache *s = NULL;
	int64_t others = 0;
	unsigned int kind;

	for (kind = 0; kind < NR_CACHES; kind++) {
		kmem_cache_stat(caches[kind], &stat);
		CHECK((int64_t)stat.active == live_of(kind), "%s: active %lu, live %ld", caches[kind]->name,
		      stat.active, live_of(kind));
		CHECK(stat.allocs - stat.frees == stat.active, "%s: %lu allocs, %lu frees, %lu active",
		      caches[kind]->name, stat.allocs, stat.frees, stat.active);
	}
	while ((s = cache_next(s))) {
		if (strncmp(s->name, "kmalloc-", 8))
			continue;
		kmem_cache_stat(s, &stat);
		CHECK(stat.allocs - stat.frees == stat.active, "%s", s->name);
		others += (int64_t)stat.active;
	}
	CHECK(others == live_of(KMALLOC), "kmalloc: active %ld, live %ld", others, live_of(KMALLOC));
}

static void free_all(void)
{
	unsigned int i, at;

	for (i = 0; i < nr_threads; i++)
		for (at = 0; at < HELD; at++)
			if (workers[i].held[at].object)
				free_object(&workers[i], workers[i].held[at].object, workers[i].held[at].kind);
	for (at = 0; at < MAILBOX; at++)
		if (mailbox[at])
			free_object(&workers[0], (struct object *)(mailbox[at] & ~(uintptr_t)7), mailbox[at] & 7);
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[NR_CACHES] = { 16, 64, 104, 256, 1000 };
	uint64_t total = operations(argc, argv, 1e8);
	pthread_t thread[MAX_THREADS], helper[2];
	unsigned int i;
	char name[32];

	nr_threads = argc > 2 ? (unsigned int)atoi(argv[2]) : 64;
	CHECK(nr_threads >= 1 && nr_threads <= MAX_THREADS, "1 to %d threads", MAX_THREADS);
	for (i = 0; i < NR_CACHES; i++) {
		snprintf(name, sizeof(name), "mixed-%u", sizes[i]);
		caches[i] = kmem_cache_create(name, sizes[i], 0, 0, NULL);
		CHECK(caches[i], "out of memory");
	}
	for (i = 0; i < nr_threads; i++) {
		workers[i].number = i + 1;
		workers[i].seed = i + 1;
		workers[i].operations = total / nr_threads + 1;
		CHECK(!pthread_create(&thread[i], NULL, work, &workers[i]), "no thread");
	}
	pthread_create(&helper[0], NULL, chaos, NULL);
	pthread_create(&helper[1], NULL, drainer, NULL);
	for (i = 0; i < nr_threads; i++)
		pthread_join(thread[i], NULL);
	atomic_store(&stop, true);
	pthread_join(helper[0], NULL);
	pthread_join(helper[1], NULL);
	account();
	free_all();
	account();
	CHECK(cache_shrink_all() == 0, "slabs are left");
	for (i = 0; i < NR_CACHES; i++)
		CHECK(kmem_cache_destroy(caches[i]) == 0, "objects are left");
	printf("%lu operations, %u threads: all objects accounted for\n", total, nr_threads);
	return 0;
}
