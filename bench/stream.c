/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - what an event of the batch tier costs the program, in ns per event, the operation itself included.
 *
 * stream: prints, for objects of 64 bytes of a cache allocated and freed 12 functions deep:
 *   op             without recording
 *   append         a record without time stamp; append_time, append_stacks: with one, with stacks of 8 frames.
 *                  Full buffers are delivered to nobody.
 *   deliver...     the same with a reader attached, in a thread of its own; and how many events were lost
 *   rate           million events per second of wall time from two threads, without time stamps
 * All are medians of short batches' thread CPU time, taken in turns.
 * stream LOOP N: N pairs of op, append, ..., untimed, for callgrind.
 */
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include <kmem/fastpath.h>
#include <kmem/slab.h>

#include "base/trace.h"
#include "bench.h"
#include "common/stream.h"

#define DEPTH  12
#define PAIRS  20000
#define ROUNDS 60
#define CPUS   2

static struct kmem_cache *cache;

static __attribute__((__noinline__)) void pairs(long n)
{
	for (; n; n--) {
		void *p = kmem_cache_alloc(cache, GFP_KERNEL);

		*(volatile long *)p = 1;
		kmem_cache_free(cache, p);
	}
}

static __attribute__((__noinline__)) void deep(int depth, long n)
{
	if (depth)
		deep(depth - 1, n);
	else
		pairs(n);
	__asm__ volatile("" : : : "memory");
}

/* ---- recording without a reader ---- */

/* What attaching to kmem:batch does: one more on the counts of the object probes and on its own. */
static void record(bool on)
{
	static const enum trace_event event[] = { TRACE_KMEM_CACHE_ALLOC, TRACE_KMEM_CACHE_FREE, TRACE_KMALLOC,
						  TRACE_KFREE, TRACE_BATCH };
	uint32_t *semaphore = (uint32_t *)(uintptr_t)kmem_fast_semaphore - TRACE_KMEM_CACHE_ALLOC;
	size_t i;

	for (i = 0; i < sizeof(event) / sizeof(event[0]); i++)
		__atomic_fetch_add(&semaphore[event[i]], on ? 0x10000u : -0x10000u, __ATOMIC_SEQ_CST);
}

static const struct mode {
	const char *name;
	uint32_t mode;
} modes[] = {
	{ "", KMEM_BATCH_NO_TIME },
	{ "_time", 0 },
	{ "_stacks", KMEM_BATCH_NO_TIME | KMEM_BATCH_STACKS },
};

#define NR_MODES (sizeof(modes) / sizeof(modes[0]))

static struct target self;

static struct kmem_batches *batches(void)
{
	return (struct kmem_batches *)(uintptr_t)self.roots[0].observe.batches;
}

static double batch_ns(void)
{
	double begin = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);

	deep(DEPTH, PAIRS);
	return (bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / (2 * PAIRS);
}

static void measure_appends(void)
{
	static double op[ROUNDS], append[NR_MODES][ROUNDS];
	size_t m;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		op[i] = batch_ns();
		record(true);
		for (m = 0; m < NR_MODES; m++) {
			batches()->mode = modes[m].mode;
			append[m][i] = batch_ns();
		}
		record(false);
	}
	printf("op %.3f\n", bench_median(op, ROUNDS));
	for (m = 0; m < NR_MODES; m++)
		printf("append%s %.3f\n", modes[m].name, bench_median(append[m], ROUNDS));
}

/* ---- with a reader ---- */

static struct stream *stream;
static volatile bool done;

static void on_batch(void *context, pid_t pid, const struct kmem_batch *b, uint32_t nr)
{
	(void)context;
	(void)pid;
	(void)b;
	(void)nr;
}

static void *read_stream(void *unused)
{
	(void)unused;
	while (!done) {
		stream_poll(stream, on_batch, NULL);
		usleep(1000);
	}
	return NULL;
}

static void die(const char *why)
{
	fprintf(stderr, "stream: %s\n", why);
	exit(1);
}

static void *work(void *cpu)
{
	int i;

	bench_pin((size_t)cpu);
	for (i = 0; i < ROUNDS; i++)
		deep(DEPTH, PAIRS);
	return NULL;
}

static double rate(void)
{
	pthread_t thread[CPUS];
	double begin = bench_clock_ns(CLOCK_MONOTONIC);
	size_t i;

	for (i = 0; i < CPUS; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	for (i = 0; i < CPUS; i++)
		pthread_join(thread[i], NULL);
	return 2e3 * CPUS * ROUNDS * PAIRS / (bench_clock_ns(CLOCK_MONOTONIC) - begin);
}

static void measure_delivery(const struct mode *mode, bool rates)
{
	struct stream_options options = { .mode = mode->mode, .ring_bytes = 256u << 20 };
	static double took[ROUNDS];
	struct stream_totals totals;
	char err[320];
	pthread_t reader;
	int i;

	if (stream_open(&stream, &options, err, sizeof(err)) ||
	    stream_attach(stream, &self, &self.roots[0], err, sizeof(err)))
		die(err);
	done = false;
	pthread_create(&reader, NULL, read_stream, NULL);
	for (i = 0; i < ROUNDS; i++)
		took[i] = batch_ns();
	printf("deliver%s %.3f\n", mode->name, bench_median(took, ROUNDS));
	if (rates)
		printf("rate %.1f\n", rate());
	done = true;
	pthread_join(reader, NULL);
	stream_detach(stream, on_batch, NULL);
	if (stream_read_totals(stream, &totals, err, sizeof(err)))
		die(err);
	printf("lost%s %.0f\n", mode->name, (double)(totals.lost + totals.unreadable + totals.no_buffer));
	stream_close(stream);
}

/* ---- the whole ---- */

static int count(const char *loop, long n)
{
	size_t m;

	for (m = 0; m < NR_MODES; m++)
		if (!strncmp(loop, "append", 6) && !strcmp(loop + 6, modes[m].name)) {
			batches()->mode = modes[m].mode;
			record(true);
		}
	deep(DEPTH, n);
	return 0;
}

int main(int argc, char **argv)
{
	size_t m;

	cache = kmem_cache_create("stream", 64, 0, 0, NULL);
	if (!cache || target_open(&self, getpid()) || target_find_roots(&self))
		die(self.message);
	if (argc == 3)
		return count(argv[1], atol(argv[2]));
	measure_appends();
	for (m = 0; m < NR_MODES; m++)
		measure_delivery(&modes[m], m == 0);
	target_close(&self);
	return 0;
}
