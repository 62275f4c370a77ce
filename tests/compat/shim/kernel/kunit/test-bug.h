/* SPDX-License-Identifier: BSD-2-Clause */
/* kunit/test-bug.h: how code under test makes the running test fail. */
#ifndef TESTS_COMPAT_KUNIT_TEST_BUG_H
#define TESTS_COMPAT_KUNIT_TEST_BUG_H

void kunit_fail_current_test(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
