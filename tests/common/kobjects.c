/* SPDX-License-Identifier: BSD-2-Clause */
/* kobjects.c - what needs no BPF. The objects: tests/bpf/kobjects.sh. */
#include "common/kobjects.h"

#include <criterion/criterion.h>

Test(kobjects, lost_is_all_that_is_lost)
{
	const struct kobjects_totals totals = {
		.sum = { .null_frees = 1000, .failed = 1000, .duplicates = 1000, .lost = 1, .stale = 2, .uncounted = 1000 },
		.missed = 4,
	};

	cr_assert_eq(kobjects_lost(&totals), 7);
	kobjects_close(NULL);
}
