/* SPDX-License-Identifier: BSD-2-Clause */
/* symbols.c - tests of tools/common/symbols.c: own functions, libraries, unknown places, the kernel. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/symbols.h"

int symbols_test_function(int x);

__attribute__((noinline)) int symbols_test_function(int x)
{
	return x * 3;
}

Test(symbols, own_function)
{
	struct symbols *s;
	char err[256], buf[SYMBOLS_NAME_BYTES], want[64];
	uint64_t addr = (uintptr_t)symbols_test_function;

	cr_assert_eq(symbols_open(&s, getpid(), err, sizeof(err)), 0, "%s", err);
	symbols_name(s, addr, buf, sizeof(buf));
	snprintf(want, sizeof(want), "symbols_test_function+0x0 [");
	cr_expect_eq(strncmp(buf, want, strlen(want)), 0, "%s", buf);
	symbols_name(s, addr + 1, buf, sizeof(buf));
	cr_expect_not_null(strstr(buf, "symbols_test_function+0x1 ["), "%s", buf);
	symbols_frame(s, addr + 1, buf, sizeof(buf));
	cr_expect_eq(strncmp(buf, "symbols_test_function+0x1/0x", 28), 0, "%s", buf);
	cr_expect_str_eq(strchr(buf, ' '), strchr(symbols_name(s, addr, want, sizeof(want)), ' '), "%s", buf);
	cr_expect_eq(symbols_refresh(s), 0);
	symbols_name(s, addr, buf, sizeof(buf));
	cr_expect_eq(strncmp(buf, want, strlen(want)), 0, "%s", buf);
	symbols_close(s);
}

Test(symbols, function_of_a_library)
{
	struct symbols *s;
	char err[256], buf[SYMBOLS_NAME_BYTES];

	cr_assert_eq(symbols_open(&s, getpid(), err, sizeof(err)), 0, "%s", err);
	symbols_name(s, (uintptr_t)fclose, buf, sizeof(buf));
	cr_expect_not_null(strstr(buf, "+0x"), "%s", buf);
	symbols_close(s);
}

Test(symbols, outside_all_modules)
{
	struct symbols *s;
	char err[256], buf[SYMBOLS_NAME_BYTES];

	cr_assert_eq(symbols_open(&s, getpid(), err, sizeof(err)), 0, "%s", err);
	cr_expect_str_eq(symbols_name(s, 0x10, buf, sizeof(buf)), "0x10");
	cr_expect_str_eq(symbols_name(s, 0x10, buf, 4), "0x1");
	symbols_close(s);
}

Test(symbols, no_such_process)
{
	struct symbols *s;
	char err[256];

	cr_expect_eq(symbols_open(&s, 0x3ffffff, err, sizeof(err)), -ESRCH);
	cr_expect_str_eq(err, "no process with PID 67108863");
	cr_expect_null(s);
	symbols_close(NULL);
}

Test(symbols, kernel_function)
{
	struct symbols *s;
	char err[256], buf[SYMBOLS_NAME_BYTES], line[512];
	unsigned long long addr = 0;
	FILE *f = fopen("/proc/kallsyms", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " T kfree\n"))
			sscanf(line, "%llx", &addr);
	if (f)
		fclose(f);
	if (!addr)
		cr_skip("kallsyms hidden");
	cr_assert_eq(symbols_open(&s, 0, err, sizeof(err)), 0, "%s", err);
	cr_expect_str_eq(symbols_name(s, addr + 5, buf, sizeof(buf)), "kfree+0x5");
	cr_expect_str_eq(symbols_name(s, 1, buf, sizeof(buf)), "0x1");
	symbols_frame(s, addr + 5, buf, sizeof(buf));
	cr_expect_eq(strncmp(buf, "kfree+0x5/0x", 12), 0, "%s", buf);
	cr_expect_str_eq(symbols_frame(s, 1, buf, sizeof(buf)), "0x1");
	symbols_close(s);
}
