/* SPDX-License-Identifier: BSD-2-Clause */
/* baseline.c - known leaks are recognised, new ones and changed ones are not hidden. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <criterion/criterion.h>

#include "kmemleak/baseline.h"
#include "kmemleak/synthetic.h"

static struct synthetic *s;
static struct scan scan;
static struct baseline known;
static uint64_t slab;
static char directory[] = "/tmp/test-baseline-XX" "XX" "XX";

static void setup(void)
{
	s = syn_new();
	slab = syn_slab(s, SYN_64, 1);
	cr_assert_not_null(mkdtemp(directory));
	setenv("XDG_RUNTIME_DIR", directory, 1);
}

static void teardown(void)
{
	char command[128];

	leaks_free(&scan.leaks);
	baseline_free(&known);
	syn_free(s);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(baseline, .init = setup, .fini = teardown);

static size_t hidden(void)
{
	size_t nr = 0;

	leaks_free(&scan.leaks);
	model_free(&s->model);
	syn_mark(s, NULL, 0);
	scan.model = s->model;
	scan.image.mirror = (const uint8_t *)s->memory;
	cr_assert_eq(leaks_find(&scan.leaks, &scan.model, scan.image.mirror), 0);
	baseline_hide(&known, &scan);
	for (size_t i = 0; i < scan.leaks.nr; i++)
		nr += scan.leaks.list[i].hidden;
	return nr;
}

Test(baseline, only_what_is_known_is_hidden)
{
	syn_take(s, slab, 3);
	syn_take(s, slab, 1);
	cr_assert_eq(hidden(), 0);
	cr_assert_eq(baseline_add(&known, &scan), 0);
	cr_assert_eq(hidden(), 2);
	syn_take(s, slab, 2);
	cr_assert_eq(hidden(), 2);
	cr_assert_eq(baseline_add(&known, &scan), 0);
	cr_assert_eq(known.nr, 3);
	cr_assert_eq(hidden(), 3);
}

Test(baseline, another_object_at_the_same_address_is_new)
{
	uint64_t a = syn_take(s, slab, 3);

	hidden();
	baseline_add(&known, &scan);
	syn_poke(s, a + 8, 42);
	cr_assert_eq(hidden(), 0);
}

Test(baseline, survives_in_a_file)
{
	char path[512];
	struct stat st;

	syn_take(s, slab, 3);
	hidden();
	baseline_add(&known, &scan);
	cr_assert_eq(baseline_save(&known, getpid(), path, sizeof(path)), 0);
	cr_assert_eq(strncmp(path, directory, strlen(directory)), 0);
	cr_assert_eq(stat(path, &st), 0);
	baseline_free(&known);
	cr_assert_eq(baseline_load(&known, getpid()), 0);
	cr_assert_eq(known.nr, 1);
	cr_assert_eq(hidden(), 1);
}

Test(baseline, is_kept_per_process)
{
	char path[512];

	syn_take(s, slab, 3);
	hidden();
	baseline_add(&known, &scan);
	cr_assert_eq(baseline_save(&known, getpid(), path, sizeof(path)), 0);
	baseline_free(&known);
	cr_assert_eq(baseline_load(&known, getppid()), 0);
	cr_assert_eq(known.nr, 0);
}

Test(baseline, a_directory_of_somebody_else_is_refused)
{
	char path[512], bad[256];

	snprintf(bad, sizeof(bad), "%s/slabscope", directory);
	cr_assert_eq(mkdir(bad, 0777), 0);
	cr_assert_eq(chmod(bad, 0777), 0);
	cr_assert_neq(baseline_save(&known, getpid(), path, sizeof(path)), 0);
}
