/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.c - objects of 64 bytes that one thread allocates and another frees.
 *
 * flow BATCH PAIRS: each of PAIRS producers hands batches of BATCH objects to its consumer. Producers
 * run on the first half of the CPUs, consumers on the second. Prints the ns that an object takes to
 * allocate and to free (trimmed means over batches, waiting left out), and how much of the wall time each
 * CPU's threads had: far below 1, they did not run at the same time, and the figures mean nothing.
 */
#include <pthread.h>
#include <unistd.h>

#include "api.h"
#include "bench.h"

#define RING       64
#define OBJECTS    8000000
#define MOST_PAIRS 16

struct flow {
	void **ring[RING];
	double *alloc_ns, *free_ns;
	double cpu_ns;      /* of both threads */
	size_t cpu[2];
	/* Batches written and read so far, each in a cache line of its own. */
	_Alignas(128) volatile long head;
	_Alignas(128) volatile long tail;
};

static struct flow flow[MOST_PAIRS];
static pthread_barrier_t begin;
static api_handle handle;
static double tick_ns, start_ns, end_ns;
static long batch, rounds;
static int pairs;

/* Alone on its CPU a thread polls; several let each other run. */
static void wait_a_little(void)
{
	if (pairs > 1)
		sched_yield();
	else
		_mm_pause();
}

static void add_cpu_ns(struct flow *f)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	double now = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);

	pthread_mutex_lock(&lock);
	f->cpu_ns += now;
	end_ns = bench_clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_unlock(&lock);
}

static void *produce(void *arg)
{
	struct flow *f = arg;
	long i, k;

	bench_pin(f->cpu[0]);
	pthread_barrier_wait(&begin);
	for (i = 0; i < rounds; i++) {
		void **v = f->ring[i % RING];
		uint64_t tsc;

		while (i - __atomic_load_n(&f->tail, __ATOMIC_ACQUIRE) >= RING)
			wait_a_little();
		tsc = bench_tsc();
		for (k = 0; k < batch; k++) {
			v[k] = api_alloc(handle);
			*(volatile long *)v[k] = k;
		}
		f->alloc_ns[i] = (double)(bench_tsc() - tsc) * tick_ns / (double)batch;
		__atomic_store_n(&f->head, i + 1, __ATOMIC_RELEASE);
	}
	add_cpu_ns(f);
	return NULL;
}

static void *consume(void *arg)
{
	struct flow *f = arg;
	long i, k;

	bench_pin(f->cpu[1]);
	pthread_barrier_wait(&begin);
	for (i = 0; i < rounds; i++) {
		void **v = f->ring[i % RING];
		uint64_t tsc;

		while (__atomic_load_n(&f->head, __ATOMIC_ACQUIRE) <= i)
			wait_a_little();
		tsc = bench_tsc();
		for (k = 0; k < batch; k++)
			api_free(handle, v[k]);
		f->free_ns[i] = (double)(bench_tsc() - tsc) * tick_ns / (double)batch;
		__atomic_store_n(&f->tail, i + 1, __ATOMIC_RELEASE);
	}
	add_cpu_ns(f);
	return NULL;
}

static void set_up(struct flow *f, size_t nr, size_t cpus)
{
	int i;

	f->cpu[0] = nr % (cpus / 2);
	f->cpu[1] = cpus / 2 + nr % (cpus / 2);
	for (i = 0; i < RING; i++)
		f->ring[i] = calloc((size_t)batch, sizeof(void *));
	f->alloc_ns = calloc((size_t)rounds, sizeof(double));
	f->free_ns = calloc((size_t)rounds, sizeof(double));
}

int main(int argc, char **argv)
{
	pthread_t thread[2 * MOST_PAIRS];
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), i;
	double alloc_ns = 0, free_ns = 0, cpu_ns = 0;

	batch = argc > 1 ? atol(argv[1]) : 1000;
	pairs = argc > 2 ? atoi(argv[2]) : 1;
	if (cpus < 2 || batch < 1 || pairs < 1 || pairs > MOST_PAIRS) {
		fprintf(stderr, "flow: needs 2 CPUs, a batch of at least 1 and 1 to %d pairs\n", MOST_PAIRS);
		return 1;
	}
	rounds = OBJECTS / batch / pairs;
	tick_ns = bench_tick_ns();
	handle = api_open(64, NULL);
	pthread_barrier_init(&begin, NULL, (unsigned int)(2 * pairs + 1));
	for (i = 0; i < pairs; i++) {
		set_up(&flow[i], (size_t)i, (size_t)cpus);
		pthread_create(&thread[2 * i], NULL, produce, &flow[i]);
		pthread_create(&thread[2 * i + 1], NULL, consume, &flow[i]);
	}
	start_ns = bench_clock_ns(CLOCK_MONOTONIC);
	pthread_barrier_wait(&begin);
	for (i = 0; i < 2 * pairs; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < pairs; i++) {
		/* The first tenth is warm-up. */
		alloc_ns += bench_trimmed_mean(flow[i].alloc_ns + rounds / 10, (size_t)(rounds - rounds / 10)) / pairs;
		free_ns += bench_trimmed_mean(flow[i].free_ns + rounds / 10, (size_t)(rounds - rounds / 10)) / pairs;
		cpu_ns += flow[i].cpu_ns;
	}
	printf("alloc %.3f\nfree %.3f\nsum %.3f\n", alloc_ns, free_ns, alloc_ns + free_ns);
	i = pairs > cpus / 2 ? cpus / 2 : pairs;
	printf("overlap %.3f\n", cpu_ns / (end_ns - start_ns) / (2 * i));
	return 0;
}
