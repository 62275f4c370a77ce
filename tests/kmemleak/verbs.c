/* SPDX-License-Identifier: BSD-2-Clause */
/* verbs.c - what each verb prints and returns for a child process. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "kmemleak/verbs.h"
#include "kmemleak/victim.h"

static struct victim *v;
static struct settings settings = { .report.limit = 100 };
static volatile sig_atomic_t interrupted;
static char *text;
static char directory[] = "/tmp/test-verbs-XX" "XX" "XX";

static void setup(void)
{
	cr_redirect_stderr();
	cr_redirect_stdout();
	cr_assert_not_null(mkdtemp(directory));
	setenv("XDG_RUNTIME_DIR", directory, 1);
	v = victim_start();
}

static void teardown(void)
{
	char command[128];

	victim_stop(v);
	free(text);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(verbs, .init = setup, .fini = teardown, .timeout = 60);

static int run(void)
{
	struct output o;
	size_t bytes;
	FILE *f;
	int code;

	free(text);
	f = open_memstream(&text, &bytes);
	output_init(&o, f, OUTPUT_TEXT);
	code = verb_run(v->target.pid, &settings, &o, &interrupted);
	fclose(f);
	return code;
}

Test(verbs, scan)
{
	cr_assert_eq(run(), EXIT_LEAKS);
	cr_assert(strstr(text, "5 unreferenced objects"), "%s", text);
}

Test(verbs, filters_decide_on_the_exit_code)
{
	settings.cache = "ke*";
	cr_assert_eq(run(), 0);
	settings.cache = "go*";
	cr_assert_eq(run(), EXIT_LEAKS);
	settings.min_bytes = 65;
	cr_assert_eq(run(), 0);
	settings.min_bytes = 64;
	cr_assert_eq(run(), EXIT_LEAKS);
}

Test(verbs, clear_hides_until_there_is_more)
{
	settings.verb = VERB_CLEAR;
	cr_assert_eq(run(), 0);
	settings.verb = VERB_SCAN;
	cr_assert_eq(run(), 0);
	cr_assert(strstr(text, "no leaks"), "%s", text);
	victim_lose(v, 2);
	cr_assert_eq(run(), EXIT_LEAKS);
	cr_assert(strstr(text, "2 unreferenced objects"), "%s", text);
	settings.verb = VERB_CLEAR;
	cr_assert_eq(run(), 0);
	settings.verb = VERB_SCAN;
	cr_assert_eq(run(), 0);
}

Test(verbs, dump)
{
	settings.verb = VERB_DUMP;
	settings.address = ~v->large + 4096;
	cr_assert_eq(run(), 0);
	cr_assert(strstr(text, "(size 100000)"), "%s", text);
	cr_assert(strstr(text, "reachable"), "%s", text);
	cr_assert(strstr(text, "    data at 0x"), "%s", text);
	settings.address = 4096;
	cr_assert_eq(run(), 1);
}

Test(verbs, a_repeated_scan_reports_each_leak_once_and_ends_with_the_process)
{
	settings.period_ms = 50;
	if (!fork()) {
		usleep(200000);
		v->lose_more = 3;
		usleep(300000);
		kill(v->pid, SIGKILL);
		_exit(0);
	}
	cr_assert_eq(run(), EXIT_LEAKS);
	cr_assert(strstr(text, "5 unreferenced objects"), "%s", text);
	cr_assert(strstr(text, "no leaks"), "%s", text);
	cr_assert(strstr(text, "3 unreferenced objects"), "%s", text);
}

Test(verbs, a_repeated_scan_ends_when_interrupted)
{
	settings.period_ms = 50;
	interrupted = 1;
	cr_assert_eq(run(), EXIT_LEAKS);
}

Test(verbs, no_such_process)
{
	victim_kill(v);
	cr_assert_eq(run(), 1);
	cr_assert_str_empty(text);
}

Test(verbs, worse)
{
	cr_assert_eq(verb_worse(0, 0), 0);
	cr_assert_eq(verb_worse(0, EXIT_LEAKS), EXIT_LEAKS);
	cr_assert_eq(verb_worse(1, EXIT_LEAKS), 1);
	cr_assert_eq(verb_worse(EXIT_LEAKS, 1), 1);
}
