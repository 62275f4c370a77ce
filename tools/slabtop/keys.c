/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys.c - a small decoder for what terminals send, and the table of keys.
 */
#include "slabtop/keys.h"

#include <ctype.h>

#include "common/rows.h"

static bool done(struct key_decoder *d, struct key *key, enum key_code code)
{
	*d = (struct key_decoder){ 0 };
	*key = (struct key){ .code = code };
	return true;
}

/* Last letter of ESC [ x or ESC O x. */
static enum key_code letter_key(unsigned char byte)
{
	switch (byte) {
	case 'A':
		return K_UP;
	case 'B':
		return K_DOWN;
	case 'H':
		return K_HOME;
	case 'F':
		return K_END;
	case 'P':
		return K_F1;
	default:
		return K_UNKNOWN;
	}
}

/* Number of ESC [ n ~. */
static enum key_code number_key(unsigned int number)
{
	switch (number) {
	case 1:
	case 7:
		return K_HOME;
	case 4:
	case 8:
		return K_END;
	case 5:
		return K_PAGE_UP;
	case 6:
		return K_PAGE_DOWN;
	case 11:
		return K_F1;
	default:
		return K_UNKNOWN;
	}
}

/* Parameters and intermediate bytes up to the final one (ECMA-48, 5.4). */
static bool feed_csi(struct key_decoder *d, unsigned char byte, struct key *key)
{
	if (byte >= 0x40 && byte <= 0x7e) {
		if (byte == '[' && !d->number && !d->more) {
			d->state = KEYS_CONSOLE; /* Linux console: ESC [ [ A is F1 */
			return false;
		}
		return done(d, key, byte == '~' ? number_key(d->number) : letter_key(byte));
	}
	if (byte < 0x20)
		return done(d, key, K_UNKNOWN);
	if (!isdigit(byte))
		d->more = true;
	else if (!d->more && d->number < 1000)
		d->number = d->number * 10 + (byte - '0');
	return false;
}

static bool feed_escape(struct key_decoder *d, unsigned char byte, struct key *key)
{
	switch (byte) {
	case '[':
		d->state = KEYS_CSI;
		return false;
	case 'O':
		d->state = KEYS_SS3;
		return false;
	case 0x1b:
		*key = (struct key){ .code = K_ESCAPE };
		return true; /* and another one has begun */
	default:
		return done(d, key, K_UNKNOWN); /* Alt and a key */
	}
}

static bool feed_ground(struct key_decoder *d, unsigned char byte, struct key *key)
{
	if (byte == 0x1b) {
		d->state = KEYS_ESCAPE;
		return false;
	}
	if (byte >= 0xc0) {
		d->state = KEYS_UTF8;
		d->skip = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
		return false;
	}
	if (byte >= ' ' && byte < 127) {
		*key = (struct key){ .code = K_CHAR, .ch = (char)byte };
		return true;
	}
	if (byte == '\r' || byte == '\n')
		return done(d, key, K_ENTER);
	if (byte == 127 || byte == '\b')
		return done(d, key, K_BACKSPACE);
	return done(d, key, byte == 12 ? K_REDRAW : K_UNKNOWN);
}

bool keys_feed(struct key_decoder *d, unsigned char byte, struct key *key)
{
	switch (d->state) {
	case KEYS_ESCAPE:
		return feed_escape(d, byte, key);
	case KEYS_CSI:
		return feed_csi(d, byte, key);
	case KEYS_SS3:
		return done(d, key, letter_key(byte));
	case KEYS_CONSOLE:
		return done(d, key, byte == 'A' ? K_F1 : K_UNKNOWN);
	case KEYS_UTF8:
		if ((byte & 0xc0) == 0x80 && --d->skip)
			return false;
		return done(d, key, K_UNKNOWN);
	case KEYS_GROUND:
		break;
	}
	return feed_ground(d, byte, key);
}

bool keys_timeout(struct key_decoder *d, struct key *key)
{
	bool lone = d->state == KEYS_ESCAPE;

	return done(d, key, K_ESCAPE) && lone;
}

static const struct {
	char ch;
	enum action action;
} actions[] = {
	{ 'q', ACTION_QUIT },	{ 'Q', ACTION_QUIT },	 { ' ', ACTION_REFRESH }, { 'r', ACTION_REVERSE },
	{ 'R', ACTION_REVERSE }, { 'k', ACTION_UP },	 { 'j', ACTION_DOWN },	  { 'h', ACTION_HELP },
	{ '?', ACTION_HELP },	{ 'z', ACTION_PAUSE },	 { 'm', ACTION_HUMAN },	  { '+', ACTION_SLOWER },
	{ '-', ACTION_FASTER }, { '/', ACTION_FILTER }, { '\\', ACTION_CLEAR_FILTER },
	{ 't', ACTION_POOLS },	{ 'T', ACTION_POOLS },
};

static enum action char_action(char ch)
{
	for (unsigned int i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (actions[i].ch == ch)
			return actions[i].action;
	return rows_key_is_valid(ch) ? ACTION_SORT : ACTION_NONE;
}

enum action key_action(const struct key *key)
{
	switch (key->code) {
	case K_CHAR:
		return char_action(key->ch);
	case K_UP:
		return ACTION_UP;
	case K_DOWN:
		return ACTION_DOWN;
	case K_PAGE_UP:
		return ACTION_PAGE_UP;
	case K_PAGE_DOWN:
		return ACTION_PAGE_DOWN;
	case K_HOME:
		return ACTION_HOME;
	case K_END:
		return ACTION_END;
	case K_F1:
		return ACTION_HELP;
	case K_REDRAW:
		return ACTION_REDRAW;
	case K_ENTER:
	case K_BACKSPACE:
	case K_ESCAPE:
	case K_UNKNOWN:
		break;
	}
	return ACTION_NONE;
}
