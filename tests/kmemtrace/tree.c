/* SPDX-License-Identifier: BSD-2-Clause */
/* tree.c - merging, order, and the text of trees. */
#include "kmemtrace/tree.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static struct tree tree;
static char *text;

static void teardown(void)
{
	tree_free(&tree);
	free(text);
	sample_clean();
}

TestSuite(tree, .fini = teardown, .timeout = 300);

static void add(const char *a, const char *b, const char *c, uint64_t weight)
{
	const char *name[] = { a, b, c };

	cr_assert(tree_add(&tree, name, c ? 3 : b ? 2 : 1, weight));
}

static const char *print(bool bytes)
{
	size_t len;
	FILE *f = open_memstream(&text, &len);

	tree_print(&tree, bytes, f);
	fclose(f);
	return text;
}

Test(tree, text)
{
	setlocale(LC_CTYPE, "C");
	add("main", "small", "leaf", 100);
	add("main", "large", "f", 500);
	add("main", "large", "g", 300);
	add("main", "large", NULL, 95);
	add("main", "tiny", NULL, 5);
	tree_sort(&tree, false);
	cr_expect_eq(tree_depth(&tree), 3);
	cr_expect_str_eq(print(false),
			 "  1000 100%  all\n"
			 "  1000 100%  main\n"
			 "   895  90%  |-large\n"
			 "   500  50%  | |-f\n"
			 "   300  30%  | `-g\n"
			 "   100  10%  `-small\n"
			 "   100  10%    leaf\n");
}

Test(tree, order)
{
	uint32_t at;

	for (uint32_t i = 0; i < 500; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%03u", i * 7 % 500);
		add("main", name, NULL, 1 + i * 13 % 500);
	}
	tree_sort(&tree, false);
	at = tree.node[tree.node[0].child].child;
	for (uint32_t i = 500; i; i--, at = tree.node[at].sibling)
		cr_assert_eq(tree.node[at].weight, i);
	cr_expect_eq(at, 0);
	tree_sort(&tree, true);
	at = tree.node[tree.node[0].child].child;
	for (uint32_t i = 0; i < 500; i++, at = tree.node[at].sibling)
		cr_assert_eq((uint32_t)atoi(tree.node[at].name + 1), i);
}

Test(tree, of_an_analysis)
{
	struct analysis *an = story_analysis(story_usual(), NULL);

	cr_assert(tree_build(&tree, an, RANK_ALLOCS));
	tree_sort(&tree, false);
	setlocale(LC_CTYPE, "C");
	cr_expect_str_eq(print(false),
			 " 11.0k 100%  all\n"
			 " 11.0k 100%  story_main\n"
			 " 10.0k  91%  |-story_serve\n"
			 " 10.0k  91%  | story_zmalloc\n"
			 "  1001   9%  `-story_load\n"
			 "  1001   9%    story_zmalloc\n");
	story_close(an);
}

Test(tree, nothing)
{
	cr_expect_str_eq(print(true), "");
	cr_expect_eq(tree_depth(&tree), 0);
}
