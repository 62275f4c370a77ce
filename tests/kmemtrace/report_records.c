/* SPDX-License-Identifier: BSD-2-Clause */
/* report_records.c - every record parses, and says the same as the analysis. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/report.h"
#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static struct report_options o;
static struct analysis *an;
static struct output out;
static char *text;
static size_t bytes;

static void begin(enum output_format format)
{
	an = story_analysis(story_usual(), NULL);
	o = (struct report_options){ .by = -1, .sort = -1, .format = format };
	output_init(&out, open_memstream(&text, &bytes), format);
}

static void teardown(void)
{
	fclose(out.file);
	free(text);
	story_close(an);
	sample_clean();
}

TestSuite(report_records, .fini = teardown, .timeout = 300);

/* The number of records of a type; *last is the last one. */
static size_t find(const char *type, json_t **last)
{
	size_t nr = 0;

	fflush(out.file);
	*last = NULL;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		json_error_t error;
		json_t *record = json_loads(line, JSON_DISABLE_EOF_CHECK, &error);

		cr_assert_not_null(record, "%s: %.200s", error.text, line);
		if (!strcmp(json_string_value(json_object_get(record, "type")), type)) {
			json_decref(*last);
			*last = json_incref(record);
			nr++;
		}
		json_decref(record);
	}
	return nr;
}

static json_int_t number(const json_t *record, const char *key)
{
	const json_t *value = json_object_get(record, key);

	cr_assert(json_is_integer(value), "%s", key);
	return json_integer_value(value);
}

Test(report_records, json)
{
	json_t *r;

	begin(OUTPUT_JSON);
	cr_assert(report_records(an, &o, &out));
	cr_assert_eq(find("trace", &r), 1);
	cr_expect(number(r, "schema") == 1 && number(r, "events") == 21004 && number(r, "lost") == 0);
	cr_expect(json_is_true(json_object_get(r, "complete")) && json_is_true(json_object_get(r, "stacks")));
	cr_expect_str_eq(json_string_value(json_object_get(r, "command")), "story --teller");
	json_decref(r);
	cr_assert_eq(find("total", &r), 1);
	cr_expect(number(r, "allocs") == 11001 && number(r, "live_objects") == 1008);
	json_decref(r);
	cr_assert_eq(find("finding", &r), 3);
	json_decref(r);
	cr_expect_eq(find("row", &r), 3);
	json_decref(r);
	cr_expect_eq(find("size", &r), 3);
	cr_expect(number(r, "from") == 1 << 20 && number(r, "count") == 1);
	json_decref(r);
	cr_expect(find("lifetime", &r) >= 2);
	json_decref(r);
}

Test(report_records, csv_has_one_line_per_row)
{
	size_t lines = 0;

	begin(OUTPUT_CSV);
	o.by = RANK_CACHE;
	cr_assert(report_records(an, &o, &out));
	fflush(out.file);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	cr_expect_eq(lines, 3);
	cr_expect_eq(strncmp(text, "type,cache,allocs,frees,", 24), 0, "%s", text);
	cr_expect(strstr(text, "\nrow,story-64,11000,10002,"), "%s", text);
}

Test(report_records, timeline)
{
	json_t *r;

	begin(OUTPUT_JSON);
	report_timeline(an, 10, &out);
	cr_assert_eq(find("time", &r), 10);
	cr_expect_eq(number(r, "live_objects"), 1008);
	/* The last tenth is quiet. */
	cr_expect(number(r, "allocs") < 100 && number(r, "high_bytes") < 60000);
	json_decref(r);
}
