/* SPDX-License-Identifier: BSD-2-Clause */
/* script_names.c - names of a script's objects in a hash table; see script_names.h. */
#include "common/script_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 9

static int intern(struct script_names *names, const char *letters, uint32_t *index)
{
	size_t i, room = names->letters_room ? 2 * names->letters_room : 64;
	void *more;

	for (i = 0; i < names->nr_letters; i++)
		if (!strcmp(names->letters[i], letters))
			break;
	*index = (uint32_t)i;
	if (i < names->nr_letters)
		return 0;
	if (i == names->letters_room) {
		more = reallocarray(names->letters, room, sizeof(*names->letters));
		if (!more)
			return -ENOMEM;
		names->letters = more;
		names->letters_room = room;
	}
	snprintf(names->letters[names->nr_letters++], SCRIPT_LETTERS_BYTES, "%s", letters);
	return 0;
}

int script_names_parse(struct script_names *names, const char *text, size_t len, struct script_name *name)
{
	char letters[SCRIPT_LETTERS_BYTES];
	size_t digits = len;

	while (digits && text[digits - 1] >= '0' && text[digits - 1] <= '9')
		digits--;
	if (!digits || len - digits > MAX_DIGITS || digits + 2 > sizeof(letters))
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		if (strchr("=/.", text[i]))
			return -EINVAL;
	/* A dot in front keeps "a" and "a0" apart; names have none. */
	snprintf(letters, sizeof(letters), "%s%.*s", digits == len ? "." : "", (int)digits, text);
	name->number = 0;
	for (size_t i = digits; i < len; i++)
		name->number = 10 * name->number + (uint32_t)(text[i] - '0');
	return intern(names, letters, &name->letters);
}

const char *script_names_text(const struct script_names *names, struct script_name name, char buf[SCRIPT_NAME_TEXT_BYTES])
{
	const char *letters = names->letters[name.letters];

	if (*letters == '.')
		snprintf(buf, SCRIPT_NAME_TEXT_BYTES, "%s", letters + 1);
	else
		snprintf(buf, SCRIPT_NAME_TEXT_BYTES, "%s%u", letters, name.number);
	return buf;
}

static struct script_object *place(struct script_object *table, size_t room, struct script_name name)
{
	uint64_t hash = ((uint64_t)name.letters << 32 | name.number) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 20) & (room - 1);

	while (table[i].live && (table[i].name.letters != name.letters || table[i].name.number != name.number))
		i = (i + 1) & (room - 1);
	return &table[i];
}

static int grow(struct script_names *names)
{
	size_t room = names->room ? 2 * names->room : 256;
	struct script_object *table = calloc(room, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < names->room; i++)
		if (names->table[i].live)
			*place(table, room, names->table[i].name) = names->table[i];
	free(names->table);
	names->table = table;
	names->room = room;
	return 0;
}

struct script_object *script_names_place(struct script_names *names, struct script_name name)
{
	struct script_object *object;

	if (2 * names->nr_live >= names->room && grow(names))
		return NULL;
	object = place(names->table, names->room, name);
	object->name = name;
	return object;
}

void script_names_add(struct script_names *names, struct script_object *object)
{
	object->live = true;
	names->nr_live++;
}

/* What stands behind it moves up, so that a search may end at the first free entry. */
void script_names_remove(struct script_names *names, struct script_object *object)
{
	size_t mask = names->room - 1, i = (size_t)(object - names->table);

	object->live = false;
	names->nr_live--;
	for (i = (i + 1) & mask; names->table[i].live; i = (i + 1) & mask) {
		struct script_object moved = names->table[i];

		names->table[i].live = false;
		*place(names->table, names->room, moved.name) = moved;
	}
}

void script_names_free(struct script_names *names)
{
	free(names->letters);
	free(names->table);
}
