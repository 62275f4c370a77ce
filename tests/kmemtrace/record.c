/* SPDX-License-Identifier: BSD-2-Clause */
/* record.c - sizes of the ring. The rest: record.sh. */
#include "kmemtrace/record.h"

#include <criterion/criterion.h>

Test(record, sizes)
{
	uint32_t bytes;

	cr_assert(record_parse_bytes("64M", &bytes));
	cr_expect_eq(bytes, 64u << 20);
	cr_assert(record_parse_bytes("1g", &bytes));
	cr_expect_eq(bytes, 1u << 30);
	cr_assert(record_parse_bytes("65536", &bytes));
	cr_expect_eq(bytes, 65536);
	cr_expect_not(record_parse_bytes("3M", &bytes), "no power of two");
	cr_expect_not(record_parse_bytes("32K", &bytes));
	cr_expect_not(record_parse_bytes("2G", &bytes));
	cr_expect_not(record_parse_bytes("1Mx", &bytes));
	cr_expect_not(record_parse_bytes("M", &bytes));
	cr_expect_not(record_parse_bytes("", &bytes));
	cr_expect_not(record_parse_bytes("-1M", &bytes));
	cr_expect_not(record_parse_bytes("99999999999999999999999999M", &bytes));
}
