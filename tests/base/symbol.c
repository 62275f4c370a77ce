/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of code addresses, as the kernel's %pS prints them. */
#include "support.h"

#include <gnu/libc-version.h>

#include "base/symbol.h"

static noinline void local_function(void)
{
	__asm__ volatile("nop\n\tnop" ::: "memory");
}

Test(symbol, static_functions_have_names)
{
	char buf[128], start[64];
	unsigned int size;

	local_function();
	symbol_format(buf, sizeof(buf), (char *)(uintptr_t)local_function + 1);
	cr_assert_eq(sscanf(buf, "local_function+0x1/0x%x", &size), 1, "%s", buf);
	cr_expect_gt(size, 1);
	snprintf(start, sizeof(start), "local_function+0x0/0x%x", size);
	cr_expect_str_eq(symbol_format(buf, sizeof(buf), (void *)(uintptr_t)local_function), start);
}

Test(symbol, libraries_are_named)
{
	char buf[128];

	symbol_format(buf, sizeof(buf), (void *)(uintptr_t)gnu_get_libc_version);
	cr_expect(strstr(buf, "+0x") && strstr(buf, " [libc.so.6]"), "%s", buf);
}

Test(symbol, what_is_no_code_is_a_number)
{
	char buf[128], want[32];
	void *anonymous = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_expect_str_eq(symbol_format(buf, sizeof(buf), (void *)16), "0x10");
	snprintf(want, sizeof(want), "%p", anonymous);
	cr_expect_str_eq(symbol_format(buf, sizeof(buf), anonymous), want);
}

Test(symbol, a_small_buffer_is_not_overrun)
{
	char buf[8] = "1234567";

	symbol_format(buf, 4, (void *)(uintptr_t)gnu_get_libc_version);
	cr_expect_eq(strlen(buf), 3);
	cr_expect_eq(buf[4], '5');
}
