/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads.c - many threads over eight sizes; ns of CPU time per allocation and free, and KiB per thread.
 *
 * threads private N    each thread has 200 objects of its own and replaces one at random; they are not counted
 *                      in the KiB per thread
 * threads exchange N   each swaps its new object with one of 20 * N shared ones and frees what it got
 * threads idle N       each holds one object of 64 bytes and sleeps
 * threads one-core N   all on one CPU, each fills and empties 1000 objects of 64 bytes: a thread that is
 *                      preempted while it holds a lock must not hold up the others
 * No more threads than CPUs are pinned to one each. Eight million operations are shared by all, but on one
 * core each thread does a million, so that it is preempted now and then. Memory is what became resident since
 * all threads were started, their stacks included where they are used for the first time.
 */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "api.h"
#include "bench.h"

#define OPERATIONS 8000000
#define ONE_CORE   1000000
#define PLACES     200
#define SHARED     20

struct shared {
	_Alignas(64) void *object;
};

static struct shared *shared;
static api_handle handle[API_CLASSES];
static pthread_barrier_t gate;
static double cpu_ns; /* of all threads, between the first two gates */
static size_t own_bytes; /* in the objects of private threads */
static long threads, per_thread;
static void (*work)(uint64_t state);

static void touch(void *p)
{
	*(volatile long *)p = 1;
}

static void private(uint64_t state)
{
	uint8_t class_of[PLACES] = { 0 };
	void *place[PLACES] = { NULL };
	long i;

	for (i = 0; i < per_thread; i++) {
		uint64_t r = bench_random(&state);
		size_t k = (r >> 20) % PLACES, c = r >> 40 & 7;

		if (place[k])
			api_free(handle[class_of[k]], place[k]);
		place[k] = api_alloc(handle[c]);
		class_of[k] = (uint8_t)c;
		touch(place[k]);
	}
	for (i = 0; i < PLACES; i++)
		if (place[i])
			__atomic_fetch_add(&own_bytes, api_class_size[class_of[i]], __ATOMIC_RELAXED);
}

/* The class travels in the pointer's upper bits, for caches that must be told. */
static void exchange(uint64_t state)
{
	long i;

	for (i = 0; i < per_thread; i++) {
		uint64_t r = bench_random(&state), c = r >> 40 & 7;
		size_t k = (r >> 20) % (size_t)(threads * SHARED);
		uintptr_t mine = (uintptr_t)api_alloc(handle[c]), got;

		touch((void *)mine);
		got = (uintptr_t)__atomic_exchange_n(&shared[k].object, (void *)(mine | c << 56), __ATOMIC_ACQ_REL);
		if (got)
			api_free(handle[got >> 56], (void *)(got & (((uintptr_t)1 << 56) - 1)));
	}
}

static void idle(uint64_t state)
{
	(void)state;
	touch(api_alloc(handle[2]));
}

static void one_core(uint64_t state)
{
	static __thread void *object[1000];
	long i, k;

	(void)state;
	for (i = 0; i < per_thread; i += 1000) {
		for (k = 0; k < 1000; k++) {
			object[k] = api_alloc(handle[2]);
			touch(object[k]);
		}
		for (k = 0; k < 1000; k++)
			api_free(handle[2], object[k]);
	}
}

static void *run(void *arg)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	double begin;

	if (work != one_core && threads <= sysconf(_SC_NPROCESSORS_ONLN))
		bench_pin((size_t)arg);
	pthread_barrier_wait(&gate); /* all are there */
	pthread_barrier_wait(&gate); /* memory was read */
	begin = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	work(UINT64_C(0x9e3779b97f4a7c15) * ((uintptr_t)arg + 1));
	begin = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
	pthread_mutex_lock(&lock);
	cpu_ns += begin;
	pthread_mutex_unlock(&lock);
	pthread_barrier_wait(&gate); /* done */
	pthread_barrier_wait(&gate); /* memory was read again */
	return NULL;
}

static double resident_kib(void)
{
	char buf[128], *at;
	int fd = open("/proc/self/statm", O_RDONLY);
	ssize_t len = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	buf[len > 0 ? len : 0] = '\0';
	strtoul(buf, &at, 10);
	return (double)strtoul(at, NULL, 10) * 4;
}

static int choose(const char *name)
{
	static const struct {
		const char *name;
		void (*work)(uint64_t state);
	} mode[] = { { "private", private }, { "exchange", exchange }, { "idle", idle }, { "one-core", one_core } };
	size_t i;

	for (i = 0; i < sizeof(mode) / sizeof(mode[0]); i++)
		if (!strcmp(name, mode[i].name))
			work = mode[i].work;
	return work ? 0 : -1;
}

int main(int argc, char **argv)
{
	pthread_attr_t attr;
	pthread_t *thread;
	double before, wall;
	long i;

	threads = argc == 3 ? atol(argv[2]) : 0;
	if (threads < 1 || choose(argv[1])) {
		fprintf(stderr, "usage: threads private|exchange|idle|one-core N\n");
		return 2;
	}
	if (work == one_core)
		bench_pin(0);
	per_thread = work == one_core ? ONE_CORE : OPERATIONS / threads;
	api_open_classes(handle);
	shared = calloc((size_t)threads * SHARED, sizeof(*shared));
	thread = calloc((size_t)threads, sizeof(*thread));
	memset(shared, 0, (size_t)threads * SHARED * sizeof(*shared));
	pthread_barrier_init(&gate, NULL, (unsigned int)threads + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread[i], &attr, run, (void *)i))
			return 1;
	pthread_barrier_wait(&gate);
	before = resident_kib();
	wall = bench_clock_ns(CLOCK_MONOTONIC);
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	wall = bench_clock_ns(CLOCK_MONOTONIC) - wall;
	printf("ns %.3f\nkib_per_thread %.3f\n", cpu_ns / (double)(per_thread * threads),
	       (resident_kib() - before - (double)own_bytes / 1024) / (double)threads);
	printf("overlap %.3f\n", cpu_ns / wall / 2);
	pthread_barrier_wait(&gate);
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
