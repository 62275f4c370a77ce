/* SPDX-License-Identifier: BSD-2-Clause */
/* intern.c - numbers in order of appearance, equal for equal texts, texts that stay. */
#include "kmemtrace/intern.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(intern, numbers)
{
	struct intern in = { 0 };
	const char *first;
	char text[32];

	cr_expect_eq(intern(&in, ""), 0);
	cr_expect_eq(intern(&in, "a"), 1);
	first = in.text[1];
	for (unsigned int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 10000; i++) {
			snprintf(text, sizeof(text), "text %u", i);
			cr_assert_eq(intern(&in, text), i + 2);
		}
	cr_expect_eq(intern(&in, "a"), 1);
	cr_expect_eq(in.nr, 10002);
	cr_expect_eq(in.text[1], first);
	cr_expect_str_eq(in.text[10001], "text 9999");
	intern_free(&in);
	cr_expect_eq(intern(&in, "again"), 0);
	intern_free(&in);
}
