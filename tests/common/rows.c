/* SPDX-License-Identifier: BSD-2-Clause */
/* rows.c - tests of tools/common/rows.c: parsing, unknown values, rates, sums, order. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/heap.h"
#include "common/rows.h"
#include "fake.h"
#include "kmem_cache_info.h"

static const struct row_source kernel = { .kind = ROW_KERNEL, .label = "kernel" };
static const struct row_source process = { .kind = ROW_PROCESS, .pid = 7, .label = "x:7" };
static struct rows rows;

static const char slabinfo[] =
	"slabinfo - version: 2.1\n"
	"# name            <active_objs> <num_objs> <objsize>\n"
	"alpha             10     20    192   21    1 : tunables    0    0    0 : slabdata      1      2      0\n"
	"beta               0      0   4096    8    8 : tunables    0    0    0 : slabdata      0      0      0\n"
	"gamma            100    100     32  128    1 : tunables    0    0    0 : slabdata      4      4      0\n";

static const struct row *row(const char *name)
{
	for (size_t i = 0; i < rows.nr; i++)
		if (!strcmp(rows.row[i].name, name))
			return &rows.row[i];
	return NULL;
}

static const char *names(void)
{
	static char text[256];

	text[0] = '\0';
	for (size_t i = 0; i < rows.nr; i++) {
		strcat(text, rows.row[i].name);
		strcat(text, " ");
	}
	return text;
}

Test(rows, slabinfo_is_parsed)
{
	cr_assert_eq(rows_add_slabinfo(&rows, &kernel, slabinfo), 0);
	cr_assert_eq(rows.nr, 3);
	cr_expect_eq(row("alpha")->value[ROW_ACTIVE], 10);
	cr_expect_eq(row("alpha")->value[ROW_OBJECTS], 20);
	cr_expect_eq(row("alpha")->value[ROW_SIZE], 192);
	cr_expect_eq(row("alpha")->value[ROW_ACTIVE_SLABS], 1);
	cr_expect_eq(row("alpha")->value[ROW_SLABS], 2);
	cr_expect_eq(row("alpha")->value[ROW_BYTES], 8192);
	cr_expect_not(row_known(row("alpha"), ROW_CACHED));
	cr_expect_not(row_known(row("alpha"), ROW_ALLOCS));
	cr_expect_not(row_known(row("alpha"), ROW_OBJECT_SIZE));
	rows_free(&rows);
}

Test(rows, what_is_no_slabinfo_is_refused)
{
	cr_expect_eq(rows_add_slabinfo(&rows, &kernel, ""), -EINVAL);
	cr_expect_eq(rows_add_slabinfo(&rows, &kernel, "slabinfo - version: 1.1\n"), -EINVAL);
	cr_expect_eq(rows_add_slabinfo(&rows, &kernel, "slabinfo - version: 2.1\nalpha 1 2\n"), -EINVAL);
	rows_clear(&rows);
	cr_expect_eq(rows_add_slabinfo(&rows, &kernel, "slabinfo - version: 2.1\n"), 0);
	cr_expect_eq(rows.nr, 0);
	rows_free(&rows);
}

Test(rows, use_is_cut_off)
{
	struct row r = { 0 };
	uint64_t percent;

	cr_expect_not(row_use_percent(&r, &percent));
	row_set(&r, ROW_OBJECTS, 3);
	row_set(&r, ROW_ACTIVE, 2);
	cr_expect(row_use_percent(&r, &percent) && percent == 66);
	row_set(&r, ROW_OBJECTS, 0);
	cr_expect(row_use_percent(&r, &percent) && percent == 0);
}

Test(rows, kernel_rows_know_what_the_walker_knows)
{
	struct kmem_cache_info info[2] = {
		{ .have = KMEM_INFO_GEOMETRY | KMEM_INFO_SLABS | KMEM_INFO_SLABINFO_ACTIVE, .name = "poor", .size = 64,
		  .order = 1, .objects_per_slab = 128, .slabs = 2, .objects_total = 256, .slabinfo_active = 200 },
		{ .have = KMEM_INFO_GEOMETRY | KMEM_INFO_LAYOUT | KMEM_INFO_SLABS | KMEM_INFO_PARTIAL | KMEM_INFO_CPU_SLAB |
			  KMEM_INFO_SHEAVES | KMEM_INFO_IN_USE,
		  .name = "rich", .size = 64, .object_size = 60, .slabs = 2, .objects_total = 256, .in_use = 100,
		  .node_partial = 1, .cpu_free = 5, .sheaf_main = 6, .sheaf_spare = 7, .barn_objects = 8 },
	};

	cr_assert_eq(rows_add_kcaches(&rows, &kernel, info, 2), 0);
	cr_expect_eq(row("poor")->value[ROW_ACTIVE], 200);
	cr_expect_eq(row("poor")->value[ROW_BYTES], 2 * 2 * 4096);
	cr_expect_not(row_known(row("poor"), ROW_CACHED));
	cr_expect_not(row_known(row("poor"), ROW_PARTIAL));
	cr_expect_eq(row("rich")->value[ROW_ACTIVE], 100);
	cr_expect_eq(row("rich")->value[ROW_CACHED], 26);
	cr_expect_eq(row("rich")->value[ROW_PARTIAL], 1);
	cr_expect_eq(row("rich")->value[ROW_OBJECT_SIZE], 60);
	rows_free(&rows);
}

Test(rows, process_rows_know_everything)
{
	struct heap_cache c = {
		.cache = { .id = 3, .state = KMEM_CACHE_DEAD, .size = 128, .object_size = 100, .objects = 32, .order = 1,
			   .name = "mine" },
		.slabs = 2, .objects = 64, .active = 10, .cached_slots = 4, .cached_barn = 3, .partial_slabs = 1,
		.allocs = 1000, .frees = 990, .torn = true,
	};
	struct heap heap = { .caches = &c, .nr_caches = 1 };

	cr_assert_eq(rows_add_heap(&rows, &process, &heap), 0);
	cr_expect(row("mine")->torn);
	cr_expect(row("mine")->dead);
	cr_expect_eq(row("mine")->value[ROW_CACHED], 7);
	cr_expect_eq(row("mine")->value[ROW_BYTES], 2 * 2 * 4096);
	cr_expect_eq(row("mine")->known | 1u << ROW_ALLOC_RATE | 1u << ROW_FREE_RATE | 1u << ROW_ACTIVE_SLABS,
		     (1u << ROW_NR_FIELDS) - 1);
	rows_free(&rows);
}

static struct row *counted(struct rows *table, const struct row_source *source, const char *name, uint64_t id,
			   uint64_t allocs)
{
	struct row *r = rows_add(table, source);

	strcpy(r->name, name);
	r->id = id;
	row_set(r, ROW_ALLOCS, allocs);
	return r;
}

Test(rows, rates_compare_the_same_cache)
{
	struct rows before = { .ns = 1000000000 };

	rows.ns = 3000000000;
	counted(&before, &process, "a", 1, 100);
	counted(&before, &process, "b", 2, 100);
	counted(&before, &kernel, "a", 1, 0);
	counted(&before, &process, "c", 3, 500);
	counted(&rows, &process, "c", 3, 400);
	counted(&rows, &process, "b", 9, 200);
	counted(&rows, &process, "new", 5, 200);
	counted(&rows, &process, "a", 1, 1101);
	rows_rates(&rows, &before);
	cr_expect_eq(row("a")->value[ROW_ALLOC_RATE], 501);
	cr_expect_not(row_known(row("a"), ROW_FREE_RATE));
	cr_expect_not(row_known(row("b"), ROW_ALLOC_RATE), "another cache of that name");
	cr_expect_not(row_known(row("c"), ROW_ALLOC_RATE), "counters ran back");
	cr_expect_not(row_known(row("new"), ROW_ALLOC_RATE));
	rows_free(&rows);
	rows_free(&before);
}

Test(rows, sums_are_those_of_procps)
{
	struct rows_totals t;

	cr_assert_eq(rows_add_slabinfo(&rows, &kernel, slabinfo), 0);
	strcpy(rows_add(&rows, &process)->name, "other source");
	rows_sum(&rows, &kernel, &t);
	cr_expect_eq(t.caches, 3);
	cr_expect_eq(t.active_caches, 2);
	cr_expect_eq(t.objects, 120);
	cr_expect_eq(t.active_objects, 110);
	cr_expect_eq(t.slabs, 6);
	cr_expect_eq(t.active_slabs, 5);
	cr_expect_eq(t.bytes, 20 * 192 + 100 * 32);
	cr_expect_eq(t.active_bytes, 10 * 192 + 100 * 32);
	cr_expect_eq(t.min_size, 32);
	cr_expect_eq(t.max_size, 4096);
	cr_expect_eq(t.avg_size, (20 * 192 + 100 * 32) / 120);
	rows_sum(&rows, NULL, &t);
	cr_expect_eq(t.caches, 4);
	cr_expect(t.any_unknown_active);
	rows_free(&rows);
}

Test(rows, every_key_sorts)
{
	static const struct {
		char key;
		const char *order;
	} cases[] = {
		{ 'o', "gamma alpha beta " }, { 'a', "gamma alpha beta " }, { 'n', "alpha beta gamma " },
		{ 's', "beta alpha gamma " }, { 'u', "gamma alpha beta " }, { 'b', "gamma alpha beta " },
		{ 'c', "gamma alpha beta " }, { 'l', "gamma alpha beta " }, { 'v', "gamma alpha beta " },
		{ 'p', "beta alpha gamma " }, { 'P', "beta alpha gamma " }, { 'e', "alpha beta gamma " },
	};

	cr_assert_eq(rows_add_slabinfo(&rows, &kernel, slabinfo), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cr_expect(rows_key_is_valid(cases[i].key));
		rows_sort(&rows, cases[i].key, false);
		cr_expect_str_eq(names(), cases[i].order, "key %c: %s", cases[i].key, names());
	}
	rows_sort(&rows, 'n', true);
	cr_expect_str_eq(names(), "gamma beta alpha ");
	rows_free(&rows);
}

Test(rows, unknown_sorts_last_in_both_directions)
{
	row_set(counted(&rows, &process, "known", 0, 0), ROW_CACHED, 0);
	counted(&rows, &process, "unknown", 0, 0);
	rows_sort(&rows, 'e', false);
	cr_expect_str_eq(names(), "known unknown ");
	rows_sort(&rows, 'e', true);
	cr_expect_str_eq(names(), "known unknown ");
	rows_free(&rows);
}

Test(rows, other_letters_are_no_keys)
{
	cr_expect_not(rows_key_is_valid('x'));
	cr_expect_not(rows_key_is_valid(' '));
	cr_expect_not(rows_key_is_valid('\0'));
}

Test(rows, every_field_has_a_key)
{
	for (unsigned int i = 0; i < ROW_NR_FIELDS; i++)
		cr_expect_not_null(row_field_key(i));
}

/* ---- merged caches ---- */

static void read_fake(const char *mode)
{
	static struct target t;
	static struct heap h;
	pid_t pid = fake_start(mode);

	cr_assert_gt(pid, 0);
	cr_assert_eq(target_open(&t, pid), 0, "%s", t.message);
	cr_assert_eq(target_find_roots(&t), 0, "%s", t.message);
	heap_init(&h, &t, t.roots[0].addr);
	cr_assert_eq(heap_read(&h), 0, "%s", t.message);
	cr_assert_eq(rows_add_heap(&rows, &process, &h), 0);
	heap_close(&h);
	target_close(&t);
	fake_stop(pid);
}

Test(rows, merged_caches_have_a_row_each_and_the_slabs_once)
{
	read_fake("merged");
	cr_assert_not_null(row("fake-alias"));
	cr_expect_eq(row("fake-alias")->value[ROW_ACTIVE], FAKE_ALIAS_ACTIVE);
	cr_expect_eq(row("fake-alias")->value[ROW_OBJECTS], 0);
	cr_expect_eq(row("fake-alias")->value[ROW_SLABS], 0);
	cr_expect_eq(row("fake-alias")->value[ROW_BYTES], 0);
	cr_expect_eq(row("fake-alias")->value[ROW_ALLOCS], 63);
	cr_expect_eq(row("fake-64")->value[ROW_SLABS], FAKE_SLABS);
	cr_expect_eq(row("fake-64")->value[ROW_OBJECTS], FAKE_TOTAL);
	cr_expect_not(row("fake-alias")->dead);
	cr_expect_not(row("fake-64")->dead);
	rows_free(&rows);
}

Test(rows, a_root_that_others_need_is_no_leaked_cache)
{
	read_fake("merged-gone");
	cr_expect_not(row("fake-64")->dead, "kept for its alias");
	cr_expect(row("fake-dead")->dead);
	cr_expect_not(row("fake-alias")->dead);
	rows_free(&rows);
}
