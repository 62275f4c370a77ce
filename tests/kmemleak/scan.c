/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.c - whole scans of a child process. */
#include <errno.h>
#include <string.h>
#include <criterion/criterion.h>

#include "kmemleak/scan.h"
#include "kmemleak/victim.h"

static struct victim *v;
static struct scan scan;
static const struct scan_options plain, exact = { .exact = true };

static void setup(void)
{
	v = victim_start();
}

static void teardown(void)
{
	scan_free(&scan);
	victim_stop(v);
}

TestSuite(scan, .init = setup, .fini = teardown, .timeout = 60);

static size_t run(const struct scan_options *options)
{
	size_t gone = 0;

	scan_free(&scan);
	cr_assert_eq(scan_run(&scan, &v->target, v->target.roots[0].addr, options), 0, "%s", v->target.message);
	for (size_t i = 0; i < scan.leaks.nr; i++) {
		uint16_t id = scan.model.blocks[scan.leaks.list[i].block].cache_id;

		gone += !strcmp(scan_cache_name(&scan, id), "gone");
	}
	cr_assert_eq(scan.leaks.nr, gone, "something else was reported");
	return gone;
}

Test(scan, finds_exactly_what_is_lost)
{
	cr_assert_eq(run(&plain), VICTIM_GONE);
	cr_assert_geq(scan.nr_marked, VICTIM_KEPT + 1);
	cr_assert_eq(scan.model.nr_objects, scan.nr_marked + VICTIM_GONE);
	cr_assert_eq(scan.nr_threads, 1);
	cr_assert_gt(scan.pause_ns, 0);
	cr_assert_eq(scan.image.nr_unreadable, 0);
}

Test(scan, again_and_after_more_losses)
{
	size_t found;

	for (int i = 0; i < 20; i++)
		cr_assert_eq(run(&plain), VICTIM_GONE);
	victim_lose(v, 1000);
	found = run(&plain);
	cr_assert_eq(found, VICTIM_GONE + 1000, "%zu found", found);
}

Test(scan, exact_pointers_suffice_here)
{
	cr_assert_eq(run(&exact), VICTIM_GONE);
}

Test(scan, a_process_that_has_ended)
{
	victim_kill(v);
	cr_assert_eq(scan_run(&scan, &v->target, v->target.roots[0].addr, &plain), -ESRCH);
	cr_assert(strstr(v->target.message, "has ended"), "%s", v->target.message);
}

Test(scan, no_root_at_this_address)
{
	cr_assert_eq(scan_run(&scan, &v->target, v->target.maps[0].start, &plain), -ENOENT);
	cr_assert_neq(v->target.message[0], '\0');
}
