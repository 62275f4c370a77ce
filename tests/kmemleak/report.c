/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - the exact text, JSON and CSV of a scan of a made-up heap. */
#include <stdlib.h>
#include <string.h>
#include <criterion/criterion.h>
#include <jansson.h>

#include "kmemleak/report.h"
#include "kmemleak/synthetic.h"

static struct synthetic *s;
static struct scan scan;
static struct target target;
static struct output o;
static char *text;
static size_t text_bytes;
static uint64_t slab;

static void setup(void)
{
	s = syn_new();
	slab = syn_slab(s, SYN_24, 1);
	target.pid = 1234;
	strcpy(target.comm, "leaky");
}

static void teardown(void)
{
	leaks_free(&scan.leaks);
	syn_free(s);
	free(text);
}

TestSuite(report, .init = setup, .fini = teardown);

static void report(enum output_format format, const struct report_options *options)
{
	FILE *f = open_memstream(&text, &text_bytes);

	syn_mark(s, NULL, 0);
	scan.target = &target;
	scan.model = s->model;
	scan.image.mirror = (const uint8_t *)s->memory;
	scan.image.heap = s->copy;
	cr_assert_eq(leaks_find(&scan.leaks, &scan.model, scan.image.mirror), 0);
	cr_assert_eq(leaks_group(&scan.leaks, &scan.model), 0);
	output_init(&o, f, format);
	cr_assert_eq(report_scan(&o, &scan, options), 0);
	cr_assert_eq(output_flush(&o), 0);
	fclose(f);
}

static const struct report_options all = { .limit = SIZE_MAX };

Test(report, shape_of_the_kernel)
{
	static const char expected[] =
		"unreferenced object 0x7e0000001030 (size 24):\n"
		"  comm \"leaky\", pid 1234, age unknown\n"
		"  cache twenty-four, offset in slab 0x30, direct leak\n"
		"  hex dump (first 24 bytes):\n"
		"    47 46 45 44 43 42 41 0a 00 00 00 00 00 00 00 00  GFEDCBA.........\n"
		"    00 00 00 00 00 00 00 00                          ........\n"
		"  backtrace (crc ";
	uint64_t a = syn_take(s, slab, 2);

	syn_poke(s, a, UINT64_C(0x0a41424344454647));
	report(OUTPUT_TEXT, &all);
	cr_assert_eq(strncmp(text, expected, sizeof(expected) - 1), 0, "%s", text);
	cr_assert(strstr(text, "):\n    not recorded; --trace SECS records call sites from now on\n\n"
			       "PID 1234 (leaky): 1 unreferenced object, 24 bytes: 1 direct, 0 indirect\n"), "%s", text);
}

Test(report, leader_first_then_what_it_holds)
{
	uint64_t a = syn_take(s, slab, 0), b = syn_take(s, slab, 1), lone = syn_take(s, slab, 5);

	syn_poke(s, b, a);
	report(OUTPUT_TEXT, &all);
	cr_assert(strstr(text, "direct leak, holds 1 more (24 bytes)"));
	cr_assert(strstr(text, "indirect leak, held by 0x7e0000001018"));
	cr_assert_lt(strstr(text, "0x7e0000001018 (size"), strstr(text, "0x7e0000001000 (size"));
	cr_assert_lt(strstr(text, "0x7e0000001000 (size"), strstr(text, "0x7e0000001078 (size"));
	(void)lone;
}

Test(report, nothing_found)
{
	report(OUTPUT_TEXT, &all);
	cr_assert_eq(strncmp(text, "PID 1234 (leaky): no leaks\n", 27), 0, "%s", text);
}

Test(report, limit_and_summary)
{
	struct report_options some = { .limit = 2 };

	for (uint32_t i = 0; i < 5; i++)
		syn_take(s, slab, i);
	report(OUTPUT_TEXT, &some);
	cr_assert(strstr(text, "(3 more objects not shown"));
	cr_assert(strstr(text, "5 unreferenced objects, 120 bytes: 5 direct, 0 indirect"));
}

Test(report, large_objects_have_no_slab)
{
	syn_large(s, 20000);
	report(OUTPUT_TEXT, &all);
	cr_assert(strstr(text, "  cache kmalloc-large, direct leak\n"), "%s", text);
}

Test(report, incomplete_scans_say_so)
{
	scan.image.nr_unreadable = 2;
	scan.image.unreadable_bytes = 8192;
	scan.image.roots.nr_skipped = 1;
	scan.image.roots.skipped_bytes = 4096;
	report(OUTPUT_TEXT, &all);
	cr_assert(strstr(text, "unreadable: 2 ranges, 8192 bytes"), "%s", text);
	cr_assert(strstr(text, "not scanned: 1 shared mapping ("), "%s", text);
}

Test(report, hidden_leaks_are_only_counted)
{
	struct report_options some = { .limit = 10 };
	FILE *f;

	syn_take(s, slab, 0);
	report(OUTPUT_TEXT, &some);
	scan.leaks.list[0].hidden = true;
	leaks_group(&scan.leaks, &scan.model);
	free(text);
	f = open_memstream(&text, &text_bytes);
	o.file = f;
	report_scan(&o, &scan, &some);
	fclose(f);
	cr_assert(strstr(text, "no leaks"));
	cr_assert(strstr(text, "left out: 1 "));
}

/* Two of three leaks were allocated during a trace, by the same call. */
static void report_traced(enum output_format format, uint64_t nr_lost)
{
	static struct scan_trace trace;
	FILE *f = open_memstream(&text, &text_bytes);

	for (uint32_t i = 0; i < 3; i++)
		syn_take(s, slab, i);
	syn_mark(s, NULL, 0);
	scan.target = &target;
	scan.model = s->model;
	scan.image.mirror = (const uint8_t *)s->memory;
	scan.image.heap = s->copy;
	cr_assert_eq(leaks_find(&scan.leaks, &scan.model, scan.image.mirror), 0);
	for (size_t i = 1; i < 3; i++) {
		scan.leaks.list[i].call_site = 0x555500001234;
		scan.leaks.list[i].age_ns = UINT64_C(12345678901);
	}
	trace.nr_lost = nr_lost;
	scan.trace = &trace;
	cr_assert_eq(leaks_group(&scan.leaks, &scan.model), 0);
	output_init(&o, f, format);
	cr_assert_eq(report_scan(&o, &scan, &all), 0);
	cr_assert_eq(output_flush(&o), 0);
	fclose(f);
}

static size_t count_text(const char *part)
{
	size_t nr = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		nr++;
	return nr;
}

Test(report, call_sites_and_ages)
{
	report_traced(OUTPUT_TEXT, 0);
	cr_assert_eq(count_text("  comm \"leaky\", pid 1234, age 12.345 s\n"), 2, "%s", text);
	cr_assert_eq(count_text("):\n    [<0000555500001234>] 0x555500001234\n"), 2, "%s", text);
	cr_assert_eq(count_text("  comm \"leaky\", pid 1234, age unknown\n"), 1, "%s", text);
	cr_assert_eq(count_text("):\n    not recorded (allocated before the trace)\n"), 1, "%s", text);
	cr_assert(strstr(text, "HELD BYTES  CACHE                 ALLOCATED BY\n"
			       "       2         0           48            0  twenty-four           0x555500001234\n"
			       "       1         0           24            0  twenty-four           not recorded\n"), "%s", text);
	cr_assert_null(strstr(text, "lost"), "%s", text);
}

Test(report, lost_events_are_said)
{
	report_traced(OUTPUT_TEXT, 7);
	cr_assert(strstr(text, "    not recorded (allocated before the trace, or the event was lost)\n"), "%s", text);
	cr_assert(strstr(text, "\nlost during the trace: 7 events: call sites may be missing\n"), "%s", text);
}

Test(report, call_sites_in_records)
{
	report_traced(OUTPUT_JSON, 7);
	cr_assert_eq(count_text("\"age_ns\":12345678901,\"call_site\":\"0x555500001234\","
				"\"symbol\":\"0x555500001234\""), 2, "%s", text);
	cr_assert_eq(count_text("\"age_ns\":null,\"call_site\":null,\"symbol\":null"), 1, "%s", text);
	cr_assert_eq(count_text("\"record\":\"group\""), 2, "%s", text);
	cr_assert_eq(count_text("\"trace_lost\":7"), 1, "%s", text);
}

Test(report, json_lines)
{
	char *line, *end;
	size_t leaks = 0, groups = 0, scans = 0;

	syn_poke(s, syn_take(s, slab, 1), syn_take(s, slab, 0));
	syn_large(s, 9000);
	report(OUTPUT_JSON, &all);
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		json_t *record = json_loadb(line, (size_t)(end - line), 0, NULL);
		const char *kind = json_string_value(json_object_get(record, "record"));

		cr_assert_not_null(kind, "%.*s", (int)(end - line), line);
		cr_assert_eq(json_integer_value(json_object_get(record, "pid")), 1234);
		leaks += !strcmp(kind, "leak");
		groups += !strcmp(kind, "group");
		if (!strcmp(kind, "leak"))
			cr_assert(json_is_null(json_object_get(record, "age_ns")));
		if (!strcmp(kind, "scan")) {
			scans++;
			cr_assert_eq(json_integer_value(json_object_get(record, "leaks")), 3);
			cr_assert_eq(json_integer_value(json_object_get(record, "leaked_bytes")), 9048);
		}
		json_decref(record);
	}
	cr_assert_eq(leaks, 3);
	cr_assert_eq(groups, 2);
	cr_assert_eq(scans, 1);
}

Test(report, csv_has_leaks_only)
{
	syn_take(s, slab, 0);
	syn_take(s, slab, 1);
	report(OUTPUT_CSV, &all);
	cr_assert_eq(strncmp(text, "record,pid,comm,address,size,cache,", 35), 0);
	cr_assert(strstr(text, "\nleak,1234,leaky,0x7e0000001018,24,twenty-four,24,true,"), "%s", text);
	cr_assert_null(strstr(text, "\nscan,"));
}

Test(report, hex_rows)
{
	static const uint8_t data[] = "0123456789abcdefXYZ";
	FILE *f = open_memstream(&text, &text_bytes);

	report_hex(f, data, 18);
	fclose(f);
	cr_assert_str_eq(text, "    30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
			       "    58 59                                            XY\n");
}
