/* SPDX-License-Identifier: BSD-2-Clause */
/* lab_messages.c - what it cannot do is said. What it can: tests/kmemtrace/placement.sh. */
#include "common/lab.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void refused(const char *text, const char *message)
{
	struct script script;
	struct lab lab;
	char err[256];
	int rc;

	cr_assert_eq(script_parse(&script, "t", text, err, sizeof(err)), 0);
	rc = lab_open_messages(&lab, &script);
	cr_assert_lt(rc, 0);
	/* Without BPF it does not come so far. */
	if (rc == -ENOTSUP && !strstr(lab.err, "BPF"))
		cr_assert(strstr(lab.err, message), "%s", lab.err);
	cr_assert(*lab.err && !strchr(lab.err, '\n'));
	lab_close(&lab);
	script_free(&script);
}

Test(lab_messages, refusals)
{
	refused("cache c size=200", "private caches of 64");
	refused("cache c size=192 ctor", "no flags only");
	refused("cache c size=192; cache d size=192", "only one cache of each size");
}
