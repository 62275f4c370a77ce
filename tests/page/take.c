/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where blocks come from when memory is short: reserves, retries, reports, and
 * that a request that may not block makes no system call. Each role below runs
 * in a process of its own, with a budget.
 */
#include "support.h"

#include <errno.h>
#include <kmem/shrinker.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "page/alloc.h"
#include "page/buddy.h"
#include "page/grow.h"
#include "page/pcp.h"
#include "page/take.h"
#include "page/vmstat.h"

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(3);                                              \
		}                                                              \
	} while (0)

#define QUIET (GFP_KERNEL | __GFP_NOWARN)

static uint64_t free_now(void)
{
	drain_all_pages();
	return zones[0].free_pages;
}

/* As many pages of order 0 as such a request gets. */
static unsigned long exhaust(gfp_t gfp)
{
	unsigned long nr = 0;

	while (alloc_pages(gfp, 0))
		nr++;
	return nr;
}

static void role_reserves(void)
{
	uint64_t min;
	unsigned long nr = exhaust(QUIET);

	/* 64 MiB keep 1 MiB for the urgent. */
	min = zone_watermark(&zones[0], WMARK_MIN);
	CHECK(zones[0].max_pages == 16384 && min == 256);
	CHECK(zones[0].present_pages == 16384);
	CHECK(nr >= 16384 - 256 - 63 && nr <= 16384);
	CHECK(!alloc_page(QUIET));
	/* Non-blocking: a quarter of min more; urgent: half; both. */
	CHECK(exhaust(GFP_NOWAIT) > 0);
	CHECK(free_now() <= min - min / 4 + 1);
	CHECK(exhaust(QUIET | __GFP_HIGH) > 0);
	CHECK(free_now() <= min / 2 + 1);
	CHECK(exhaust(GFP_ATOMIC | __GFP_NOWARN) > 0);
	CHECK(free_now() > 0 && free_now() <= min - min / 2 - min / 8 + 1);
	/* The rest is for who will free more than it takes. */
	CHECK(!alloc_page(QUIET | __GFP_MEMALLOC | __GFP_NOMEMALLOC));
	CHECK(alloc_page(QUIET | __GFP_MEMALLOC));
	{
		unsigned int before = memalloc_noreclaim_save();

		CHECK(alloc_page(QUIET));
		CHECK(!alloc_page(QUIET | __GFP_NOMEMALLOC));
		memalloc_noreclaim_restore(before);
	}
	CHECK(!alloc_page(QUIET));
	CHECK(exhaust(QUIET | __GFP_MEMALLOC) > 0);
	CHECK(free_now() == 0);
	page_validate();
}

static unsigned int scans;

static unsigned long count_pinned(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 1000;
}

static unsigned long scan_pinned(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	scans++;
	return 0;
}

static unsigned int stalls_of(gfp_t gfp, unsigned int order)
{
	uint64_t before = vmstat_event(KMEM_VM_ALLOCSTALL);

	CHECK(!alloc_pages(gfp, order));
	return (unsigned int)(vmstat_event(KMEM_VM_ALLOCSTALL) - before);
}

static void role_rounds(void)
{
	struct shrinker *s = shrinker_alloc(0, "pinned");

	s->count_objects = count_pinned;
	s->scan_objects = scan_pinned;
	shrinker_register(s);
	exhaust(QUIET | __GFP_NORETRY);
	exhaust(GFP_ATOMIC | __GFP_NOWARN);
	scans = 0;
	CHECK(stalls_of(QUIET | __GFP_NORETRY, 0) == 1);
	CHECK(scans > 0);
	/* 16 rounds without progress come after the first one. */
	CHECK(stalls_of(QUIET, 0) == 17);
	CHECK(stalls_of(QUIET, 3) == 17);
	CHECK(stalls_of(QUIET, 4) == 1);
	CHECK(stalls_of(QUIET | __GFP_RETRY_MAYFAIL, 4) == 17);
	scans = 0;
	CHECK(stalls_of(GFP_NOWAIT, 5) == 0);
	{
		unsigned int before = memalloc_noreclaim_save();

		CHECK(stalls_of(QUIET | __GFP_NOMEMALLOC, 5) == 0);
		memalloc_noreclaim_restore(before);
	}
	CHECK(scans == 0);
}

static struct page *pool[2000];
static unsigned long nr_pool;
static gfp_t seen;

static unsigned long count_pool(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	seen = sc->gfp_mask;
	return nr_pool;
}

static unsigned long scan_pool(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long nr = MIN(sc->nr_to_scan, nr_pool), i;

	(void)s;
	for (i = 0; i < nr; i++)
		__free_page(pool[--nr_pool]);
	return nr;
}

static void role_shrinker(void)
{
	struct shrinker *s = shrinker_alloc(0, "pool");
	unsigned int before, nr = 0;

	s->count_objects = count_pool;
	s->scan_objects = scan_pool;
	shrinker_register(s);
	nr_pool = alloc_pages_bulk(GFP_KERNEL, 2000, pool);
	CHECK(nr_pool == 2000);
	before = memalloc_nofs_save();
	while (nr_pool) {
		CHECK(alloc_page(GFP_KERNEL));
		CHECK(++nr < 16384);
	}
	CHECK(seen == GFP_NOFS);
	memalloc_nofs_restore(before);
	page_validate();
}

/* Objects that lie free in slabs and sheaves are found before a request fails. */
static void role_slabs(void)
{
	struct kmem_cache *cache[40];
	void *object[200];
	unsigned long pages;
	char name[16];
	int i, n;

	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "cache-%d", i);
		CHECK((cache[i] = kmem_cache_create(name, 1024, 0, 0, NULL)));
		for (n = 0; n < 200; n++)
			CHECK((object[n] = kmem_cache_alloc(cache[i], GFP_KERNEL)));
		for (n = 0; n < 200; n++)
			kmem_cache_free(cache[i], object[n]);
	}
	drain_all_pages();
	/* Five empty slabs of each cache, at least, are kept for speed. */
	CHECK(zones[0].present_pages - zones[0].free_pages > 40 * 5 * 2);
	pages = exhaust(QUIET);
	CHECK(pages > zones[0].max_pages - 256);
	page_validate();
}

static void *free_later(void *page)
{
	usleep(50000);
	/* Enough to rise above min. */
	for (nr_pool = 0; nr_pool < 600; nr_pool++)
		__free_page(((struct page **)page)[nr_pool]);
	return NULL;
}

static void role_nofail(void)
{
	pthread_t thread;
	unsigned long nr = alloc_pages_bulk(GFP_KERNEL, 600, pool);

	CHECK(nr == 600);
	exhaust(QUIET | __GFP_NORETRY);
	pthread_create(&thread, NULL, free_later, pool);
	CHECK(alloc_page(GFP_KERNEL | __GFP_NOFAIL));
	pthread_join(thread, NULL);
}

static void role_nofail_unwise(void)
{
	CHECK(alloc_pages(GFP_KERNEL | __GFP_NOFAIL, 1));
	exhaust(GFP_NOWAIT);
	CHECK(!alloc_pages(GFP_NOWAIT | __GFP_NOFAIL, 0));
	CHECK(!alloc_pages(GFP_NOWAIT | __GFP_NOFAIL, 0));
}

static void role_report(void)
{
	int i;

	exhaust(QUIET | __GFP_NORETRY);
	for (i = 0; i < 100; i++)
		CHECK(!alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY, 2));
}

/* ---- no system call ---- */

/* From here on, any other system call than these ends the process. */
static void forbid_system_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(77);
}

static void all_orders(gfp_t gfp)
{
	unsigned int round, order;
	struct page *page, *chain;

	for (round = 0; round < 3; round++) {
		for (order = 0; order <= MAX_PAGE_ORDER; order++) {
			chain = NULL;
			while ((page = alloc_pages(gfp, order))) {
				*(struct page **)page_address(page) = chain;
				chain = page;
			}
			while ((page = chain)) {
				chain = *(struct page **)page_address(page);
				__free_pages(page, order);
			}
		}
	}
}

static void warm_up(void)
{
	struct page *page[300];
	int i;

	/* 150 MiB in several kinds of pageblocks, and more free than any policy keeps. */
	for (i = 0; i < 300; i++)
		CHECK((page[i] = alloc_pages(i % 3 ? GFP_KERNEL : GFP_KERNEL | __GFP_MOVABLE, 7)));
	for (i = 0; i < 300; i++)
		__free_pages(page[i], 7);
}

static void role_atomic(void)
{
	warm_up();
	forbid_system_calls();
	all_orders(GFP_NOWAIT);
	all_orders(GFP_ATOMIC);
	all_orders(GFP_ATOMIC | __GFP_ZERO | __GFP_COMP);
	all_orders(__GFP_NOWARN);
	all_orders(__GFP_HIGH | __GFP_NOWARN | __GFP_RECLAIMABLE);
}

/* The same while other threads fight for the locks with all that they may do. */
static bool stop;

static void *fight(void *unused)
{
	struct page *page[64] = { NULL };
	uint64_t seed = (uintptr_t)&page;
	unsigned int order[64];

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned int at = random_next(&seed) % 64;

		if (page[at])
			__free_pages(page[at], order[at]);
		order[at] = random_next(&seed) % 8;
		page[at] = alloc_pages(QUIET | __GFP_NORETRY, order[at]);
		if (random_next(&seed) % 256 == 0)
			drain_all_pages();
	}
	return unused;
}

static void *atomic_thread(void *unused)
{
	forbid_system_calls();
	all_orders(GFP_ATOMIC | __GFP_NOWARN);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (;;)
		__builtin_ia32_pause();
	return unused;
}

static void role_contended(void)
{
	pthread_t thread[3], atomic;
	int i;

	warm_up();
	for (i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, fight, NULL);
	pthread_create(&atomic, NULL, atomic_thread, NULL);
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} roles[] = {
	{ "take-reserves", role_reserves }, { "take-rounds", role_rounds },   { "take-shrinker", role_shrinker },
	{ "take-slabs", role_slabs },
	{ "take-nofail", role_nofail },	    { "take-unwise", role_nofail_unwise }, { "take-report", role_report },
	{ "take-atomic", role_atomic },	    { "take-contended", role_contended },
};

__attribute__((constructor)) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");
	size_t i;

	for (i = 0; name && i < ARRAY_LEN(roles); i++) {
		if (strcmp(name, roles[i].name))
			continue;
		roles[i].run();
		_exit(0);
	}
}

static char out[8192];

static void expect_role(const char *name, const char *options)
{
	int status = run_role(name, options, NULL, out, sizeof(out));

	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip("no seccomp filters");
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x: %s", name, status, out);
}

Test(take, reserves_are_for_those_who_say_so, .timeout = 30)
{
	expect_role("take-reserves", "limit=64M");
	expect_role("take-reserves", "limit=64M,rseq=off");
}

Test(take, rounds_of_reclaim, .timeout = 30)
{
	expect_role("take-rounds", "limit=16M");
}

Test(take, shrinkers_run_before_a_request_fails_and_know_its_scope, .timeout = 30)
{
	expect_role("take-shrinker", "limit=32M");
}

Test(take, free_objects_are_given_back_before_a_request_fails, .timeout = 30)
{
	expect_role("take-slabs", "limit=16M");
}

Test(take, nofail_waits, .timeout = 30)
{
	expect_role("take-nofail", "limit=16M");
}

Test(take, an_unwise_nofail_is_reported_once, .timeout = 30)
{
	expect_role("take-unwise", "");
	cr_expect_str_eq(out, "kmem: __GFP_NOFAIL without __GFP_DIRECT_RECLAIM can fail: use GFP_KERNEL | __GFP_NOFAIL\n");
}

Test(take, failures_are_reported_at_most_every_ten_seconds, .timeout = 30)
{
	expect_role("take-report", "limit=16M");
	cr_expect_eq(strncmp(out, "kmem: role: page allocation failure: order:2, mode:0x10dc0(GFP_KERNEL|__GFP_NORETRY|__GFP_ZERO), node 0 Normal free:", 100), 0, "%s", out);
	cr_expect_not_null(strstr(out, "; raise KMEM_OPTIONS=limit=SIZE\n"));
	cr_expect_eq(strchr(out, '\n')[1], '\0', "more than one line: %s", out);
}

/* Sanitizers make system calls of their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
Test(take, without_direct_reclaim_there_is_no_system_call, .timeout = 60)
{
	expect_role("take-atomic", "");
	expect_role("take-atomic", "limit=256M");
	expect_role("take-atomic", "nodes=2");
	expect_role("take-atomic", "rseq=off");
	expect_role("take-atomic", "purge=decay:1");
}

Test(take, nor_is_there_one_for_a_lock_that_others_want, .timeout = 60)
{
	expect_role("take-contended", "limit=256M");
}
#endif

Test(take, flags_are_named_as_the_kernel_names_them)
{
	static const struct {
		gfp_t gfp;
		const char *names;
	} rows[] = {
		{ GFP_KERNEL, "GFP_KERNEL" },
		{ GFP_ATOMIC, "GFP_ATOMIC" },
		{ GFP_KERNEL | __GFP_COMP | __GFP_NOWARN, "GFP_KERNEL|__GFP_NOWARN|__GFP_COMP" },
		{ GFP_HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE" },
		{ __GFP_DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM" },
		{ 0, "0x0" },
		{ GFP_NOWAIT, "GFP_NOWAIT" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		take_gfp_names(out, sizeof(out), rows[i].gfp);
		cr_expect_str_eq(out, rows[i].names);
	}
}

Test(take, flags_say_what_a_request_may_do)
{
	static const struct {
		gfp_t gfp;
		unsigned int order, flags;
	} rows[] = {
		{ GFP_KERNEL, 0, ALLOC_WAIT },
		{ GFP_NOWAIT, 0, ALLOC_NON_BLOCK },
		{ GFP_ATOMIC, 0, ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE },
		{ GFP_ATOMIC, 2, ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC },
		{ GFP_ATOMIC | __GFP_NOMEMALLOC, 2, ALLOC_MIN_RESERVE },
		{ 0, 0, ALLOC_NON_BLOCK | ALLOC_TRY },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct page_request request = { .gfp = rows[i].gfp, .order = rows[i].order };

		take_prepare(&request);
		cr_expect_eq(request.flags, rows[i].flags, "row %zu: 0x%x", i, request.flags);
	}
}
