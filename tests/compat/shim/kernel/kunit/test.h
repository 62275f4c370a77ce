/* SPDX-License-Identifier: BSD-2-Clause */
/* kunit/test.h for the kernel's KUnit tests as programs: suites register themselves, kunit.c runs them. */
#ifndef TESTS_COMPAT_KUNIT_TEST_H
#define TESTS_COMPAT_KUNIT_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <linux/kernel.h>
#include <linux/module.h>

struct kunit {
	const char *name;
	bool failed;
	jmp_buf end;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	int (*suite_init)(struct kunit_suite *suite);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function) { .run = function, .name = #function }

void kunit_register(struct kunit_suite *suite);

#define kunit_test_suite(suite)                                              \
	__attribute__((constructor)) static void register_##suite(void)      \
	{                                                                    \
		kunit_register(&suite);                                      \
	}

#define kunit_info(of, fmt, ...) printf("# %s: " fmt, (of)->name, ##__VA_ARGS__)

/* Says what failed; does not return when the test cannot go on. */
void kunit_check(struct kunit *test, bool ok, bool go_on, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

#define KUNIT_CHECK(test, ok, go_on, ...) kunit_check(test, ok, go_on, __FILE__, __LINE__, __VA_ARGS__)

#define KUNIT_EXPECT_TRUE(test, e)              KUNIT_CHECK(test, !!(e), true, "%s is false\n", #e)
#define KUNIT_EXPECT_FALSE(test, e)             KUNIT_CHECK(test, !(e), true, "%s is true\n", #e)
#define KUNIT_EXPECT_EQ(test, a, b)             KUNIT_CHECK(test, (a) == (b), true, "%s != %s\n", #a, #b)
#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)    KUNIT_CHECK(test, (a) == (b), true, __VA_ARGS__)
#define KUNIT_ASSERT_EQ(test, a, b)             KUNIT_CHECK(test, (a) == (b), false, "%s != %s\n", #a, #b)
#define KUNIT_ASSERT_TRUE_MSG(test, e, ...)     KUNIT_CHECK(test, !!(e), false, __VA_ARGS__)
#define KUNIT_ASSERT_FALSE_MSG(test, e, ...)    KUNIT_CHECK(test, !(e), false, __VA_ARGS__)

#endif
