/* SPDX-License-Identifier: BSD-2-Clause */
/* bpfenv.c - errors name cause and remedy; kernel facts are parsed right. */
#include "common/bpfenv.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(bpfenv, id_lists)
{
	cr_assert_eq(bpfenv_parse_id_list("0\n"), 1);
	cr_assert_eq(bpfenv_parse_id_list("0-3\n"), 4);
	cr_assert_eq(bpfenv_parse_id_list("0-3,8\n"), 9);
	cr_assert_eq(bpfenv_parse_id_list("0,2-127"), 128);
	cr_assert_eq(bpfenv_parse_id_list(""), 0);
	cr_assert_eq(bpfenv_parse_id_list("none"), 0);
	cr_assert_geq(bpfenv_nr_cpus(), 1);
	cr_assert_geq(bpfenv_nr_nodes(), 1);
}

Test(bpfenv, errors_keep_their_number_and_fit)
{
	char err[256], tiny[8];

	cr_assert_eq(bpfenv_error(err, sizeof(err), -ENOSPC, "do it"), -ENOSPC);
	cr_assert_str_eq(err, "cannot do it: No space left on device");
	cr_assert_eq(bpfenv_error(err, sizeof(err), -ENOSYS, "do it"), -ENOSYS);
	cr_assert(strstr(err, "CONFIG_BPF_SYSCALL"));
	cr_assert_eq(bpfenv_fail(tiny, sizeof(tiny), -EIO, "%s", "far too long"), -EIO);
	cr_assert_str_eq(tiny, "far too");
}

Test(bpfenv, unknown_names)
{
	cr_assert_not(bpfenv_kernel_has_func("no_such_function_in_any_kernel"));
	cr_assert_not(bpfenv_kernel_has_field("no_such_structure", "x"));
	cr_assert_eq(bpfenv_kernel_symbol("no_such_symbol_in_any_kernel"), 0);
	cr_assert_eq(bpfenv_missed(-1), 0);
}

/* Needs BTF, as the tools do; without it everything is unknown. */
Test(bpfenv, known_names)
{
	if (!bpfenv_kernel_has_field("task_struct", "pid"))
		cr_skip_test("this kernel has no BTF");
	cr_assert(bpfenv_kernel_has_field("slab", "counters"), "a member of unnamed unions");
	cr_assert_not(bpfenv_kernel_has_field("slab", "no_such_member"));
}
