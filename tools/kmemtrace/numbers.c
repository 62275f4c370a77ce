/* SPDX-License-Identifier: BSD-2-Clause */
/* numbers.c - an open hash table, at most half full. */
#include "kmemtrace/numbers.h"

#include <stdlib.h>

#define FIRST 256

static struct number *place_of(struct number *table, size_t room, uint64_t key)
{
	size_t i = (size_t)((key ^ key >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> 24) & (room - 1);

	while (table[i].used && table[i].key != key)
		i = (i + 1) & (room - 1);
	return &table[i];
}

static int grow(struct numbers *n)
{
	size_t room = n->room ? 2 * n->room : FIRST;
	struct number *table = calloc(room, sizeof(*table));

	if (!table)
		return -1;
	for (size_t i = 0; i < n->room; i++)
		if (n->table[i].used)
			*place_of(table, room, n->table[i].key) = n->table[i];
	free(n->table);
	n->table = table;
	n->room = room;
	return 0;
}

uint32_t *numbers_at(struct numbers *n, uint64_t key)
{
	struct number *place;

	if (n->nr >= n->room / 2 && grow(n))
		return NULL;
	place = place_of(n->table, n->room, key);
	if (!place->used) {
		*place = (struct number){ .key = key, .used = 1 };
		n->nr++;
	}
	return &place->number;
}

void numbers_free(struct numbers *n)
{
	free(n->table);
	*n = (struct numbers){ 0 };
}
