/* SPDX-License-Identifier: BSD-2-Clause */
/* run.c - tests of tools/slabscope/run.c: which allocations are to fail. The rest is in run.sh. */
#include <criterion/criterion.h>
#include <limits.h>

#include "slabscope/run.h"

Test(run, ranges)
{
	unsigned long first, last;

	cr_expect_eq(run_parse_range("all", &first, &last), 0);
	cr_expect(first == 1 && last == ULONG_MAX);
	cr_expect_eq(run_parse_range("7", &first, &last), 0);
	cr_expect(first == 7 && last == 7);
	cr_expect_eq(run_parse_range("7-12", &first, &last), 0);
	cr_expect(first == 7 && last == 12);
	cr_expect_eq(run_parse_range("7-7", &first, &last), 0);
}

Test(run, what_is_no_range)
{
	static const char *const bad[] = { "", "0", "x", "7-", "-7", "7-6", "7-x", "1.5", "all7", "99999999999999999999999999" };
	unsigned long first, last;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_lt(run_parse_range(bad[i], &first, &last), 0, "%s", bad[i]);
}
