/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_kmem.c - scripts in libkmem, which is loaded into this process; see lab.h.
 *
 * libkmem numbers the CPUs of a process by mm_cid, which a thread takes along when it moves. So every CPU of the
 * script has a thread of its own, which stays there; they take turns. State is read as that of any process.
 */
#include "common/lab.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <unistd.h>

/* Types and constants only: this file is a program that uses the library. */
#include <kmem/slab.h>

#include "common/heap.h"
#include "common/target.h"

#define LIBRARY "libkmem.so.0"
#define MM_CID  24 /* offset in struct rseq; glibc 2.36 has no name for it */
#define NOBODY  SCRIPT_CPUS

struct library {
	void *handle;
	__typeof__(__kmem_cache_create_args) *create;
	__typeof__(kmem_cache_destroy) *destroy;
	__typeof__(kmem_cache_alloc) *alloc;
	__typeof__(kmem_cache_free) *free;
	__typeof__(kmem_cache_shrink) *shrink;
	__typeof__(kmem_cache_tune) *tune;
};

struct worker {
	struct kmem_lab *kl;
	unsigned int cpu;
	pthread_t thread;
	bool started;
};

struct kmem_lab {
	struct lab *lab;
	struct library lib;
	struct target target;
	struct heap heap;
	ptrdiff_t cpu_number; /* of the running thread, from its thread pointer; 0: there is none */
	struct kmem_cache *cache[SCRIPT_CACHES];
	void **object;
	uint8_t *owner; /* of a live object: index of its cache + 1 */

	struct worker worker[SCRIPT_CPUS];
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned int turn;    /* whose CPU's thread shall work, or NOBODY */
	bool quit;
	const struct script_op *ops;
	size_t nr_ops;
	uint16_t *used;
	int result;
};

/* ---- the library ---- */

static int load(struct kmem_lab *kl, const char *path)
{
	struct library *lib = &kl->lib;
	const struct {
		const char *name;
		void **function;
	} symbols[] = {
		{ "__kmem_cache_create_args", (void **)&lib->create },
		{ "kmem_cache_destroy", (void **)&lib->destroy },
		{ "kmem_cache_alloc", (void **)&lib->alloc },
		{ "kmem_cache_free", (void **)&lib->free },
		{ "kmem_cache_shrink", (void **)&lib->shrink },
		{ "kmem_cache_tune", (void **)&lib->tune },
	};

	lib->handle = dlopen(path ? path : LIBRARY, RTLD_NOW | RTLD_GLOBAL);
	if (!lib->handle)
		return lab_fail(kl->lab, -ENOENT, "libkmem cannot be loaded: %s", dlerror());
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		*symbols[i].function = dlsym(lib->handle, symbols[i].name);
		if (!*symbols[i].function)
			return lab_fail(kl->lab, -ENOENT, "%s has no %s: take the one of this release",
					path ? path : LIBRARY, symbols[i].name);
	}
	return 0;
}

static int find_heap(struct kmem_lab *kl)
{
	int rc = target_open(&kl->target, getpid());

	if (!rc)
		rc = target_find_roots(&kl->target);
	if (rc)
		return lab_fail(kl->lab, rc, "libkmem in this process: %s", kl->target.message);
	heap_init(&kl->heap, &kl->target, kl->target.roots[0].addr);
	kl->lab->nr_cpus = kl->target.roots[0].observe.nr_cpus;
	kl->lab->one_slot = !kl->target.roots[0].observe.rseq;
	if (!kl->lab->one_slot)
		kl->cpu_number = __rseq_offset + (kl->target.roots[0].observe.rseq == 2 ? MM_CID : 0);
	return 0;
}

/* ---- caches ---- */

static void construct(void *object)
{
	*(volatile char *)object = 0;
}

static slab_flags_t flags_of(const struct script_cache *cache)
{
	slab_flags_t flags = SLAB_NO_MERGE;

	flags |= cache->flags & SCRIPT_HWCACHE ? SLAB_HWCACHE_ALIGN : 0;
	flags |= cache->flags & SCRIPT_RECLAIM ? SLAB_RECLAIM_ACCOUNT : 0;
	flags |= cache->flags & SCRIPT_ACCOUNT ? SLAB_ACCOUNT : 0;
	flags |= cache->flags & SCRIPT_RCU ? SLAB_TYPESAFE_BY_RCU : 0;
	return flags;
}

/* What the kernel calls cpu_partial has no like here. */
static int tune(struct kmem_lab *kl, unsigned int i)
{
	const struct script_cache *cache = &kl->lab->script->cache[i];
	int rc = 0;

	if (cache->sheaf != SCRIPT_DEFAULT)
		rc = kl->lib.tune(kl->cache[i], KMEM_TUNE_SHEAF_CAPACITY, cache->sheaf);
	if (!rc && cache->barn != SCRIPT_DEFAULT)
		rc = kl->lib.tune(kl->cache[i], KMEM_TUNE_BARN_FULL, cache->barn);
	if (!rc && cache->min_partial != SCRIPT_DEFAULT)
		rc = kl->lib.tune(kl->cache[i], KMEM_TUNE_MIN_PARTIAL, cache->min_partial);
	return rc ? lab_fail(kl->lab, rc, "cache %s cannot be tuned so: %s", cache->name, strerror(-rc)) : 0;
}

static int make_caches(struct kmem_lab *kl)
{
	const struct script *script = kl->lab->script;

	for (unsigned int i = 0; i < script->nr_caches; i++) {
		const struct script_cache *cache = &script->cache[i];
		struct kmem_cache_args args = { .align = cache->align,
						.ctor = cache->flags & SCRIPT_CTOR ? construct : NULL };
		int rc;

		kl->cache[i] = kl->lib.create(cache->name, cache->size, &args, flags_of(cache));
		if (!kl->cache[i])
			return lab_fail(kl->lab, -EINVAL, "libkmem makes no cache %s of %u bytes", cache->name, cache->size);
		rc = tune(kl, i);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- steps, in the thread of their CPU ---- */

static uint16_t cpu_number(const struct kmem_lab *kl)
{
	const char *self = __builtin_thread_pointer();

	return kl->cpu_number ? (uint16_t)*(const volatile uint32_t *)(const void *)(self + kl->cpu_number) : 0;
}

static int step(struct kmem_lab *kl, const struct script_op *op)
{
	struct kmem_cache *cache = kl->cache[op->cache];

	if (op->kind == SCRIPT_ALLOC) {
		kl->object[op->object] = kl->lib.alloc(cache, GFP_KERNEL);
		kl->owner[op->object] = (uint8_t)(op->cache + 1);
		return kl->object[op->object] ? 0 : -ENOMEM;
	}
	if (op->kind == SCRIPT_SHRINK) {
		kl->lib.shrink(cache);
		return 0;
	}
	kl->lib.free(cache, kl->object[op->object]);
	kl->object[op->object] = NULL;
	return 0;
}

static void do_steps(struct kmem_lab *kl)
{
	uint64_t start = lab_now_ns();

	kl->result = 0;
	for (size_t i = 0; i < kl->nr_ops && !kl->result; i++) {
		kl->used[i] = cpu_number(kl);
		kl->result = step(kl, &kl->ops[i]);
		/* Which of the two it was, nobody can tell. */
		if (!kl->result && kl->used[i] != cpu_number(kl))
			kl->result = -EAGAIN;
	}
	kl->lab->spent_ns += lab_now_ns() - start;
}

static void *work_thread(void *arg)
{
	struct worker *worker = arg;
	struct kmem_lab *kl = worker->kl;

	pthread_mutex_lock(&kl->lock);
	while (!kl->quit) {
		if (kl->turn == worker->cpu) {
			do_steps(kl);
			kl->turn = NOBODY;
			pthread_cond_broadcast(&kl->wake);
		}
		pthread_cond_wait(&kl->wake, &kl->lock);
	}
	pthread_mutex_unlock(&kl->lock);
	return NULL;
}

/* A thread begins on the CPU where its creator is bound to: lab_run() has moved there. */
static int start(struct kmem_lab *kl, unsigned int cpu)
{
	struct worker *worker = &kl->worker[cpu];
	int err;

	if (worker->started)
		return 0;
	*worker = (struct worker){ .kl = kl, .cpu = cpu };
	err = pthread_create(&worker->thread, NULL, work_thread, worker);
	if (err)
		return lab_fail(kl->lab, -err, "no thread for CPU %u: %s", cpu, strerror(err));
	worker->started = true;
	return 0;
}

static int kmem_work(struct lab *lab, const struct script_op *ops, size_t nr, uint16_t *used)
{
	struct kmem_lab *kl = lab->backend;
	int rc = start(kl, ops[0].cpu);

	if (rc)
		return rc;
	pthread_mutex_lock(&kl->lock);
	kl->ops = ops;
	kl->nr_ops = nr;
	kl->used = used;
	kl->turn = ops[0].cpu;
	pthread_cond_broadcast(&kl->wake);
	while (kl->turn != NOBODY)
		pthread_cond_wait(&kl->wake, &kl->lock);
	rc = kl->result;
	pthread_mutex_unlock(&kl->lock);
	if (rc == -EAGAIN)
		return lab_fail(lab, rc, "the number of a CPU changed in the middle of a step: run it again");
	return rc ? lab_fail(lab, rc, "libkmem: %s", strerror(-rc)) : 0;
}

/* ---- state ---- */

static void fill(struct kmem_cache_info *row, const struct heap_cache *cache)
{
	row->have = KMEM_INFO_GEOMETRY | KMEM_INFO_LAYOUT | KMEM_INFO_SLABS | KMEM_INFO_PARTIAL | KMEM_INFO_SHEAVES |
		    KMEM_INFO_IN_USE | KMEM_INFO_MIN_PARTIAL;
	snprintf(row->name, sizeof(row->name), "%s", cache->cache.name);
	row->object_size = cache->cache.object_size;
	row->size = cache->cache.size;
	row->align = cache->cache.align;
	row->order = cache->cache.order;
	row->objects_per_slab = cache->cache.objects;
	row->min_order = cache->cache.min_order;
	row->min_objects = cache->cache.min_objects;
	row->refcount = 1;
	row->has_ctor = cache->cache.ctor != 0;
	row->min_partial = cache->cache.min_partial;
	row->sheaf_capacity = cache->cache.sheaf_capacity;
	row->slabs = cache->slabs;
	row->objects_total = cache->objects;
	row->node_partial = cache->partial_slabs;
	row->partial_free = cache->objects - cache->taken;
	row->sheaf_main = cache->cached_slots;
	row->barn_objects = cache->cached_barn;
	row->in_use = cache->active;
	row->slabinfo_active = cache->taken;
}

static int kmem_read(struct lab *lab, struct kmem_cache_info *row)
{
	struct kmem_lab *kl = lab->backend;
	int rc = heap_read(&kl->heap);

	if (rc)
		return lab_fail(lab, rc, "libkmem in this process: %s", kl->target.message);
	for (unsigned int i = 0; i < lab->script->nr_caches; i++) {
		const struct heap_cache *cache = heap_cache_by_id(&kl->heap, kl->cache[i]->id);

		if (!cache)
			return lab_fail(lab, -ENOENT, "cache %s is gone", lab->script->cache[i].name);
		fill(&row[i], cache);
	}
	return 0;
}

/* ---- beginning and end ---- */

static void kmem_close(struct lab *lab)
{
	struct kmem_lab *kl = lab->backend;

	pthread_mutex_lock(&kl->lock);
	kl->quit = true;
	pthread_cond_broadcast(&kl->wake);
	pthread_mutex_unlock(&kl->lock);
	for (unsigned int i = 0; i < SCRIPT_CPUS; i++)
		if (kl->worker[i].started)
			pthread_join(kl->worker[i].thread, NULL);
	for (uint32_t i = 0; kl->object && kl->owner && i < lab->script->nr_objects; i++)
		if (kl->object[i])
			kl->lib.free(kl->cache[kl->owner[i] - 1], kl->object[i]);
	for (unsigned int i = 0; i < lab->script->nr_caches; i++)
		if (kl->cache[i])
			kl->lib.destroy(kl->cache[i]);
	heap_close(&kl->heap);
	target_close(&kl->target);
	/* The library stays: it cannot be unloaded. */
	free(kl->object);
	free(kl->owner);
	free(kl);
}

int lab_open_kmem(struct lab *lab, const struct script *script, const char *path)
{
	static const struct lab_ops ops = { kmem_work, kmem_read, kmem_close };
	struct kmem_lab *kl = calloc(1, sizeof(*kl));
	int rc;

	*lab = (struct lab){ .script = script };
	if (!kl)
		return lab_fail(lab, -ENOMEM, "out of memory");
	kl->lab = lab;
	kl->turn = NOBODY;
	pthread_mutex_init(&kl->lock, NULL);
	pthread_cond_init(&kl->wake, NULL);
	lab->backend = kl;
	lab->ops = &ops;
	kl->object = calloc(script->nr_objects + 1, sizeof(*kl->object));
	kl->owner = calloc(script->nr_objects + 1, sizeof(*kl->owner));
	rc = kl->object && kl->owner ? load(kl, path) : lab_fail(lab, -ENOMEM, "out of memory");
	if (!rc)
		rc = find_heap(kl);
	return rc ? rc : make_caches(kl);
}
