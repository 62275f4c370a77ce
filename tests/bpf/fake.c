/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake.c - a process with libkmem's probes and a page -> cache id map, without
 * libkmem. Fires known events, so that what is counted can be compared exactly.
 *
 *	fake ROUNDS THREADS [SITE]
 *
 * Prints one line "PID ROOT ARENA_BASE ARENA_LIMIT IDMAP" for watch.c, waits for
 * SIGUSR1, lets each thread fire ROUNDS rounds of the events in round(), and
 * exits with 0, or 1 if the semaphores said that nobody watched. With SITE the
 * heap is at a fixed address, and last_objects() are left. Compiled twice:
 * with -O2 the arguments are in the registers of the calling convention, with
 * -O0 in memory.
 */
#include <kmem/observe.h>

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SDT_USE_VARIADIC
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#define SEMAPHORE(probe) \
	volatile uint16_t kmem_##probe##_semaphore __attribute__((section(".probes"), visibility("hidden")))

SEMAPHORE(kmem_cache_alloc);
SEMAPHORE(kmem_cache_free);
SEMAPHORE(kmalloc);
SEMAPHORE(kfree);
SEMAPHORE(mm_page_alloc);
SEMAPHORE(mm_page_free);

#define PAGES 16
#define FIXED ((void *)0x10000000000) /* where nothing is mapped */

static struct kmem_observe root;
static uint16_t *idmap;
static char *arena;
static unsigned long rounds;

__attribute__((noipa)) static void
fire_cache_alloc(uintptr_t call_site, const void *ptr, const char *name, size_t bytes_req,
		 size_t bytes_alloc, unsigned int gfp_flags, int node, int accounted)
{
	STAP_PROBEV(kmem, kmem_cache_alloc, call_site, ptr, name, bytes_req, bytes_alloc, gfp_flags,
		    node, accounted);
}

__attribute__((noipa)) static void
fire_kmalloc(uintptr_t call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
	     unsigned int gfp_flags, int node, int accounted)
{
	STAP_PROBEV(kmem, kmalloc, call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node, accounted);
}

__attribute__((noipa)) static void
fire_cache_free(uintptr_t call_site, const void *ptr, const char *name)
{
	STAP_PROBEV(kmem, kmem_cache_free, call_site, ptr, name);
}

__attribute__((noipa)) static void fire_kfree(uintptr_t call_site, const void *ptr)
{
	STAP_PROBEV(kmem, kfree, call_site, ptr);
}

__attribute__((noipa)) static void
fire_page_alloc(unsigned long pfn, unsigned int order, unsigned int gfp_flags, int migratetype)
{
	STAP_PROBEV(kmem, mm_page_alloc, pfn, order, gfp_flags, migratetype);
}

__attribute__((noipa)) static void fire_page_free(unsigned long pfn, unsigned int order)
{
	STAP_PROBEV(kmem, mm_page_free, pfn, order);
}

static char *in_page(unsigned int page)
{
	return arena + page * KMEM_PAGE_BYTES + 128;
}

/* The scripts that run this know these numbers. */
static void round_of_events(void)
{
	fire_cache_alloc(0x1001, in_page(1), "fake", 60, 64, 0xcc0, -1, 0);
	fire_cache_free(0x1002, in_page(1), "fake");
	fire_kmalloc(0x1003, in_page(2), 100, 128, 0xcc0, -1, 0);
	fire_kmalloc(0x1003, in_page(2), 28, 128, 0xcc0, -1, 0);
	fire_kfree(0x1004, in_page(2));
	fire_kmalloc(0x1005, in_page(3), 9000, 12288, 0xcc0, -1, 0); /* large */
	fire_kmalloc(0x1006, NULL, 64, 64, 0xcc0, -1, 0);            /* failed */
	fire_kmalloc(0x1006, (void *)16, 0, 0, 0xcc0, -1, 0);        /* ZERO_SIZE_PTR */
	fire_kfree(0x1007, NULL);
	fire_kfree(0x1008, arena - 4096);   /* not ours */
	fire_kfree(0x1008, in_page(4));     /* in no cache */
	fire_page_alloc(8, 2, 0xcc0, 0);
	fire_page_alloc((unsigned long)-1, 2, 0xcc0, 0); /* failed */
	fire_page_free(8, 2);
}

/* Pages 5 and 6 keep an object, page 5 that of the second call; page 7 none. */
static void last_objects(uintptr_t site)
{
	fire_kmalloc(site + 1, in_page(5), 40, 64, 0xcc0, -1, 0);
	fire_kmalloc(site + 2, in_page(5), 41, 64, 0xcc0, -1, 0);
	fire_cache_alloc(site + 3, in_page(6), "fake", 60, 64, 0xcc0, -1, 0);
	fire_kmalloc(site + 4, in_page(7), 43, 64, 0xcc0, -1, 0);
	fire_kfree(site + 5, in_page(7));
}

static void *fire_all(void *arg)
{
	unsigned long i;

	(void)arg;
	for (i = 0; i < rounds; i++)
		round_of_events();
	return NULL;
}

static void *map(void *where, size_t bytes)
{
	void *p = mmap(where, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(2);
	return p;
}

static void make_heap(void *where)
{
	arena = map(where, PAGES * KMEM_PAGE_BYTES);
	idmap = map(NULL, PAGES * sizeof(*idmap));
	idmap[1] = 5;
	idmap[2] = 6;
	idmap[3] = KMEM_ID_LARGE;
	root.magic = KMEM_OBSERVE_MAGIC;
}

int main(int argc, char **argv)
{
	unsigned long nr_threads = argc > 2 ? strtoul(argv[2], NULL, 0) : 1, i;
	uintptr_t site = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;
	pthread_t threads[64];
	sigset_t set;
	int sig, watched;

	if (argc < 3 || nr_threads > 64)
		return 2;
	rounds = strtoul(argv[1], NULL, 0);
	make_heap(site ? FIXED : NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("%d %#lx %#lx %#lx %#lx\n", getpid(), (unsigned long)&root, (unsigned long)arena,
	       (unsigned long)arena + PAGES * KMEM_PAGE_BYTES, (unsigned long)idmap);
	fflush(stdout);
	sigwait(&set, &sig);
	watched = kmem_kmem_cache_alloc_semaphore && kmem_kmalloc_semaphore && kmem_kfree_semaphore;
	for (i = 0; i < nr_threads; i++)
		if (pthread_create(&threads[i], NULL, fire_all, NULL))
			return 2;
	for (i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
	if (site)
		last_objects(site);
	return !watched;
}
