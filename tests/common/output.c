/* SPDX-License-Identifier: BSD-2-Clause */
/* output.c - tests of tools/common/output.c: escaping, headings, unknown values, write errors. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "common/output.h"

static char *text;
static size_t len;
static struct output o;

static void start(enum output_format format)
{
	output_init(&o, open_memstream(&text, &len), format);
}

static void stop(void)
{
	fclose(o.file);
	free(text);
	text = NULL;
}

static void write_record(const char *name)
{
	output_begin(&o);
	output_string(&o, "cache", name);
	output_number(&o, "objects", UINT64_MAX);
	output_milli(&o, "rate", 1250);
	output_unknown(&o, "partial");
	output_bool(&o, "torn", true);
	output_end(&o);
}

Test(output, json_record)
{
	start(OUTPUT_JSON);
	write_record("kmalloc-64");
	cr_assert_eq(output_flush(&o), 0);
	cr_expect_str_eq(text, "{\"cache\":\"kmalloc-64\",\"objects\":18446744073709551615,\"rate\":1.250,"
			       "\"partial\":null,\"torn\":true}\n");
	stop();
}

/* A foreign reader must get back what went in. */
Test(output, json_survives_any_name)
{
	static const char *const names[] = { "\"quoted\\\"", "new\nline\ttab\x01", "umlaut \xc3\xa4", "\xf0\x9f\x98\x80", "" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		json_t *json;

		start(OUTPUT_JSON);
		output_begin(&o);
		output_string(&o, "cache", names[i]);
		output_end(&o);
		output_flush(&o);
		json = json_loads(text, 0, NULL);
		cr_assert_not_null(json, "%s", text);
		cr_expect_str_eq(json_string_value(json_object_get(json, "cache")), names[i]);
		json_decref(json);
		stop();
	}
}

Test(output, json_replaces_what_is_no_utf8)
{
	start(OUTPUT_JSON);
	output_json_string(o.file, "a\xff" "b\xc0\x80" "c\xed\xa0\x80" "d\xe2\x82");
	output_flush(&o);
	cr_expect_str_eq(text, "\"a\\ufffdb\\ufffd\\ufffdc\\ufffd\\ufffd\\ufffdd\\ufffd\\ufffd\"");
	stop();
}

Test(output, csv_has_one_heading)
{
	start(OUTPUT_CSV);
	write_record("plain");
	write_record("with,\"comma\"");
	cr_assert_eq(output_flush(&o), 0);
	cr_expect_str_eq(text, "cache,objects,rate,partial,torn\n"
			       "plain,18446744073709551615,1.250,,true\n"
			       "\"with,\"\"comma\"\"\",18446744073709551615,1.250,,true\n");
}

Test(output, write_errors_are_kept)
{
	FILE *full = fopen("/dev/full", "w");

	output_init(&o, full, OUTPUT_JSON);
	write_record("x");
	cr_expect_eq(output_flush(&o), -ENOSPC);
	cr_expect_lt(output_flush(&o), 0);
	fclose(full);
}

Test(output, short_numbers)
{
	static const struct {
		uint64_t value;
		const char *human, *count;
	} cases[] = {
		{ 0, "0", "0" }, { 999, "999", "999" }, { 1023, "0.9K", "1023" }, { 1024, "1.0K", "1024" },
		{ 8093696, "7.7M", "8.0M" }, { 102400, "100K", "102k" }, { 1023999, "999K", "1.0M" },
		{ 1024000, "0.9M", "1.0M" }, { UINT64_MAX, "15.9E", "18.4E" }, { 9999, "9.7K", "9999" },
		{ 12345, "12.0K", "12.3k" }, { 1u << 20, "1.0M", "1.0M" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char buf[OUTPUT_HUMAN_BYTES];

		cr_expect_str_eq(output_human(buf, cases[i].value), cases[i].human, "%s", buf);
		cr_expect_str_eq(output_count(buf, cases[i].value), cases[i].count, "%s for %lu", buf, cases[i].value);
	}
}
