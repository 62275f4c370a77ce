/* SPDX-License-Identifier: BSD-2-Clause */
/* text.c - appending to a bounded text; see text.h. */
#include "text/text.h"

void text_char(struct text *t, char c)
{
	if (t->len + 1 < t->bytes) {
		t->buf[t->len] = c;
		t->buf[t->len + 1] = '\0';
	}
	t->len++;
}

void text_string(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

static void blanks(struct text *t, int width, size_t len)
{
	while (width > 0 && (size_t)width-- > len)
		text_char(t, ' ');
}

void text_field(struct text *t, const char *s, int width)
{
	blanks(t, width, strlen(s));
	text_string(t, s);
	blanks(t, -width, strlen(s));
}

/* The digits of n, at least `least` of them, at the end of buf[24]. Return: the first. */
static char *digits(char *buf, uint64_t n, int least)
{
	char *at = buf + 23;

	*at = '\0';
	for (; n || least > 0; n /= 10, least--)
		*--at = (char)('0' + n % 10);
	return at;
}

void text_number(struct text *t, uint64_t n, int width)
{
	char buf[24];

	text_field(t, digits(buf, n, 1), width);
}

void text_milli(struct text *t, int n, int width)
{
	unsigned int magnitude = n < 0 ? 0u - (unsigned int)n : (unsigned int)n;
	char buf[24], *at = digits(buf, magnitude % 1000, 3);

	*--at = '.';
	magnitude /= 1000;
	do {
		*--at = (char)('0' + magnitude % 10);
		magnitude /= 10;
	} while (magnitude);
	if (n < 0)
		*--at = '-';
	text_field(t, at, width);
}
