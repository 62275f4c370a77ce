/* SPDX-License-Identifier: BSD-2-Clause */
/* library.c - see library.h. */
#include "common/library.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void library_find_named(const char *name, char *path, size_t len)
{
	static const char *const folders[] = { "", "../lib/" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < sizeof(folders) / sizeof(folders[0]); i++)
		if ((size_t)snprintf(path, len, "%.*s/%s%s", (int)(slash - self), self, folders[i], name) < len &&
		    !access(path, R_OK))
			return;
	snprintf(path, len, "%s", name);
}

void library_find(char *path, size_t len)
{
	library_find_named(LIBRARY_NAME, path, len);
}
