/* SPDX-License-Identifier: BSD-2-Clause */
/* kunit.c - runs the registered KUnit suites, one line per case in the TAP format; main() of the kernel sources under test. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/random.h>

static struct kunit_suite *suites[8];
static struct kunit *current;

void kunit_register(struct kunit_suite *suite)
{
	unsigned int i = 0;

	while (suites[i])
		i++;
	suites[i] = suite;
}

u32 get_random_u32(void)
{
	const char *seed = getenv("COMPAT_SEED");
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return seed ? (u32)strtoul(seed, NULL, 0) : (u32)(now.tv_nsec ^ now.tv_sec << 10);
}

void kunit_check(struct kunit *test, bool ok, bool go_on, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	if (ok)
		return;
	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	test->failed = true;
	if (!go_on)
		longjmp(test->end, 1);
}

void kunit_fail_current_test(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	if (current)
		current->failed = true;
}

static bool run_case(const struct kunit_case *test)
{
	struct kunit state = { .name = test->name };

	current = &state;
	if (!setjmp(state.end))
		test->run(&state);
	current = NULL;
	printf("%s - %s\n", state.failed ? "not ok" : "ok", test->name);
	fflush(stdout);
	return !state.failed;
}

int main(void)
{
	const struct kunit_case *test;
	int failed = 0;
	unsigned int i;

	for (i = 0; suites[i]; i++) {
		if (suites[i]->suite_init && suites[i]->suite_init(suites[i]))
			return 1;
		for (test = suites[i]->test_cases; test->run; test++)
			failed += !run_case(test);
	}
	return failed != 0;
}
