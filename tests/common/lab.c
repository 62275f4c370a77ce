/* SPDX-License-Identifier: BSD-2-Clause */
/* lab.c - a script is cut at CPUs and checks, and ends when a back end fails. With real ones: tests/kmemtrace/placement.sh. */
#include "common/lab.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static char log_text[512];
static int fail_at = -1;

static int work(struct lab *lab, const struct script_op *ops, size_t nr, uint16_t *used)
{
	snprintf(log_text + strlen(log_text), sizeof(log_text) - strlen(log_text), "%zu@%u(%d) ", nr, ops->cpu, sched_getcpu());
	for (size_t i = 0; i < nr; i++)
		used[i] = ops[i].cpu;
	return fail_at >= 0 && !fail_at-- ? lab_fail(lab, -EIO, "broken") : 0;
}

static int read_state(struct lab *lab, struct kmem_cache_info *row)
{
	(void)lab;
	row[0].slabs = 7;
	return 0;
}

static void close_lab(struct lab *lab)
{
	(void)lab;
	strcat(log_text, "closed");
}

static const struct lab_ops ops = { work, read_state, close_lab };

static int check(void *context, unsigned int n, const struct kmem_cache_info *row)
{
	cr_assert_eq(row->slabs, 7);
	strcat(log_text, "check ");
	return n == *(unsigned int *)context ? 99 : 0;
}

static int run(const char *text, unsigned int stop)
{
	struct lab lab = { .ops = &ops };
	struct lab_run r = { .check = check, .context = &stop };
	struct script script;
	char err[256];
	int rc;

	cr_assert_eq(script_parse(&script, "t", text, err, sizeof(err)), 0);
	lab.script = &script;
	log_text[0] = '\0';
	rc = lab_run(&lab, &r);
	lab_close(&lab);
	lab_close(&lab);
	script_free(&script);
	return rc;
}

Test(lab, stretches)
{
	cr_assert_eq(run("cache c size=8; alloc a b c; check; check; free a", UINT32_MAX), 0);
	cr_assert_str_eq(log_text, "2@0(0) check check 1@0(0) check closed");
}

Test(lab, cpus)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	if (!CPU_ISSET(1, &set))
		cr_skip_test("one CPU");
	cr_assert_eq(run("cache c size=8; alloc a c; cpu 1; alloc b c; cpu 0; free a b", UINT32_MAX), 0);
	cr_assert_str_eq(log_text, "1@0(0) 1@1(1) 2@0(0) check closed");
}

Test(lab, ends_early)
{
	cr_assert_eq(run("cache c size=8; alloc a c; check; free a", 0), 99);
	cr_assert_str_eq(log_text, "1@0(0) check closed");
	fail_at = 1;
	cr_assert_eq(run("cache c size=8; alloc a c; check; free a; check", UINT32_MAX), -EIO);
}

Test(lab, a_cpu_that_is_not_there)
{
	cr_assert_lt(run("cache c size=8; cpu 63; alloc a c", UINT32_MAX), 0);
}
