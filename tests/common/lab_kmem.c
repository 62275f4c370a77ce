/* SPDX-License-Identifier: BSD-2-Clause */
/* lab_kmem.c - the library that this program is linked with, as a lab. All of it: tests/kmemtrace/placement.sh. */
#include "common/lab.h"

#include <criterion/criterion.h>
#include <string.h>

static int check(void *context, unsigned int n, const struct kmem_cache_info *row)
{
	(void)context;
	cr_assert_eq(row[0].in_use, n ? 30 : 100);
	cr_assert_eq(row[0].in_use + row[0].partial_free + row[0].sheaf_main + row[0].barn_objects, row[0].objects_total);
	cr_assert_eq(row[0].sheaf_capacity, 12);
	cr_assert_eq(row[1].object_size, 40);
	cr_assert_str_eq(row[1].name, "d");
	return 0;
}

Test(lab_kmem, objects)
{
	struct lab_run run = { .check = check };
	struct script script;
	struct lab lab;
	char err[256];

	cr_assert_eq(script_parse(&script, "t", "cache c size=100 sheaf=12; cache d size=40 ctor; alloc a1..a100 c; alloc x d; check; free a1..a70",
				  err, sizeof(err)), 0);
	cr_assert_eq(lab_open_kmem(&lab, &script, NULL), 0, "%s", lab.err);
	cr_assert_eq(lab_run(&lab, &run), 0, "%s", lab.err);
	cr_assert_gt(lab.spent_ns, 0);
	lab_close(&lab);
	script_free(&script);
}

Test(lab_kmem, no_library)
{
	struct script script;
	struct lab lab;
	char err[256];

	cr_assert_eq(script_parse(&script, "t", "cache c size=8", err, sizeof(err)), 0);
	cr_assert_lt(lab_open_kmem(&lab, &script, "/nonexistent.so"), 0);
	cr_assert(strstr(lab.err, "/nonexistent.so"));
	lab_close(&lab);
	script_free(&script);
}
