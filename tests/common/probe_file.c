/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_file.c - the file with the probes is found among all that a process maps. */
#include "common/probe_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/sdt.h>
#include <unistd.h>

__attribute__((noipa)) static void fire(int a)
{
	DTRACE_PROBE1(probe_file_test, only, a);
}

static char err[256];
static int some_data = 1;

Test(probe_file, own_executable)
{
	struct probe_file file;

	fire(some_data);
	cr_assert_eq(probe_file_find(getpid(), "probe_file_test", 0, &file, err, sizeof(err)), 0,
		     "%s", err);
	cr_assert_eq(file.nr_probes, 1);
	cr_assert_str_eq(file.probes[0].name, "only");
	cr_assert_eq(access(file.path, R_OK), 0);
	cr_assert_eq(file.name[0], '/');
	probe_file_free(&file);
}

/* The address of data leads to the file whose code lies before it. */
Test(probe_file, near_address)
{
	struct probe_file file;

	cr_assert_eq(probe_file_find(getpid(), "probe_file_test", (uintptr_t)&some_data, &file, err,
				     sizeof(err)), 0, "%s", err);
	probe_file_free(&file);
	cr_assert_eq(probe_file_find(getpid(), "probe_file_test", 4096, &file, err, sizeof(err)),
		     -ENOENT, "nothing lies below this address");
}

Test(probe_file, none)
{
	struct probe_file file;

	cr_assert_eq(probe_file_find(getpid(), "nobody", 0, &file, err, sizeof(err)), -ENOENT);
	cr_assert(strstr(err, "no nobody probes"));
	cr_assert_null(strchr(err, '\n'));
	cr_assert_eq(probe_file_find(999999999, "kmem", 0, &file, err, sizeof(err)), -ESRCH);
}
