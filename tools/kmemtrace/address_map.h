/* SPDX-License-Identifier: BSD-2-Clause */
/* address_map.h - a hash table from addresses (not 0) to pointers (not NULL). Zeroed memory is an empty one. */
#ifndef KMEMTRACE_ADDRESS_MAP_H
#define KMEMTRACE_ADDRESS_MAP_H

#include <stddef.h>
#include <stdint.h>

struct address_map {
	struct address_entry *entry;
	size_t room, nr;
};

/* Return 0 or -ENOMEM. Replaces what was there. */
int address_map_put(struct address_map *map, uint64_t address, void *value);

/* NULL when it is not there; take also removes it. */
void *address_map_get(const struct address_map *map, uint64_t address);
void *address_map_take(struct address_map *map, uint64_t address);

void address_map_close(struct address_map *map);

#endif
