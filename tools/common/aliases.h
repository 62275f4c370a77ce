/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aliases.h - the names of kernel caches that were merged.
 *
 * The kernel serves like caches from one and keeps the first creator's name.
 * The others remain as symbolic links in /sys/kernel/slab, all to one folder
 * (":0000064"): names that link to the same folder are the same cache.
 */
#ifndef COMMON_ALIASES_H
#define COMMON_ALIASES_H

#include <stddef.h>

struct aliases;

/*
 * Reads a folder like /sys/kernel/slab. Returns 0 or -errno: -ENOENT, -EACCES
 * (nothing to free), -ENOMEM.
 */
int aliases_read(const char *folder, struct aliases **aliases);

/*
 * The other names of the cache called `name`, sorted; valid until aliases_free().
 * Returns their number, 0 also for NULL aliases and for a name not known.
 */
size_t aliases_of(const struct aliases *aliases, const char *name, const char *const **names);

/* 1 if the folder knew a cache of this name, under its own folder or as a link. */
int aliases_know(const struct aliases *aliases, const char *name);

void aliases_free(struct aliases *aliases);

#endif
