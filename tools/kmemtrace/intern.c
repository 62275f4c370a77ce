/* SPDX-License-Identifier: BSD-2-Clause */
/* intern.c - see intern.h. */
#include "kmemtrace/intern.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 128u

static size_t seek(const struct intern *in, const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t at;

	for (const char *p = text; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	at = (h ^ h >> 32) & in->mask;
	while (in->index[at] && strcmp(in->text[in->index[at] - 1], text))
		at = (at + 1) & in->mask;
	return at;
}

/* The index stays at most half full. */
static bool grow(struct intern *in)
{
	size_t room = in->room ? in->room * 2 : FIRST_ROOM;
	char **text = realloc(in->text, room * sizeof(*text));
	uint32_t *index;

	if (!text)
		return false;
	in->text = text;
	index = calloc(room * 2, sizeof(*index));
	if (!index)
		return false;
	free(in->index);
	in->index = index;
	in->mask = room * 2 - 1;
	in->room = room;
	for (size_t i = 0; i < in->nr; i++)
		index[seek(in, text[i])] = (uint32_t)i + 1;
	return true;
}

uint32_t intern(struct intern *in, const char *text)
{
	size_t at;

	if (in->nr == in->room && !grow(in))
		return INTERN_FAILED;
	at = seek(in, text);
	if (in->index[at])
		return in->index[at] - 1;
	in->text[in->nr] = strdup(text);
	if (!in->text[in->nr])
		return INTERN_FAILED;
	in->index[at] = (uint32_t)++in->nr;
	return (uint32_t)in->nr - 1;
}

void intern_free(struct intern *in)
{
	for (size_t i = 0; i < in->nr; i++)
		free(in->text[i]);
	free(in->text);
	free(in->index);
	memset(in, 0, sizeof(*in));
}
