/* SPDX-License-Identifier: BSD-2-Clause */
/* kstream.c - what needs no BPF. The stream itself: tests/bpf/kstream.sh. */
#include "common/kstream.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static char err[256];

Test(kstream, unknown_events)
{
	const struct kstream_options options = { .events = 1u << KMEM_EV_NR };
	struct kstream *s = NULL;

	cr_assert_eq(kstream_open(&s, &options, err, sizeof(err)), -EINVAL);
	cr_assert(strstr(err, "0x40"));
	cr_assert_null(s);
	kstream_close(NULL);
}
