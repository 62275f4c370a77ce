/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_names.h - the names of a script's objects, and which of them are live.
 *
 * Pointers to entries are good until the next call of script_names_place().
 */
#ifndef COMMON_SCRIPT_NAMES_H
#define COMMON_SCRIPT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_LETTERS_BYTES 40

/* "a7": the letters by their index, and the number. */
struct script_name {
	uint32_t letters, number;
};

struct script_object {
	struct script_name name;
	uint32_t id;
	uint8_t cache;
	bool live;
};

struct script_names {
	char (*letters)[SCRIPT_LETTERS_BYTES];
	size_t nr_letters, letters_room;
	struct script_object *table; /* open addressing */
	size_t room, nr_live;
};

/* Return 0, -EINVAL when text[0 .. len) is no name, -ENOMEM. */
int script_names_parse(struct script_names *names, const char *text, size_t len, struct script_name *name);

/* The name as it was written but for leading zeros. Return buf. */
#define SCRIPT_NAME_TEXT_BYTES 56
const char *script_names_text(const struct script_names *names, struct script_name name, char buf[SCRIPT_NAME_TEXT_BYTES]);

/* The entry of a name; not live: where it would stand. NULL without memory. */
struct script_object *script_names_place(struct script_names *names, struct script_name name);

/* Make an entry live, or no more. */
void script_names_add(struct script_names *names, struct script_object *object);
void script_names_remove(struct script_names *names, struct script_object *object);

void script_names_free(struct script_names *names);

#endif
