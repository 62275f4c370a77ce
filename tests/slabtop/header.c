/* SPDX-License-Identifier: BSD-2-Clause */
/* header.c - tests of tools/slabtop/header.c: procps' five lines, and one line per source. */
#include <criterion/criterion.h>
#include <string.h>

#include "slabtop/header.h"

static struct options options = { .kernel = true };
static struct session session = { .options = &options, .kernel = { .kind = ROW_KERNEL, .label = "kernel" } };
static struct header header;

static const char slabinfo[] =
	"slabinfo - version: 2.1\n"
	"alpha             10     20    192   21    1 : tunables    0    0    0 : slabdata      1      2      0\n"
	"beta               0      0   4096    8    8 : tunables    0    0    0 : slabdata      0      0      0\n";

Test(header, five_lines_of_procps)
{
	cr_assert_eq(rows_add_slabinfo(&session.rows, &session.kernel, slabinfo), 0);
	header_make(&header, &session, false);
	cr_assert_eq(header.nr, 5);
	cr_expect_str_eq(header.line[0], " Active / Total Objects (% used)    : 10 / 20 (50.0%)");
	cr_expect_str_eq(header.line[1], " Active / Total Slabs (% used)      : 1 / 2 (50.0%)");
	cr_expect_str_eq(header.line[2], " Active / Total Caches (% used)     : 1 / 2 (50.0%)");
	cr_expect_str_eq(header.line[3], " Active / Total Size (% used)       : 1.88K / 3.75K (50.0%)");
	cr_expect_str_eq(header.line[4], " Minimum / Average / Maximum Object : 0.19K / 0.19K / 4.00K");
	header_make(&header, &session, true);
	cr_expect_str_eq(header.line[3], " Active / Total Size (% used)       : 1.8K / 3.7K (50.0%)");
	rows_free(&session.rows);
}

Test(header, empty_table)
{
	header_make(&header, &session, false);
	cr_assert_eq(header.nr, 5);
	cr_expect_str_eq(header.line[0], " Active / Total Objects (% used)    : 0 / 0 (0.0%)");
}

Test(header, partial_slabs_where_they_are_known)
{
	struct row *r = rows_add(&session.rows, &session.kernel);

	row_set(r, ROW_SLABS, 8);
	row_set(r, ROW_PARTIAL, 2);
	header_make(&header, &session, false);
	cr_expect_str_eq(header.line[1], " Partial / Total Slabs (% partial)  : 2 / 8 (25.0%)");
	rows_free(&session.rows);
}

Test(header, one_line_per_source)
{
	struct session_process process = {
		.nr_heaps = 1,
		.heaps[0].source = { .kind = ROW_PROCESS, .pid = 7, .label = "x:7" },
	};
	struct row *r;

	session.processes = &process;
	session.nr_processes = 1;
	cr_assert_eq(rows_add_slabinfo(&session.rows, &session.kernel, slabinfo), 0);
	r = rows_add(&session.rows, &process.heaps[0].source);
	row_set(r, ROW_OBJECTS, 4);
	row_set(r, ROW_ACTIVE, 1);
	row_set(r, ROW_CACHED, 2);
	row_set(r, ROW_SIZE, 1024);
	header_make(&header, &session, false);
	cr_assert_eq(header.nr, 2);
	cr_expect_str_eq(header.line[0], " kernel              : 10 / 20 objects (50.0%), 1.8K / 3.7K");
	cr_expect_str_eq(header.line[1], " x:7                 : 1 / 4 objects (25.0%), 2 cached, 1.0K / 4.0K");
	rows_free(&session.rows);
}
