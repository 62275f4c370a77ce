/* SPDX-License-Identifier: BSD-2-Clause */
/* lab_module.c - without the module it says so. With it: tests/vm/placement.sh. */
#include "common/lab.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

Test(lab_module, no_module)
{
	struct script script;
	struct lab lab;
	char err[256];

	if (!access("/dev/kmemlab", F_OK))
		cr_skip_test("it is loaded here");
	cr_assert_eq(script_parse(&script, "t", "cache c size=8", err, sizeof(err)), 0);
	cr_assert_eq(lab_open_module(&lab, &script), -ENOTSUP);
	cr_assert(strstr(lab.err, "load the module kmemlab"));
	lab_close(&lab);
	script_free(&script);
}
