/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading ourselves copies exactly what was asked for, whatever the alignment. */
#include "support.h"

#include "base/observe.h"
#include "entry/source.h"

Test(source, any_alignment_and_length)
{
	const struct text_source self = source_self();
	uint8_t from[64], to[64];
	size_t start, len, i;

	for (i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i + 1);
	for (start = 0; start < 9; start++) {
		for (len = 0; len < 40; len++) {
			memset(to, 0, sizeof(to));
			cr_assert_eq(self.read(self.context, (uintptr_t)from + start, to, len), 0);
			cr_assert_eq(memcmp(to, from + start, len), 0);
			cr_assert_eq(to[len], 0);
		}
	}
	cr_expect_eq(self.root, &observe_root);
}
