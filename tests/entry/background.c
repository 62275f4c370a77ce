/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread gives back what an idle program holds, and only where it was asked for. */
#include "support.h"

#include <dirent.h>

#include "entry/background.h"
#include "page/purge.h"
#include "slab/trim.h"

enum { NR = 20000, PERIOD_MS = 40 };

static void *object[NR];

static int before; /* threads of the test's own */

static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int nr = -2;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static void setup(void)
{
	purge_init(KMEM_PURGE_DECAY, PERIOD_MS, false);
	trim_init(true, PERIOD_MS);
	before = threads();
}

/* 10 MiB in use, then free. */
static struct kmem_cache *breathe(void)
{
	struct kmem_cache *s = kmem_cache_create("breath", 512, 0, 0, NULL);
	int i;

	for (i = 0; i < NR; i++) {
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
		cr_assert_not_null(object[i]);
		memset(object[i], 1, 512);
	}
	for (i = 0; i < NR; i++)
		kmem_cache_free(s, object[i]);
	return s;
}

/* Resident pages of the free memory and of the cache, after at most two seconds without a call. */
static uint64_t left_after_rest(void)
{
	uint64_t left = UINT64_MAX;
	int tries;

	for (tries = 0; tries < 100 && left > 64; tries++) {
		usleep(20000);
		left = READ_ONCE(zones[0].dirty_pages) + pcp_count() + resident_pages((void *)((uintptr_t)object[0] & ~4095UL), PAGE_SIZE);
	}
	return left;
}

Test(background, gives_back_what_an_idle_program_holds, .init = setup)
{
	struct kmem_cache_stat stat;
	struct kmem_cache *s;

	background_init(true, PERIOD_MS);
	cr_expect_eq(threads(), before, "none before there is something to do");
	s = breathe();
	cr_expect_eq(threads(), before + 1);
	cr_expect_leq(left_after_rest(), 64);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.cached, 0);
	cr_expect_eq(stat.slabs, 0);
	cr_expect_eq(threads(), before + 1);
}

Test(background, off_there_is_no_thread, .init = setup)
{
	background_init(false, PERIOD_MS);
	breathe();
	usleep(3 * PERIOD_MS * 1000);
	cr_expect_eq(threads(), before);
	cr_expect_gt(zones[0].dirty_pages + pcp_count(), 512);
}

Test(background, a_child_starts_its_own, .init = setup)
{
	int status, round;

	background_init(true, PERIOD_MS);
	breathe();
	for (round = 0; round < 20; round++) {
		pid_t pid = fork();

		if (!pid) {
			if (threads() != 1)
				_exit(1);
			breathe();
			_exit(threads() == 2 ? 0 : 2);
		}
		waitpid(pid, &status, 0);
		cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "%d", status);
	}
}
