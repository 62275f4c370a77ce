/* SPDX-License-Identifier: BSD-2-Clause */
/* The text is /proc/slabinfo's, and its numbers are the truth. */
#include "support.h"

#include "entry/slabinfo.h"

/* The row of a cache in text; NULL when there is none. */
static const char *row_of(const char *text, const char *name)
{
	char start[80];

	snprintf(start, sizeof(start), "\n%-17s ", name);
	text = strstr(text, start);
	return text ? text + 1 : NULL;
}

static const char *whole_text(void)
{
	static char text[1 << 20];
	size_t len = kmem_slabinfo(text, sizeof(text));

	cr_assert_lt(len, sizeof(text));
	cr_assert_eq(strlen(text), len);
	return text;
}

Test(slabinfo, the_header_is_the_kernel_s)
{
	static const char header[] =
		"slabinfo - version: 2.1\n"
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
		"<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n";
	char line[512];
	FILE *f = fopen("/proc/slabinfo", "r");

	cr_expect_eq(strncmp(whole_text(), header, strlen(header)), 0);
	if (!f)
		return;
	cr_assert_not_null(fgets(line, sizeof(line), f));
	cr_expect_eq(strncmp(header, line, strlen(line)), 0);
	cr_assert_not_null(fgets(line, sizeof(line), f));
	cr_expect_not_null(strstr(header, line));
	fclose(f);
}

Test(slabinfo, a_row_has_the_cache_s_numbers)
{
	struct kmem_cache *s = kmem_cache_create("row", 100, 0, 0, NULL);
	unsigned long active, objects, active_slabs, slabs;
	unsigned int size, per_slab, pages, limit, batch, shared, avail;
	struct kmem_cache_stat stat;
	void *object[200];
	const char *row;

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 200, object), 200);
	kmem_cache_free_bulk(s, 50, object);
	row = row_of(whole_text(), "row");
	cr_assert_not_null(row);
	cr_assert_eq(sscanf(row, "row %lu %lu %u %u %u : tunables %u %u %u : slabdata %lu %lu %u", &active, &objects,
			    &size, &per_slab, &pages, &limit, &batch, &shared, &active_slabs, &slabs, &avail), 11);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(active, 150, "exact, although 50 wait in the slot");
	cr_expect_eq(objects, stat.objects);
	cr_expect_eq(size, 104);
	cr_expect_eq(per_slab, s->objects);
	cr_expect_eq(pages, 1u << s->order);
	cr_expect_eq(slabs, stat.slabs);
}

Test(slabinfo, every_live_cache_has_one_row)
{
	struct kmem_cache *s = kmem_cache_create("here", 100, 0, 0, NULL), *at = NULL;
	unsigned int rows = 0, caches = 0;
	const char *text, *line;

	kmem_cache_destroy(kmem_cache_create("gone", 100, 0, 0, NULL));
	text = whole_text();
	cr_expect_not_null(s);
	cr_expect_not_null(row_of(text, "here"));
	cr_expect_not_null(row_of(text, "kmalloc-rcl-8k"));
	cr_expect_null(row_of(text, "gone"));
	for (line = text; (line = strchr(line, '\n')); line++)
		rows++;
	while ((at = cache_next(at)))
		caches++;
	cr_expect_eq(rows, caches + 2);
}

Test(slabinfo, a_short_buffer_gets_a_prefix_and_the_needed_length)
{
	char text[8192], part[8192];
	size_t need = kmem_slabinfo(NULL, 0), room;

	cr_assert_lt(need, sizeof(text));
	cr_expect_eq(kmem_slabinfo(text, sizeof(text)), need);
	for (room = 1; room < need; room += 211) {
		memset(part, 'x', sizeof(part));
		cr_expect_eq(kmem_slabinfo(part, room), need);
		cr_expect_eq(strnlen(part, room), room - 1);
		cr_expect_eq(memcmp(part, text, room - 1), 0);
		cr_expect_eq(part[room], 'x');
	}
}

Test(slabinfo, printing_writes_the_same_text)
{
	const char *text = whole_text();

	capture_start();
	slabinfo_print(2);
	cr_expect_str_eq(capture_end(), text);
}

Test(slabinfo, a_long_name_keeps_the_row_whole)
{
	char name[64];
	const char *row;

	memset(name, 'n', 63);
	name[63] = '\0';
	cr_assert_not_null(kmem_cache_create(name, 8, 0, 0, NULL));
	row = row_of(whole_text(), name);
	cr_assert_not_null(row);
	cr_expect_not_null(strstr(row, " : slabdata      0      0      0\n"));
}
