/* SPDX-License-Identifier: BSD-2-Clause */
/* units.c - texts of numbers, and numbers of texts. */
#include "kmemtrace/units.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static void duration(uint64_t ns, const char *want)
{
	char buf[UNITS_BYTES];

	cr_expect_str_eq(units_duration(buf, ns), want);
	cr_expect(strlen(buf) <= 6, "%s", buf);
}

Test(units, durations)
{
	duration(0, "0ns");
	duration(999, "999ns");
	duration(1000, "1.0us");
	duration(15500, "15us");
	duration(1250000, "1.2ms");
	duration(999999999, "999ms");
	duration(90000000000, "90s");
	duration(119000000000, "119s");
	duration(120000000000, "2.0m");
	duration(7200000000000, "2.0h");
	duration(UINT64_C(360000000000000), "100h");
}

Test(units, shares)
{
	char buf[UNITS_BYTES];

	cr_expect_str_eq(units_percent(buf, 0, 5), "0%");
	cr_expect_str_eq(units_percent(buf, 1, 1000), "<1%");
	cr_expect_str_eq(units_percent(buf, 1, 3), "33%");
	cr_expect_str_eq(units_percent(buf, 5, 5), "100%");
	cr_expect_str_eq(units_percent(buf, 5, 0), "-");
	cr_expect_eq(units_rate(500, 250000000), 2000);
	cr_expect_eq(units_rate(500, 0), 0);
}

static void time_of(const char *text, uint64_t want)
{
	uint64_t ns = 0;

	cr_expect(units_parse_time(text, &ns), "%s", text);
	cr_expect_eq(ns, want, "%s: %lu", text, ns);
}

Test(units, times)
{
	static const char *const none[] = { "", "s", "1.", ".5", "-1", "1x", "1 s", "99999999999999999999", "99999999999h", "1e3" };
	uint64_t ns;

	time_of("2", 2000000000);
	time_of("2.5s", 2500000000);
	time_of("300ms", 300000000);
	time_of("1.25us", 1250);
	time_of("7ns", 7);
	time_of("2m", 120000000000);
	time_of("1h", 3600000000000);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_expect_not(units_parse_time(none[i], &ns), "%s", none[i]);
}

static char *spark(const uint64_t *value, size_t nr, uint64_t top)
{
	char *text;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	units_spark(f, value, nr, top);
	putc('|', f);
	units_bar(f, top / 2, top, 10);
	fclose(f);
	return text;
}

Test(units, graphs)
{
	static const uint64_t value[] = { 0, 1, 500, 1000, 2000 };
	char *text;

	setlocale(LC_CTYPE, "C");
	text = spark(value, 5, 1000);
	cr_expect_str_eq(text, " .=##|#####");
	free(text);
	text = spark(value, 1, 0);
	cr_expect_str_eq(text, " |");
	free(text);
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return;
	text = spark(value, 4, 1000);
	cr_expect_str_eq(text, " ▁▄█|█████");
	free(text);
}
