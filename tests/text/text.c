/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields, numbers and thousandths; text that does not fit is counted. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "text/text.h"

static char buf[64];

Test(text, fields_are_padded_like_printf)
{
	struct text t = text_init(buf, sizeof(buf));

	text_field(&t, "ab", 5);
	text_field(&t, "cd", -5);
	text_field(&t, "abcdef", 3);
	text_number(&t, 0, 3);
	text_number(&t, 1234, -6);
	text_char(&t, '|');
	cr_expect_str_eq(buf, "   abcd   abcdef  01234  |");
	cr_expect_eq(t.len, strlen(buf));
}

Test(text, numbers_of_all_lengths)
{
	struct text t = text_init(buf, sizeof(buf));

	text_number(&t, UINT64_MAX, 0);
	cr_expect_str_eq(buf, "18446744073709551615");
}

Test(text, thousandths)
{
	static const struct { int n; const char *text; } cases[] = {
		{ 0, " 0.000" }, { 7, " 0.007" }, { 999, " 0.999" }, { 1000, " 1.000" }, { -1000, "-1.000" },
		{ -1, "-0.001" }, { 12345, "12.345" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct text t = text_init(buf, sizeof(buf));

		text_milli(&t, cases[i].n, 6);
		cr_expect_str_eq(buf, cases[i].text);
	}
}

Test(text, what_does_not_fit_is_counted)
{
	struct text t = text_init(buf, 4);

	memset(buf, 'x', sizeof(buf));
	t = text_init(buf, 4);
	text_string(&t, "abcdef");
	cr_expect_eq(t.len, 6);
	cr_expect_str_eq(buf, "abc");
	cr_expect_eq(buf[4], 'x');
	t = text_init(NULL, 0);
	text_string(&t, "abc");
	cr_expect_eq(t.len, 3);
}
