/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys.h - from the bytes of a terminal to keys, and from keys to actions.
 *
 * Bytes are decoded here and not by ncurses, because a sequence that terminfo
 * does not know must be swallowed whole: read byte by byte, an unknown arrow
 * key ends in a letter that is a sort key.
 */
#ifndef SLABTOP_KEYS_H
#define SLABTOP_KEYS_H

#include <stdbool.h>

enum key_code {
	K_CHAR,      /* key.ch: printable ASCII */
	K_UP, K_DOWN, K_PAGE_UP, K_PAGE_DOWN, K_HOME, K_END,
	K_F1,
	K_ENTER, K_BACKSPACE, K_ESCAPE,
	K_REDRAW,    /* ^L */
	K_UNKNOWN,   /* complete, and nothing that we know */
};

struct key {
	enum key_code code;
	char ch;
};

/* Zeroed: between two keys. */
struct key_decoder {
	enum { KEYS_GROUND, KEYS_ESCAPE, KEYS_CSI, KEYS_SS3, KEYS_CONSOLE, KEYS_UTF8 } state;
	unsigned int number;    /* first parameter of a CSI sequence */
	bool more;              /* a second parameter has begun */
	unsigned int skip;      /* bytes of a UTF-8 character to come */
};

/* How long to wait for the rest of a sequence before a lone ESC counts as a key. */
#define KEYS_TIMEOUT_MS 60

/* Take one byte. True when it completes *key. */
bool keys_feed(struct key_decoder *d, unsigned char byte, struct key *key);

/* Is there half a sequence? */
static inline bool keys_pending(const struct key_decoder *d)
{
	return d->state != KEYS_GROUND;
}

/* Nothing more came. True when that makes *key (a lone ESC); forgets the rest. */
bool keys_timeout(struct key_decoder *d, struct key *key);

enum action {
	ACTION_NONE,
	ACTION_QUIT,
	ACTION_REFRESH,
	ACTION_REDRAW,
	ACTION_SORT,    /* by key.ch */
	ACTION_REVERSE,
	ACTION_UP, ACTION_DOWN, ACTION_PAGE_UP, ACTION_PAGE_DOWN, ACTION_HOME, ACTION_END,
	ACTION_HELP,
	ACTION_PAUSE,
	ACTION_HUMAN,
	ACTION_POOLS,   /* pools or caches */
	ACTION_FASTER, ACTION_SLOWER,
	ACTION_FILTER, ACTION_CLEAR_FILTER,
};

/* What a key does on the table. ACTION_NONE for all others: they change nothing. */
enum action key_action(const struct key *key);

#endif
