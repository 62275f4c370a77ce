/* SPDX-License-Identifier: BSD-2-Clause */
/* keys.c - tests of tools/slabtop/keys.c: sequences are swallowed whole, unknown keys do nothing. */
#include <criterion/criterion.h>
#include <string.h>

#include "slabtop/keys.h"

/* Feed all bytes; return the number of keys and the last one. */
static int feed(const char *bytes, struct key *key)
{
	struct key_decoder d = { 0 };
	int keys = 0;

	for (const char *p = bytes; *p; p++)
		keys += keys_feed(&d, (unsigned char)*p, key);
	if (keys_pending(&d) && keys_timeout(&d, key))
		keys++;
	return keys;
}

Test(keys, known_sequences)
{
	static const struct {
		const char *bytes;
		enum key_code code;
	} cases[] = {
		{ "\x1b[A", K_UP }, { "\x1bOA", K_UP }, { "\x1b[B", K_DOWN }, { "\x1bOB", K_DOWN },
		{ "\x1b[5~", K_PAGE_UP }, { "\x1b[6~", K_PAGE_DOWN }, { "\x1b[H", K_HOME }, { "\x1b[1~", K_HOME },
		{ "\x1b[7~", K_HOME }, { "\x1bOF", K_END }, { "\x1b[4~", K_END }, { "\x1b[8~", K_END },
		{ "\x1bOP", K_F1 }, { "\x1b[11~", K_F1 }, { "\x1b[[A", K_F1 }, { "\x1b[1;5B", K_DOWN },
		{ "\r", K_ENTER }, { "\n", K_ENTER }, { "\x7f", K_BACKSPACE }, { "\b", K_BACKSPACE },
		{ "\x0c", K_REDRAW }, { "\x1b", K_ESCAPE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct key key;

		cr_expect_eq(feed(cases[i].bytes, &key), 1, "case %zu", i);
		cr_expect_eq(key.code, cases[i].code, "case %zu: %d", i, key.code);
	}
}

Test(keys, unknown_sequences_are_one_unknown_key)
{
	static const char *const cases[] = {
		"\x1b[15~", "\x1b[Z", "\x1b[3~", "\x1b[200~", "\x1b[1;2S", "\x1b[?1;2c", "\x1b[[E", "\x1bOx", "\x1b" "b",
		"\t", "\x01", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\x1b[99999999999~",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct key key;

		cr_expect_eq(feed(cases[i], &key), 1, "case %zu", i);
		cr_expect_eq(key.code, K_UNKNOWN, "case %zu: %d", i, key.code);
		cr_expect_eq(key_action(&key), ACTION_NONE);
	}
}

Test(keys, half_a_sequence_is_forgotten)
{
	struct key key;

	cr_expect_eq(feed("\x1b[1;", &key), 0);
	cr_expect_eq(feed("\x1bO", &key), 0);
	cr_expect_eq(feed("\xe2\x82", &key), 0);
}

Test(keys, two_escapes_are_two_keys)
{
	struct key key;

	cr_expect_eq(feed("\x1b\x1b", &key), 2);
	cr_expect_eq(key.code, K_ESCAPE);
}

static enum action action_of(char ch)
{
	struct key key = { .code = K_CHAR, .ch = ch };

	return key_action(&key);
}

Test(keys, every_procps_letter_sorts)
{
	for (const char *p = "abclnopsuvABCLNOPSUV"; *p; p++)
		cr_expect_eq(action_of(*p), ACTION_SORT, "%c", *p);
	for (const char *p = "egifEGIF"; *p; p++)
		cr_expect_eq(action_of(*p), ACTION_SORT, "%c", *p);
}

Test(keys, other_letters)
{
	struct key enter = { .code = K_ENTER };

	cr_expect_eq(action_of('q'), ACTION_QUIT);
	cr_expect_eq(action_of(' '), ACTION_REFRESH);
	cr_expect_eq(action_of('h'), ACTION_HELP);
	cr_expect_eq(action_of('?'), ACTION_HELP);
	cr_expect_eq(action_of('j'), ACTION_DOWN);
	cr_expect_eq(action_of('k'), ACTION_UP);
	cr_expect_eq(action_of('t'), ACTION_POOLS);
	for (const char *p = "xXwWyYdD0123456789!@#$%^&*()[]{}"; *p; p++)
		cr_expect_eq(action_of(*p), ACTION_NONE, "%c", *p);
	cr_expect_eq(key_action(&enter), ACTION_NONE);
}
