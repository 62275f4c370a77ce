/* SPDX-License-Identifier: BSD-2-Clause */
/* collect.c - what needs no BPF. Counting: tests/bpf/library.sh and kernel.sh. */
#include "common/collect.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static char err[256];

static struct collect *open_default(void)
{
	struct collect *c;

	cr_assert_eq(collect_open(&c, NULL, err, sizeof(err)), 0, "%s", err);
	return c;
}

Test(collect, unknown_events)
{
	const struct collect_options options = { .events = 1u << KMEM_EV_NR };
	struct collect *c;

	cr_assert_eq(collect_open(&c, &options, err, sizeof(err)), -EINVAL);
	cr_assert(strstr(err, "COLLECT_ALL"));
}

Test(collect, nothing_attached)
{
	const struct collect_count *rows;
	struct collect_totals totals;
	struct collect *c = open_default();
	size_t nr = 99;

	cr_assert_eq(collect_read_counts(c, &rows, &nr, err, sizeof(err)), 0, "%s", err);
	cr_assert_eq(nr, 0);
	cr_assert_eq(collect_read_totals(c, KMEM_SOURCE_KERNEL, &totals, err, sizeof(err)), 0);
	cr_assert_eq(totals.sum.events[KMEM_EV_KMALLOC], 0);
	cr_assert_eq(collect_lost(&totals), 0);
	cr_assert_not(collect_kernel_names_kmalloc(c));
	cr_assert_eq(collect_detach_library(c, 1, err, sizeof(err)), -ENOENT);
	cr_assert_eq(collect_detach_library(c, 0, err, sizeof(err)), -ENOENT);
	collect_detach(c);
	collect_close(c);
	collect_close(NULL);
}

Test(collect, no_such_process)
{
	const struct collect_target nobody = { .pid = 0 };
	struct collect *c = open_default();

	cr_assert_eq(collect_attach_library(c, &nobody, err, sizeof(err)), -ESRCH);
	cr_assert_null(strchr(err, '\n'));
	collect_close(c);
}

Test(collect, lost_is_all_that_is_lost)
{
	const struct collect_totals totals = {
		.sum = { .map_full = 1, .map_busy = 10, .failed = 5, .unreadable = 5 },
		.missed = 100,
	};

	cr_assert_eq(collect_lost(&totals), 111);
}
