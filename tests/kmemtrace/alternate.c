/* SPDX-License-Identifier: BSD-2-Clause */
/* alternate.c - states of addresses. */
#include "kmemtrace/alternate.h"

#include <criterion/criterion.h>

#define MANY 100000u

Test(alternate, states_change_and_are_told_apart)
{
	struct alternate a = { 0 };

	cr_expect_eq(alternate_get(&a, 1, false, 0x1000), ALTERNATE_UNKNOWN);
	alternate_set(&a, 1, false, 0x1000, ALTERNATE_LIVE);
	cr_expect_eq(alternate_get(&a, 1, false, 0x1000), ALTERNATE_LIVE);
	cr_expect_eq(alternate_get(&a, 1, true, 0x1000), ALTERNATE_UNKNOWN, "pages");
	cr_expect_eq(alternate_get(&a, 2, false, 0x1000), ALTERNATE_UNKNOWN, "another process");
	alternate_set(&a, 1, false, 0x1000, ALTERNATE_FREE);
	cr_expect_eq(alternate_get(&a, 1, false, 0x1000), ALTERNATE_FREE);
	cr_expect_eq(a.nr, 1);
	alternate_free(&a);
}

Test(alternate, many)
{
	struct alternate a = { 0 };

	for (uint64_t i = 0; i < MANY; i++)
		alternate_set(&a, (uint32_t)(i % 3), i & 1, 0x7f0000000000 + i * 16, i % 2 ? ALTERNATE_LIVE : ALTERNATE_FREE);
	cr_expect_eq(a.nr, MANY);
	cr_expect_not(a.failed);
	for (uint64_t i = 0; i < MANY; i++)
		cr_assert_eq(alternate_get(&a, (uint32_t)(i % 3), i & 1, 0x7f0000000000 + i * 16),
			     i % 2 ? ALTERNATE_LIVE : ALTERNATE_FREE);
	alternate_free(&a);
}
