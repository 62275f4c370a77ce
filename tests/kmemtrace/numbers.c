/* SPDX-License-Identifier: BSD-2-Clause */
/* numbers.c - keys keep their numbers while the table grows; 0 is a key like others. */
#include "kmemtrace/numbers.h"

#include <criterion/criterion.h>

Test(numbers, keys_keep_their_numbers)
{
	struct numbers n = { 0 };

	for (uint32_t i = 0; i < 50000; i++) {
		uint32_t *number = numbers_at(&n, (uint64_t)i << 20);

		cr_assert_not_null(number);
		cr_assert_eq(*number, 0, "new");
		*number = i + 1;
	}
	for (uint32_t i = 0; i < 50000; i++)
		cr_assert_eq(*numbers_at(&n, (uint64_t)i << 20), i + 1);
	cr_expect_eq(n.nr, 50000);
	numbers_free(&n);
	cr_expect_eq(n.nr, 0);
}
