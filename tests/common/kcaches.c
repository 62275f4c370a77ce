/* SPDX-License-Identifier: BSD-2-Clause */
/* kcaches.c - slabinfo is parsed in all its shapes. The BPF sources: tests/bpf/caches.sh. */
#include "common/kcaches.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER \
	"slabinfo - version: 2.1\n" \
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables " \
	"<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"

Test(kcaches, slub)
{
	static const char text[] = HEADER
		"dentry             12345  20000    192   21    1 : tunables    0    0    0 : slabdata    953    953      0\n"
		"kmalloc-8k            32     36   8192    4    8 : tunables    0    0    0 : slabdata      9      9      0\n";
	struct kmem_cache_info *rows;
	size_t nr;

	cr_assert_eq(kcaches_parse_slabinfo(text, &rows, &nr), 0);
	cr_assert_eq(nr, 2);
	cr_assert_str_eq(rows[0].name, "dentry");
	cr_assert_eq(rows[0].slabinfo_active, 12345);
	cr_assert_eq(rows[0].objects_total, 20000);
	cr_assert_eq(rows[0].size, 192);
	cr_assert_eq(rows[0].objects_per_slab, 21);
	cr_assert_eq(rows[0].order, 0);
	cr_assert_eq(rows[0].slabs, 953);
	cr_assert_eq(rows[1].order, 3);
	cr_assert_eq(rows[1].slabs, 9);
	free(rows);
}

Test(kcaches, says_what_slabinfo_lacks)
{
	static const char text[] = HEADER
		"dentry 1 2 192 21 1 : tunables 0 0 0 : slabdata 3 4 0\n";
	struct kmem_cache_info *rows;
	size_t nr;

	cr_assert_eq(kcaches_parse_slabinfo(text, &rows, &nr), 0);
	cr_assert_eq(rows[0].have,
		     KMEM_INFO_GEOMETRY | KMEM_INFO_SLABS | KMEM_INFO_SLABINFO_ACTIVE);
	cr_assert_not(rows[0].have & KMEM_INFO_IN_USE, "slabinfo has no true number of objects");
	free(rows);
}

/* CONFIG_SLAB has tunables; a debug build appends columns; names may be long. */
Test(kcaches, other_shapes)
{
	static const char text[] = HEADER
		"size-64             1000   1180     64   59    1 : tunables  120   60    8 : slabdata     20     20      5 : globalstat 1 2 3\n"
		"a_name_that_is_so_long_that_it_would_not_fit_into_the_field_at_all_really 1 2 8 512 1 : tunables 0 0 0 : slabdata 1 1 0\n"
		"torn li";
	struct kmem_cache_info *rows;
	size_t nr;

	cr_assert_eq(kcaches_parse_slabinfo(text, &rows, &nr), 0);
	cr_assert_eq(nr, 1, "the overlong and the torn line are skipped");
	cr_assert_str_eq(rows[0].name, "size-64");
	cr_assert_eq(rows[0].slabs, 20);
	free(rows);
}

Test(kcaches, no_slabinfo)
{
	struct kmem_cache_info *rows;
	size_t nr;

	cr_assert_eq(kcaches_parse_slabinfo("", &rows, &nr), -EINVAL);
	cr_assert_eq(kcaches_parse_slabinfo("slabinfo - version: 1.1\n", &rows, &nr), -EINVAL);
	cr_assert_eq(kcaches_parse_slabinfo(HEADER, &rows, &nr), 0);
	cr_assert_eq(nr, 0);
	free(rows);
}

Test(kcaches, names)
{
	cr_assert_str_eq(kcaches_source_name(KCACHES_ITERATOR), "iterator");
	cr_assert_str_eq(kcaches_source_name(KCACHES_SLABINFO), "slabinfo");
	kcaches_close(NULL);
}

/* With or without privileges: a list of caches, or one line that says why not. */
Test(kcaches, opens_or_says_why)
{
	const struct kmem_cache_info *rows;
	struct kcaches *kc;
	char err[256] = "";
	size_t nr;

	if (kcaches_open(&kc, NULL, err, sizeof(err))) {
		cr_assert_neq(err[0], '\0');
		cr_assert_null(strchr(err, '\n'));
		return;
	}
	cr_assert_eq(kcaches_source(kc) == KCACHES_SLABINFO, *kcaches_why(kc) != '\0');
	cr_assert_eq(kcaches_read(kc, &rows, &nr, err, sizeof(err)), 0, "%s", err);
	cr_assert_gt(nr, 10);
	kcaches_close(kc);
}

/* Without list walks the columns that need them are missing, not zero. */
Test(kcaches, no_lists)
{
	const struct kcaches_options options = { .no_lists = true };
	const struct kmem_cache_info *rows;
	struct kcaches *kc;
	char err[256];
	size_t nr, i;

	if (kcaches_open(&kc, &options, err, sizeof(err)))
		cr_skip_test("needs root");
	cr_assert_eq(kcaches_read(kc, &rows, &nr, err, sizeof(err)), 0, "%s", err);
	for (i = 0; i < nr; i++)
		cr_assert_not(rows[i].have & (KMEM_INFO_PARTIAL | KMEM_INFO_IN_USE), "%s",
			      rows[i].name);
	kcaches_close(kc);
}
