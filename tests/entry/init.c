/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start and end of the library, in fresh processes: this program runs itself
 * again with other options or limits, as the roles below.
 */
#include "support.h"

#include <pthread.h>
#include <sys/resource.h>

#include "base/observe.h"
#include "base/os.h"
#include "entry/init.h"
#include "page/grow.h"
#include "slab/kmalloc.h"

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(3);                                              \
		}                                                              \
	} while (0)

/* ---- roles ---- */

static void *pairs(void *unused)
{
	void *held[64] = { NULL };
	unsigned int i;

	for (i = 0; i < 100000; i++) {
		void **p = &held[i * 7 % 64];

		kfree(*p);
		*p = kmalloc(i % 3000, GFP_KERNEL);
		CHECK(*p);
		if (i % 3000)
			*(char *)*p = 1;
	}
	for (i = 0; i < 64; i++)
		kfree(held[i]);
	return unused;
}

static uint64_t live_in_all_caches(void)
{
	struct kmem_cache_stat stat;
	struct kmem_cache *s = NULL;
	uint64_t live = 0;

	while ((s = cache_next(s))) {
		kmem_cache_stat(s, &stat);
		live += stat.active + (stat.allocs - stat.frees - stat.active);
	}
	return live;
}

static void role_fallback(void)
{
	pthread_t thread[4];
	unsigned int i;

	CHECK(percpu_mode() == PERCPU_NONE);
	CHECK(observe_root.rseq == 0);
	CHECK(observe_root.nr_cpus == 1);
	for (i = 0; i < os_nr_cpus(); i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i, &set);
		CHECK(!sched_setaffinity(0, sizeof(set), &set));
		kfree(kmalloc(64, GFP_KERNEL));
	}
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, pairs, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	CHECK(live_in_all_caches() == 0);
	CHECK(cache_shrink_all() == 0);
}

static void role_arena(void)
{
	void *p[64];
	int nr = 0;

	CHECK(arena.limit == (size_t)64 << 20);
	while ((p[nr] = kmalloc((size_t)4 << 20, GFP_KERNEL)))
		nr++;
	CHECK(nr == 15);
	/* Nothing is left, and everything says so. */
	CHECK(!alloc_page(GFP_KERNEL));
	CHECK(!kmalloc(64, GFP_KERNEL));
	CHECK(!kvmalloc((size_t)5 << 20, GFP_KERNEL));
	CHECK(grow_zone(&zones[0], MIGRATE_MOVABLE) != 0);
	kfree(p[--nr]);
	CHECK((p[nr] = kmalloc(64, GFP_KERNEL)));
	kfree(p[nr]);
	while (nr--)
		kfree(p[nr]);
	CHECK(cache_shrink_all() == 0);
	/* Parked pages are found before an allocation fails. */
	for (nr = 0; nr < 15; nr++)
		CHECK((p[nr] = kmalloc((size_t)4 << 20, GFP_KERNEL)));
}

static void role_ready(void)
{
	CHECK(observe_root.state == 1);
	kmem_init();
	CHECK(observe_root.nr_caches == 27);
	CHECK(kmalloc(10, GFP_KERNEL));
}

__attribute__((constructor(200))) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");

	if (!name)
		return;
	if (!strcmp(name, "fallback"))
		role_fallback();
	else if (!strcmp(name, "arena"))
		role_arena();
	else if (!strcmp(name, "ready"))
		role_ready();
	else
		return;
	exit(0);
}

/* ---- tests ---- */

static char out[65536];

#define EXPECT_ROLE(name, options, prepare)                                          \
	do {                                                                         \
		int status = run_role(name, options, prepare, out, sizeof(out));     \
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x: %s", name, status, out); \
	} while (0)

Test(init, the_library_is_ready_before_the_program_s_constructors, .timeout = 30)
{
	EXPECT_ROLE("ready", "", NULL);
	cr_expect_str_eq(out, "");
}

Test(init, a_second_call_changes_nothing)
{
	uintptr_t base = arena.base;

	kmem_init();
	cr_expect_eq(arena.base, base);
	cr_expect_eq(cache_count(), 27);
}

Test(init, rseq_off_works_on_every_cpu, .timeout = 60)
{
	EXPECT_ROLE("fallback", "rseq=off", NULL);
}

static void no_rseq_in_glibc(void)
{
	setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
}

Test(init, without_a_registration_it_works_too, .timeout = 60)
{
	EXPECT_ROLE("fallback", "", no_rseq_in_glibc);
}

Test(init, a_small_arena_ends_in_null_and_recovers, .timeout = 30)
{
	EXPECT_ROLE("arena", "arena=64M", NULL);
}

Test(init, statistics_are_printed_at_exit, .timeout = 30)
{
	EXPECT_ROLE("ready", "stats=on", NULL);
	cr_expect_not_null(strstr(out, "slabinfo - version: 2.1\n"));
	cr_expect_not_null(strstr(out, "kmalloc-16             1 "));
}

Test(init, a_mistake_in_the_options_is_one_line, .timeout = 30)
{
	EXPECT_ROLE("ready", "rseq=maybe", NULL);
	cr_expect_str_eq(out, "kmem: KMEM_OPTIONS: bad value in \"rseq=maybe\"; use on or off\n");
}

#ifndef __SANITIZE_ADDRESS__ /* its shadow alone is beyond the limits */
static void limit_4g(void)
{
	struct rlimit limit = { (rlim_t)4 << 30, (rlim_t)4 << 30 };

	setrlimit(RLIMIT_AS, &limit);
}

static void limit_tiny(void)
{
	struct rlimit limit = { (rlim_t)48 << 20, (rlim_t)48 << 20 };

	setrlimit(RLIMIT_AS, &limit);
}

Test(init, the_arena_is_halved_until_it_fits_the_limit, .timeout = 30)
{
	EXPECT_ROLE("ready", "", limit_4g);
}

Test(init, without_address_space_the_fix_is_named, .timeout = 30)
{
	int status = run_role("ready", "", limit_tiny, out, sizeof(out));

	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %x: %s", status, out);
	cr_expect_str_eq(out, "kmem: cannot reserve address space at start; raise ulimit -v and -d to 512 MiB or more\n");
}
#endif
