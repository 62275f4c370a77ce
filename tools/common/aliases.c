// SPDX-License-Identifier: BSD-2-Clause
/* aliases.c - groups the names in /sys/kernel/slab by the cache that they stand for. */
#include "common/aliases.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One name, and the folder that it is or links to. */
struct entry {
	char *name;
	char *folder;
	const char **others; /* names of the same cache, sorted */
	size_t nr_others;
};

struct aliases {
	struct entry *entries; /* sorted by folder, then name */
	size_t nr, room;
	const struct entry **by_name;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->folder, y->folder);

	return order ? order : strcmp(x->name, y->name);
}

static int compare_names(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int add_entry(struct aliases *aliases, const char *name, const char *folder)
{
	size_t room = aliases->room ? 2 * aliases->room : 512;
	struct entry *entry;

	if (aliases->nr == aliases->room) {
		entry = reallocarray(aliases->entries, room, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		aliases->entries = entry;
		aliases->room = room;
	}
	entry = &aliases->entries[aliases->nr];
	*entry = (struct entry){ .name = strdup(name), .folder = strdup(folder) };
	aliases->nr++;
	return entry->name && entry->folder ? 0 : -ENOMEM;
}

/* A link counts for its target's last component, a folder for itself. */
static int take_dirent(struct aliases *aliases, int dir, const char *name)
{
	char target[PATH_MAX];
	const char *folder = name;
	ssize_t len;

	if (name[0] == '.')
		return 0;
	len = readlinkat(dir, name, target, sizeof(target) - 1);
	if (len >= 0) {
		target[len] = '\0';
		folder = strrchr(target, '/');
		folder = folder ? folder + 1 : target;
	}
	return add_entry(aliases, name, folder);
}

static int sort(struct aliases *aliases)
{
	size_t i;

	if (aliases->nr)
		qsort(aliases->entries, aliases->nr, sizeof(*aliases->entries), compare_entries);
	aliases->by_name = calloc(aliases->nr + 1, sizeof(*aliases->by_name));
	if (!aliases->by_name)
		return -ENOMEM;
	for (i = 0; i < aliases->nr; i++)
		aliases->by_name[i] = &aliases->entries[i];
	qsort(aliases->by_name, aliases->nr, sizeof(*aliases->by_name), compare_names);
	return 0;
}

/*
 * Gives an entry the list of its group's other names. A folder called ":..." is
 * the kernel's label for a merged cache and no name of a cache.
 */
static int list_others(struct aliases *aliases, size_t index, size_t start, size_t end)
{
	struct entry *entry = &aliases->entries[index];
	size_t i;

	entry->others = calloc(end - start + 1, sizeof(*entry->others));
	if (!entry->others)
		return -ENOMEM;
	for (i = start; i < end; i++)
		if (i != index && aliases->entries[i].name[0] != ':')
			entry->others[entry->nr_others++] = aliases->entries[i].name;
	return 0;
}

static int group(struct aliases *aliases)
{
	size_t start, end, i;
	int ret = 0;

	for (start = 0; start < aliases->nr && !ret; start = end) {
		end = start + 1;
		while (end < aliases->nr &&
		       strcmp(aliases->entries[end].folder, aliases->entries[start].folder) == 0)
			end++;
		for (i = start; i < end && !ret; i++)
			ret = list_others(aliases, i, start, end);
	}
	return ret;
}

int aliases_read(const char *folder, struct aliases **out)
{
	DIR *dir = opendir(folder);
	struct aliases *aliases;
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return -errno;
	aliases = calloc(1, sizeof(*aliases));
	if (!aliases)
		ret = -ENOMEM;
	while (!ret && (entry = readdir(dir)))
		ret = take_dirent(aliases, dirfd(dir), entry->d_name);
	closedir(dir);
	if (!ret)
		ret = sort(aliases);
	if (!ret)
		ret = group(aliases);
	if (ret) {
		aliases_free(aliases);
		return ret;
	}
	*out = aliases;
	return 0;
}

static const struct entry *find(const struct aliases *aliases, const char *name)
{
	const struct entry key = { .name = (char *)name };
	const struct entry *wanted = &key, **found;

	if (!aliases)
		return NULL;
	found = bsearch(&wanted, aliases->by_name, aliases->nr, sizeof(*aliases->by_name),
			compare_names);
	return found ? *found : NULL;
}

size_t aliases_of(const struct aliases *aliases, const char *name, const char *const **names)
{
	const struct entry *entry = find(aliases, name);

	*names = entry ? (const char *const *)entry->others : NULL;
	return entry ? entry->nr_others : 0;
}

int aliases_know(const struct aliases *aliases, const char *name)
{
	return find(aliases, name) != NULL;
}

void aliases_free(struct aliases *aliases)
{
	size_t i;

	if (!aliases)
		return;
	for (i = 0; i < aliases->nr; i++) {
		free(aliases->entries[i].name);
		free(aliases->entries[i].folder);
		free(aliases->entries[i].others);
	}
	free(aliases->entries);
	free(aliases->by_name);
	free(aliases);
}
