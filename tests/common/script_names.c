/* SPDX-License-Identifier: BSD-2-Clause */
/* script_names.c - names live and end in any order. */
#include "common/script_names.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

Test(script_names, parse)
{
	struct script_names names = { 0 };
	struct script_name a, b;
	char text[SCRIPT_NAME_TEXT_BYTES];

	cr_assert_eq(script_names_parse(&names, "ab12", 4, &a), 0);
	cr_assert_eq(a.number, 12);
	cr_assert_str_eq(script_names_text(&names, a, text), "ab12");
	cr_assert_eq(script_names_parse(&names, "ab", 2, &b), 0);
	cr_assert_neq(a.letters, b.letters, "ab and ab0 differ");
	cr_assert_str_eq(script_names_text(&names, b, text), "ab");
	cr_assert_eq(script_names_parse(&names, "12", 2, &a), -EINVAL);
	cr_assert_eq(script_names_parse(&names, "", 0, &a), -EINVAL);
	cr_assert_eq(script_names_parse(&names, "a1234567890", 11, &a), -EINVAL);
	cr_assert_eq(script_names_parse(&names, "a.b", 3, &a), -EINVAL);
	script_names_free(&names);
}

/* Against a plain array. */
Test(script_names, as_an_array)
{
	enum { NAMES = 3000 };
	struct script_names names = { 0 };
	static bool live[NAMES];
	struct script_name name;
	unsigned int seed = 3;

	cr_assert_eq(script_names_parse(&names, "x0", 2, &name), 0);
	for (int i = 0; i < 60000; i++) {
		struct script_object *object;
		int n = rand_r(&seed) % NAMES;

		name.number = (uint32_t)n;
		object = script_names_place(&names, name);
		cr_assert_not_null(object);
		cr_assert_eq(object->live, live[n]);
		if (live[n]) {
			cr_assert_eq(object->id, (uint32_t)n + 1);
			script_names_remove(&names, object);
		} else {
			object->id = (uint32_t)n + 1;
			script_names_add(&names, object);
		}
		live[n] = !live[n];
	}
	script_names_free(&names);
}
