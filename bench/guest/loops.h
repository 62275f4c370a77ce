/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops.h - the same loops for the kernel's SLUB and for libkmem: included by a kernel module (slub.c) and by a
 * program (library.c), which print the TSC ticks per allocation and free. In a guest that QEMU runs with
 * -icount shift=0 a tick is an instruction.
 *
 * The includer defines PRINT(format, ...), TICKS(), HOLD() and RELEASE() (nobody else runs between them), and
 * NAME. ALLOC and FREE are the calls for objects of a cache.
 */
#define ROUNDS 9
#define MOST   1000

static void *held[MOST];
static unsigned int order[MOST];

static void pairs(struct kmem_cache *s, int n)
{
	for (; n; n--)
		FREE(s, ALLOC(s));
}

static void batches(struct kmem_cache *s, int n, int batch, int random)
{
	int i;

	for (; n > 0; n -= batch) {
		for (i = 0; i < batch; i++)
			held[i] = ALLOC(s);
		for (i = 0; i < batch; i++)
			FREE(s, held[random ? (int)order[i] : i]);
	}
}

static void pair_1000(struct kmem_cache *s)
{
	pairs(s, 1000);
}

static void batch_10(struct kmem_cache *s)
{
	batches(s, 1000, 10, 0);
}

static void batch_100(struct kmem_cache *s)
{
	batches(s, 1000, 100, 0);
}

static void fifo_1000(struct kmem_cache *s)
{
	batches(s, 1000, 1000, 0);
}

static void random_1000(struct kmem_cache *s)
{
	batches(s, 1000, 1000, 1);
}

static void kmalloc_1000(struct kmem_cache *s)
{
	int n;

	(void)s;
	for (n = 0; n < 1000; n++)
		kfree(kmalloc(64, GFP_ATOMIC));
}

/* 31 times 32: 992 objects. */
static void bulk_32(struct kmem_cache *s)
{
	int n;

	for (n = 0; n < 31; n++)
		if (kmem_cache_alloc_bulk(s, GFP_ATOMIC, 32, held) == 32)
			kmem_cache_free_bulk(s, 32, held);
}

static unsigned long long fewest_ticks(void (*loop)(struct kmem_cache *), struct kmem_cache *s)
{
	unsigned long long least = ~0ull;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		unsigned long long ticks;

		HOLD();
		ticks = TICKS();
		loop(s);
		ticks = TICKS() - ticks;
		RELEASE();
		if (ticks < least)
			least = ticks;
	}
	return least;
}

static void print(const char *name, unsigned long long ticks, unsigned int n)
{
	PRINT("@icount " NAME " %s %llu.%02llu\n", name, ticks / n, ticks * 100 / n % 100);
}

static void run_loops(struct kmem_cache *s)
{
	unsigned int i;

	/* 617 and 1000 have no common divisor: each object once, in an order far from that of allocation. */
	for (i = 0; i < MOST; i++)
		order[i] = i * 617 % MOST;
	print("pair", fewest_ticks(pair_1000, s), 1000);
	print("batch_10", fewest_ticks(batch_10, s), 1000);
	print("batch_100", fewest_ticks(batch_100, s), 1000);
	print("fifo_1000", fewest_ticks(fifo_1000, s), 1000);
	print("random_1000", fewest_ticks(random_1000, s), 1000);
	print("kmalloc", fewest_ticks(kmalloc_1000, s), 1000);
	print("bulk_32", fewest_ticks(bulk_32, s), 992);
}
