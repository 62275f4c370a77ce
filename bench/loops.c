/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops.c - one thread's loops over objects of 64 bytes, in ns per allocation and free.
 *
 * loops: prints all rows, the median over batches of a batch's time. Batches are short and
 * timed by the TSC, so that most are not interrupted on a busy machine; long ones use the thread's
 * CPU clock. loops ROW: that row only. loops ROW N: one loop of N units, untimed, for callgrind.
 * One word of each object is written.
 */
#include "api.h"
#include "bench.h"

#define MOST    100000
#define CTOR_NS 200

static void *object[MOST];
static uint32_t order[MOST];    /* a random permutation of the current batch */
static api_handle class_handle[API_CLASSES], ctor_handle;
static double tick_ns;
static uint64_t ctor_ticks, ctor_calls;

static void touch(void *p)
{
	*(volatile long *)p = 1;
}

static void pair(api_handle h, long n)
{
	for (; n; n--) {
		void *p = api_alloc(h);

		touch(p);
		api_free(h, p);
	}
}

static inline __attribute__((__always_inline__)) void batches(api_handle h, long n, long batch, int random)
{
	long i;

	for (; n > 0; n -= batch) {
		for (i = 0; i < batch; i++) {
			object[i] = api_alloc(h);
			touch(object[i]);
		}
		for (i = 0; i < batch; i++)
			api_free(h, object[random ? order[i] : i]);
	}
}

static void batch_32(api_handle h, long n)
{
	batches(h, n, 32, 0);
}

static void fifo_1000(api_handle h, long n)
{
	batches(h, n, 1000, 0);
}

static void random_1000(api_handle h, long n)
{
	batches(h, n, 1000, 1);
}

static void fifo_100000(api_handle h, long n)
{
	batches(h, n, 100000, 0);
}

static void random_100000(api_handle h, long n)
{
	batches(h, n, 100000, 1);
}

/* 32 objects by one call where there is one, else by a loop. */
static void bulk_32(api_handle h, long n)
{
#if API == API_INLINE || API == API_SO
	for (; n > 0; n -= 32) {
		long i;

		if (kmem_cache_alloc_bulk(h, GFP_KERNEL, 32, object) != 32)
			abort();
		for (i = 0; i < 32; i++)
			touch(object[i]);
		kmem_cache_free_bulk(h, 32, object);
	}
#else
	batches(h, n, 32, 0);
#endif
}

static void construct(void *p)
{
	uint64_t end = bench_tsc() + ctor_ticks;

	memset(p, 1, 64);
	while (bench_tsc() < end)
		;
	ctor_calls++;
}

/* Objects that must be constructed when they are allocated: once in a cache with a constructor, each time elsewhere. */
static void constructed(api_handle h, long n)
{
	long i;

	(void)h;
	for (; n > 0; n -= 1000) {
		for (i = 0; i < 1000; i++) {
			object[i] = api_alloc(ctor_handle);
			if (API == API_MALLOC || API == API_KMALLOC)
				construct(object[i]);
			touch(object[i]);
		}
		for (i = 0; i < 1000; i++)
			api_free(ctor_handle, object[i]);
	}
}

/* 1000 places; each step frees what is in one of them and allocates one of eight sizes. */
static void classes_8(api_handle h, long n)
{
	static uint8_t class_of[1000];
	static void *place[1000];
	static uint64_t state = 88172645463325252u;

	(void)h;
	for (; n; n--) {
		uint64_t r = bench_random(&state);
		size_t k = (r >> 20) % 1000, c = r >> 40 & 7;

		if (place[k])
			api_free(class_handle[class_of[k]], place[k]);
		place[k] = api_alloc(class_handle[c]);
		class_of[k] = (uint8_t)c;
		touch(place[k]);
	}
}

#if API == API_INLINE
/* The same as pair and batch_32 without the two semaphore tests: what dormant probes cost. */
static void pair_no_probes(api_handle s, long n)
{
	for (; n; n--) {
		void *p;

		if (__builtin_expect(!kmem_slot_pop(s, __rseq_offset, kmem_fast_id, &p), 0))
			p = kmem_cache_alloc(s, GFP_KERNEL);
		touch(p);
		if (__builtin_expect(!kmem_slot_push(s, __rseq_offset, kmem_fast_id, p), 0))
			kmem_cache_free(s, p);
	}
}

static void batch_32_no_probes(api_handle s, long n)
{
	long i;

	for (; n > 0; n -= 32) {
		for (i = 0; i < 32; i++) {
			if (__builtin_expect(!kmem_slot_pop(s, __rseq_offset, kmem_fast_id, &object[i]), 0))
				object[i] = kmem_cache_alloc(s, GFP_KERNEL);
			touch(object[i]);
		}
		for (i = 0; i < 32; i++)
			if (__builtin_expect(!kmem_slot_push(s, __rseq_offset, kmem_fast_id, object[i]), 0))
				kmem_cache_free(s, object[i]);
	}
}
#endif

/* Units per timed batch; number of batches. */
static const struct loop {
	const char *name;
	void (*run)(api_handle, long);
	long n;
	size_t rounds;
} loops[] = {
	{ "pair", pair, 10000, 1001 },
	{ "batch_32", batch_32, 9984, 1001 },
	{ "fifo_1000", fifo_1000, 1000, 2001 },
	{ "random_1000", random_1000, 1000, 2001 },
	{ "fifo_100000", fifo_100000, 100000, 41 },
	{ "random_100000", random_100000, 100000, 41 },
	{ "bulk_32", bulk_32, 9984, 1001 },
	{ "constructed", constructed, 1000, 301 },
	{ "classes_8", classes_8, 10000, 501 },
#if API == API_INLINE
	{ "pair_no_probes", pair_no_probes, 10000, 1001 },
	{ "batch_32_no_probes", batch_32_no_probes, 9984, 1001 },
#endif
};

static void shuffle(uint32_t n)
{
	uint64_t state = 0x9e3779b97f4a7c15u;
	uint32_t i;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; i; i--) {
		uint32_t j = (uint32_t)(bench_random(&state) % (i + 1)), swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
}

static void time_loop(const struct loop *l, api_handle h)
{
	static double round[2001];
	size_t i;

	for (i = 0; i < l->rounds / 10 + 1; i++)
		l->run(h, l->n);
	ctor_calls = 0;
	for (i = 0; i < l->rounds; i++) {
		if (l->n <= 10000) {
			uint64_t begin = bench_tsc();

			l->run(h, l->n);
			round[i] = (double)(bench_tsc() - begin) * tick_ns / (double)l->n;
		} else {
			double begin = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);

			l->run(h, l->n);
			round[i] = (bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / (double)l->n;
		}
	}
	if (l->run == constructed)
		printf("ctor_calls %.4f\n", (double)ctor_calls / (double)((long)l->rounds * l->n));
	printf("%s %.3f\n", l->name, bench_median(round, l->rounds));
}

int main(int argc, char **argv)
{
	api_handle h;
	size_t i;

	tick_ns = argc == 3 ? 1 : bench_tick_ns();
	ctor_ticks = (uint64_t)(CTOR_NS / tick_ns);
	api_open_classes(class_handle);
	h = class_handle[2];
	ctor_handle = api_open(64, construct);
	for (i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		if (argc > 1 && strcmp(argv[1], loops[i].name))
			continue;
		shuffle(loops[i].run == random_100000 ? 100000 : 1000);
		if (argc == 3)
			loops[i].run(h, atol(argv[2]));
		else
			time_loop(&loops[i], h);
	}
	return 0;
}
