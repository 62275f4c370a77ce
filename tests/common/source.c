/* SPDX-License-Identifier: BSD-2-Clause */
/* source.c - tests of tools/common/source.c: the fake process as text; damaged and vanished ones. */
#include <criterion/criterion.h>
#include <errno.h>

#include "common/source.h"
#include "fake.h"
#include "text/slab.h"

static struct target t;
static struct source source;
static pid_t pid;

static void start(const char *mode)
{
	pid = fake_start(mode);
	cr_assert_gt(pid, 0);
	cr_assert_eq(target_open(&t, pid), 0, "%s", t.message);
	cr_assert_eq(target_find_roots(&t), 0, "%s", t.message);
}

Test(source, slabinfo_of_the_fake)
{
	char *text, row[200];

	start("normal");
	cr_assert_eq(source_open(&source, &t, t.roots[0].addr), 0, "%s", t.message);
	cr_assert_eq(source_text(&source, text_slabinfo, &text), 0, "%s", t.message);
	snprintf(row, sizeof(row), "\nfake-64           %6u %6u", FAKE_ACTIVE, FAKE_TOTAL);
	cr_expect_not_null(strstr(text, row), "%s", text);
	cr_expect_eq(strncmp(text, "slabinfo - version: 2.1\n", 24), 0);
	free(text);
	fake_stop(pid);
	target_close(&t);
}

Test(source, code_has_a_name)
{
	char buf[256];
	const char *name;

	start("normal");
	cr_assert_eq(source_open(&source, &t, t.roots[0].addr), 0, "%s", t.message);
	cr_expect_null(source.symbols, "only when asked for");
	/* Its symbols are those of this program, whose addresses are known here. */
	t.pid = getpid();
	name = source.text.symbol(source.text.context, (uintptr_t)start, buf, sizeof(buf));
	cr_expect_eq(strncmp(name, "start+0x0/0x", 12), 0, "%s", name);
	source_close(&source);
	cr_expect_null(source.symbols);
	t.pid = INT_MAX;
	cr_expect_null(source.text.symbol(source.text.context, 1, buf, sizeof(buf)), "no such process");
	source_close(&source);
	fake_stop(pid);
	target_close(&t);
}

/* More than the first guess of the length. */
static int long_file(struct text *text, const struct text_source *src)
{
	unsigned int i;

	(void)src;
	for (i = 0; i < 50000; i++)
		text_char(text, 'x');
	return 0;
}

Test(source, long_text_is_whole)
{
	char *text;

	start("normal");
	cr_assert_eq(source_open(&source, &t, t.roots[0].addr), 0);
	cr_assert_eq(source_text(&source, long_file, &text), 0);
	cr_expect_eq(strlen(text), 50000);
	free(text);
	fake_stop(pid);
	target_close(&t);
}

static int damaged_file(struct text *text, const struct text_source *src)
{
	(void)text;
	(void)src;
	return -EPROTO;
}

Test(source, failures_have_a_line)
{
	char *text;

	start("normal");
	cr_assert_eq(source_open(&source, &t, t.roots[0].addr), 0);
	cr_expect_eq(source_text(&source, damaged_file, &text), -EPROTO);
	cr_expect_not_null(strstr(t.message, "damaged"), "%s", t.message);
	cr_expect_null(text);
	fake_stop(pid);
	cr_expect_lt(source_text(&source, text_slabinfo, &text), 0);
	cr_expect_neq(t.message[0], '\0');
	cr_expect_lt(source_open(&source, &t, t.roots[0].addr), 0);
	target_close(&t);
}
