/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allocator.c - the allocator on the kernel that runs: threads on all CPUs
 * allocate, hand over and free while the main thread drains their slots, also
 * across a fork; in the end the books must be even and no slab left.
 *
 * allocator [ROUNDS]. Prints how CPUs are told apart, which must be what this
 * kernel's release has: mm_cid since 6.3, cpu_id before. Linked statically.
 */
#include <kmem/slab.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/percpu.h"

enum { THREADS = 6, HELD = 200, MAILBOX = 64 };

#define CHECK(condition, what)                                                \
	do {                                                                  \
		if (!(condition)) {                                           \
			printf("allocator: %s (line %d)\n", what, __LINE__);  \
			fflush(stdout);                                       \
			_exit(1);                                             \
		}                                                             \
	} while (0)

struct object {
	uint64_t tag, copy, rest[10];
};

static struct kmem_cache *cache;
static _Atomic(struct object *) mailbox[MAILBOX];
static _Atomic int running;
static unsigned int rounds = 3000;

static struct object *make(uint64_t tag)
{
	struct object *o = kmem_cache_alloc(cache, GFP_KERNEL);

	CHECK(o, "out of memory");
	/* Free objects keep what their last owner wrote: 0. */
	CHECK(!o->tag && !o->copy, "an object was handed out twice");
	o->tag = tag;
	o->copy = ~tag;
	return o;
}

static void drop(struct object *o)
{
	CHECK(o->tag == ~o->copy, "an object was changed by somebody else");
	o->tag = o->copy = 0;
	kmem_cache_free(cache, o);
}

static void *work(void *number)
{
	uint64_t tag = (uint64_t)(uintptr_t)number << 32;

	for (unsigned int round = 0; round < rounds; round++) {
		struct object *held[HELD], *other;
		void *buffer;

		for (int i = 0; i < HELD; i++)
			held[i] = make(++tag);
		other = atomic_exchange(&mailbox[tag % MAILBOX], make(++tag));
		if (other)
			drop(other);
		buffer = kmalloc(round * 37 % 20000 + 1, GFP_KERNEL);
		CHECK(buffer, "kmalloc");
		memset(buffer, 0xee, round * 37 % 20000 + 1);
		memset(buffer, 0, round * 37 % 20000 + 1); /* its pages may become objects */
		kfree(buffer);
		for (int i = 0; i < HELD; i++)
			drop(held[i]);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* The child of a process whose other threads are in the middle of something can allocate and drain. */
static void fork_now(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0, "fork");
	if (!pid) {
		for (int i = 0; i < HELD; i++)
			drop(make(1));
		kmem_cache_shrink(cache);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child failed");
}

static const char *expected_mode(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	return major > 6 || (major == 6 && minor >= 3) ? "mm_cid" : "cpu_id";
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "none", "cpu_id", "mm_cid", "assumed" };
	const char *mode = names[percpu_mode()];
	struct kmem_cache_stat stat;
	pthread_t threads[THREADS];
	unsigned int drains = 0;

	if (argc > 1)
		rounds = (unsigned int)atoi(argv[1]);
	cache = kmem_cache_create("allocator", sizeof(struct object), NULL, 0);
	CHECK(cache, "kmem_cache_create");
	atomic_store(&running, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0, "pthread_create");
	while (atomic_load(&running)) {
		kmem_cache_shrink(cache);
		if (++drains % 8 == 1)
			fork_now();
		usleep(1000);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < MAILBOX; i++)
		if (mailbox[i])
			drop(mailbox[i]);

	kmem_cache_stat(cache, &stat);
	printf("allocator: %lu allocations, %lu frees, %u drains, %u CPUs by %s\n", stat.allocs, stat.frees, drains,
	       percpu_nr_cpus(), mode);
	CHECK(stat.allocs == (uint64_t)THREADS * rounds * (HELD + 1), "allocations were not all counted");
	CHECK(stat.allocs == stat.frees && stat.active == 0, "the books are not even");
	CHECK(kmem_cache_shrink(cache) == 0, "a slab is left");
	CHECK(kmem_cache_destroy(cache) == 0, "an object is left");
	CHECK(!strcmp(mode, expected_mode()), "not the mode that this kernel offers");
	return 0;
}
