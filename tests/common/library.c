/* SPDX-License-Identifier: BSD-2-Clause */
/* library.c - this program lies in build/tests, so the library is neither beside it nor in ../lib. */
#include "common/library.h"

#include <criterion/criterion.h>
#include <string.h>

Test(library, a_bare_name_when_it_is_nowhere)
{
	char path[256] = "";

	library_find(path, sizeof(path));
	cr_expect_str_eq(path, LIBRARY_NAME);
}

Test(library, a_short_buffer_is_kept_to)
{
	char path[8] = "1234567";

	library_find(path, 4);
	cr_expect_str_eq(path, "lib");
	cr_expect_eq(path[4], '5');
}
