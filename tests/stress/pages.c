/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.c - 8 threads take and give back blocks of all orders and types, zeroed
 * or not, while one purges and drains; in the end the buddy is whole again.
 *
 * pages [OPERATIONS], default 1e6.
 */
#include "stress.h"

#include <stdatomic.h>

#include "page/alloc.h"
#include "page/pcp.h"
#include "page/vmstat.h"


enum { THREADS = 8, HELD = 64 };

static _Atomic bool stop;
static uint64_t per_thread;

struct block {
	uint64_t *p;
	unsigned int order;
	uint64_t tag;
};

/* First word of every page. */
static void mark(struct block *b)
{
	size_t page;

	for (page = 0; page < (size_t)1 << b->order; page++)
		b->p[page * PAGE_SIZE / 8] = b->tag + page;
}

static void check(const struct block *b)
{
	size_t page;

	for (page = 0; page < (size_t)1 << b->order; page++)
		CHECK(b->p[page * PAGE_SIZE / 8] == b->tag + page, "page %zu of an order-%u block changed", page, b->order);
}

static void *work(void *number)
{
	static const gfp_t types[] = { 0, __GFP_MOVABLE, __GFP_RECLAIMABLE };
	struct block held[HELD] = { { NULL, 0, 0 } };
	uint64_t seed = (uintptr_t)number, i, page;

	for (i = 0; i < per_thread; i++) {
		struct block *b = &held[random_next(&seed) % HELD];
		gfp_t gfp = GFP_KERNEL | types[random_next(&seed) % 3];

		if (b->p) {
			check(b);
			free_pages((unsigned long)b->p, b->order);
			b->p = NULL;
			continue;
		}
		b->order = random_next(&seed) % 8;
		b->order = b->order > 3 && random_next(&seed) % 8 ? 0 : b->order;
		gfp |= random_next(&seed) % 4 ? 0 : __GFP_ZERO;
		b->tag = (uintptr_t)number << 48 | i << 8;
		b->p = (uint64_t *)__get_free_pages(gfp, b->order);
		CHECK(b->p, "out of memory");
		for (page = 0; gfp & __GFP_ZERO && page < UINT64_C(1) << b->order; page++)
			CHECK(!b->p[page * PAGE_SIZE / 8], "not zero");
		mark(b);
	}
	for (i = 0; i < HELD; i++) {
		if (!held[i].p)
			continue;
		check(&held[i]);
		free_pages((unsigned long)held[i].p, held[i].order);
	}
	return NULL;
}

static void *purger(void *unused)
{
	while (!atomic_load(&stop)) {
		kmem_page_purge(9);
		usleep(3000);
		drain_all_pages();
		usleep(3000);
	}
	return unused;
}

int main(int argc, char **argv)
{
	uint64_t total = operations(argc, argv, 1e6), i;
	pthread_t thread[THREADS], helper;

	per_thread = total / THREADS + 1;
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(i + 1)), "no thread");
	CHECK(!pthread_create(&helper, NULL, purger, NULL), "no thread");
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	atomic_store(&stop, true);
	pthread_join(helper, NULL);
	drain_all_pages();
	page_validate();
	CHECK(zones[0].free_pages == zones[0].present_pages, "%lu of %lu pages free", zones[0].free_pages, zones[0].present_pages);
	CHECK(vmstat_stat(KMEM_ZS_ALLOC) == vmstat_stat(KMEM_ZS_FREE), "%lu pages out, %lu back",
	      vmstat_stat(KMEM_ZS_ALLOC), vmstat_stat(KMEM_ZS_FREE));
	CHECK(pcp_count() == 0, "pages are parked");
	printf("%lu operations: the buddy is whole\n", total);
	return 0;
}
