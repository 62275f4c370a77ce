/* SPDX-License-Identifier: BSD-2-Clause */
/* address_map.c - open addressing, at most two thirds full; see address_map.h. */
#include "kmemtrace/address_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct address_entry {
	uint64_t address; /* 0: free */
	void *value;
};

static size_t place(const struct address_map *map, uint64_t address)
{
	size_t mask = map->room - 1, i = (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 24) & mask;

	while (map->entry[i].address && map->entry[i].address != address)
		i = (i + 1) & mask;
	return i;
}

static int grow(struct address_map *map)
{
	struct address_map larger = { .room = map->room ? 2 * map->room : 64, .nr = map->nr };

	larger.entry = calloc(larger.room, sizeof(*larger.entry));
	if (!larger.entry)
		return -ENOMEM;
	for (size_t i = 0; i < map->room; i++)
		if (map->entry[i].address)
			larger.entry[place(&larger, map->entry[i].address)] = map->entry[i];
	free(map->entry);
	*map = larger;
	return 0;
}

int address_map_put(struct address_map *map, uint64_t address, void *value)
{
	size_t i;

	if (3 * map->nr >= 2 * map->room && grow(map))
		return -ENOMEM;
	i = place(map, address);
	map->nr += !map->entry[i].address;
	map->entry[i] = (struct address_entry){ address, value };
	return 0;
}

void *address_map_get(const struct address_map *map, uint64_t address)
{
	return map->room ? map->entry[place(map, address)].value : NULL;
}

/* Those behind it that are not at their first place move up. */
void *address_map_take(struct address_map *map, uint64_t address)
{
	size_t mask = map->room - 1, i, next;
	void *value;

	if (!map->room)
		return NULL;
	i = place(map, address);
	value = map->entry[i].value;
	if (!value)
		return NULL;
	map->entry[i] = (struct address_entry){ 0, NULL };
	map->nr--;
	for (next = (i + 1) & mask; map->entry[next].address; next = (next + 1) & mask) {
		struct address_entry moved = map->entry[next];

		map->entry[next] = (struct address_entry){ 0, NULL };
		map->entry[place(map, moved.address)] = moved;
	}
	return value;
}

void address_map_close(struct address_map *map)
{
	free(map->entry);
	memset(map, 0, sizeof(*map));
}
