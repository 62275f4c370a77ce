/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel_report.c - the exact text, JSON and CSV of a scan of a made-up kernel. */
#include "kmemleak/kernel_report.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ULL

static struct kobjects_row rows[3];
static struct kernel_leak leaks[3];
static struct kernel_group groups[2];
static struct kernel_residue residues[10];
static struct kernel_scan scan;
static struct report_options options;
static char *text;

static void setup(void)
{
	for (unsigned int i = 0; i < 3; i++) {
		rows[i].address = 0xffff888100000000 + i * 256;
		rows[i].object = (struct kmem_kernel_object){ .call_site = i < 2 ? 0xffffffff81001000 : 0xffffffff81002000,
			.tgid = 77, .stack = -1, .comm = "sixteen bytes wi" };
		leaks[i] = (struct kernel_leak){ .row = &rows[i], .cache = i < 2 ? "kmalloc-256" : "dentry",
			.bytes = i < 2 ? 200 : 192, .age_ns = 12345000000 };
	}
	groups[0] = (struct kernel_group){ "kmalloc-256", 1, 0xffffffff81001000, 2, 400, 12 * SECOND, 11 * SECOND, 2, 15, -1, false };
	groups[1] = (struct kernel_group){ "dentry", 2, 0xffffffff81002000, 1, 192, 12 * SECOND, 12 * SECOND, -3, 1, -1, false };
	scan = (struct kernel_scan){
		.list = { .leaks = leaks, .nr = 3, .groups = groups, .nr_groups = 2, .bytes = 592, .young = 4, .silent = 5 },
		.watched_ns = 30 * SECOND, .allocs = 1000, .frees = 900, .min_age_ms = 10000, .nr_caches = 200,
	};
	options = (struct report_options){ .limit = 100 };
}

static void teardown(void)
{
	free(text);
}

TestSuite(kernel_report, .init = setup, .fini = teardown);

static void report(enum output_format format)
{
	struct output o;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	output_init(&o, f, format);
	kernel_report(&o, &scan, &options);
	cr_assert_eq(output_flush(&o), 0);
	fclose(f);
}

#define expect(line) cr_expect(strstr(text, line), "no '%s' in\n%s", line, text)

Test(kernel_report, an_object_has_the_shape_of_the_kernels_own)
{
	report(OUTPUT_TEXT);
	expect("unfreed object 0xffff888100000000 (size 200):\n"
	       "  comm \"sixteen bytes wi\", pid 77, age 12.345 s\n"
	       "  cache kmalloc-256\n"
	       "  backtrace:\n"
	       "    [<ffffffff81001000>] 0xffffffff81001000\n");
	expect("kernel: 3 objects not freed, 592 bytes, of 2 places\n");
	expect("       2          400    12.0s    11.0s       +2  steady  kmalloc-256           0xffffffff81001000\n");
	expect("       1          192    12.0s    12.0s       -3    once  dentry                0xffffffff81002000\n");
	expect("watched 30.0 s: tracked 1000 of 1000 allocations, 900 frees\n");
	expect("left out: 4 younger than 10 s, 5 free without an event, 0 given to kfree_rcu(), 0 freed just now\n");
	expect("complete: the events account for the objects of all 200 caches\n");
	cr_expect_null(strstr(text, "lost"));
}

Test(kernel_report, what_is_incomplete_is_said)
{
	scan.totals.missed_allocs = 2;
	scan.totals.sum.lost = 1;
	scan.list.outside = 6;
	scan.list.unknown = 7;
	scan.list.not_asked = 8;
	scan.nr_residues = 10;
	for (unsigned int i = 0; i < 10; i++)
		residues[i] = (struct kernel_residue){ "maple_node", i % 2 ? -5 : 5 };
	scan.residues = residues;
	report(OUTPUT_TEXT);
	expect("tracked 999 of 1002 allocations");
	expect("lost: 3 allocations: as many leaks may be missing\n");
	expect(", 6 allocated before or after, 7 of which this kernel does not tell, 8 not asked for\n");
	expect("maple_node +5, maple_node -5");
	expect(", 2 more caches; none in 190 caches\n");
}

Test(kernel_report, limit_summary_and_what_is_known)
{
	options.limit = 1;
	leaks[0].known = true;
	report(OUTPUT_TEXT);
	cr_expect_null(strstr(text, "0xffff888100000000"));
	expect("unfreed object 0xffff888100000100");
	expect("(1 more objects not shown");
	free(text);
	options.summary_only = true;
	report(OUTPUT_TEXT);
	cr_expect_null(strstr(text, "unfreed"));
	cr_expect_null(strstr(text, "more objects"));
}

Test(kernel_report, what_is_not_sure)
{
	leaks[2].unsure = groups[1].unsure = true;
	scan.list.nr_unsure = 1;
	report(OUTPUT_TEXT);
	expect("of 2 places; 1 of these not sure\n");
	expect("  cache dentry, which allocates without events, too: not sure\n");
	expect("       -3  unsure  dentry");
}

Test(kernel_report, nothing_left)
{
	scan.list.nr = scan.list.nr_groups = 0;
	report(OUTPUT_TEXT);
	cr_expect_eq(strncmp(text, "kernel: no object is left unfreed\n", 34), 0, "%s", text);
}

Test(kernel_report, json_lines)
{
	unsigned int seen = 0;

	scan.residues = residues;
	scan.nr_residues = 1;
	residues[0] = (struct kernel_residue){ "maple_node", -7 };
	report(OUTPUT_JSON);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		json_t *record = json_loads(line, 0, NULL);
		const char *what = record ? json_string_value(json_object_get(record, "record")) : NULL;

		cr_assert_not_null(what, "%s", line);
		if (!strcmp(what, "leak"))
			cr_expect_str_eq(json_string_value(json_object_get(record, "comm")), "sixteen bytes wi");
		else if (!strcmp(what, "residue"))
			cr_expect_str_eq(json_string_value(json_object_get(record, "objects")), "-7");
		else if (!strcmp(what, "scan"))
			cr_expect_eq(json_integer_value(json_object_get(record, "leaked_bytes")), 592);
		seen++;
		json_decref(record);
	}
	cr_expect_eq(seen, 3 + 2 + 1 + 1);
}

Test(kernel_report, csv_is_one_line_per_object)
{
	report(OUTPUT_CSV);
	cr_expect_eq(strncmp(text, "record,pid,comm,address,size,cache,age_ns,call_site,symbol,sure\n", 64), 0, "%s", text);
	expect("leak,77,sixteen bytes wi,0xffff888100000200,192,dentry,12345000000,0xffffffff81002000,0xffffffff81002000,true");
}
