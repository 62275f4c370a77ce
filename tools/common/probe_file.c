// SPDX-License-Identifier: BSD-2-Clause
/* probe_file.c - which file mapped by a process carries the probes of a provider. */
#include "common/probe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bpfenv.h"

/* One executable file mapping, from a line of /proc/PID/maps. */
struct mapping {
	unsigned long start, end, inode;
	char name[PATH_MAX];
};

/* False for lines that are not of an executable mapping of a file. */
static bool parse_mapping(const char *line, struct mapping *map)
{
	char perms[8];
	int name_at = 0;

	if (sscanf(line, "%lx-%lx %7s %*x %*x:%*x %lu %n", &map->start, &map->end, perms,
		   &map->inode, &name_at) < 4 || !name_at)
		return false;
	if (!map->inode || perms[2] != 'x')
		return false;
	snprintf(map->name, sizeof(map->name), "%s", line + name_at);
	map->name[strcspn(map->name, "\n")] = '\0';
	return true;
}

/* Opens the mapped file and says by which path; -errno if neither way leads to it. */
static int open_mapped(pid_t pid, const struct mapping *map, char *path, size_t len)
{
	struct stat st;

	snprintf(path, len, "/proc/%d/map_files/%lx-%lx", pid, map->start, map->end);
	if (stat(path, &st) == 0)
		return S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if ((size_t)snprintf(path, len, "/proc/%d/root%s", pid, map->name) >= len)
		return -1;
	if (stat(path, &st) || st.st_ino != map->inode || !S_ISREG(st.st_mode))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Makes `file` this mapping's file if that has probes of the provider. */
static int examine(pid_t pid, const struct mapping *map, const char *provider,
		   struct probe_file *file)
{
	struct usdt_probe *probes = NULL;
	char path[PATH_MAX];
	size_t nr = 0;
	int fd = open_mapped(pid, map, path, sizeof(path));
	int ret;

	if (fd < 0)
		return 0;
	ret = usdt_read(fd, provider, &probes, &nr);
	close(fd);
	if (ret == -ENOMEM)
		return ret;
	if (ret || !nr) {
		if (!ret)
			free(probes);
		return 0;
	}
	free(file->probes);
	file->probes = probes;
	file->nr_probes = nr;
	memcpy(file->path, path, sizeof(path));
	memcpy(file->name, map->name, sizeof(map->name));
	return 0;
}

int probe_file_find(pid_t pid, const char *provider, uint64_t near, struct probe_file *file,
		    char *err, size_t len)
{
	char maps[64], *line = NULL;
	struct mapping map;
	size_t room = 0;
	int ret = 0;
	FILE *in;

	memset(file, 0, sizeof(*file));
	snprintf(maps, sizeof(maps), "/proc/%d/maps", pid);
	in = fopen(maps, "re");
	if (!in && errno == ENOENT)
		return bpfenv_fail(err, len, -ESRCH, "no process %d: it ended or the number is wrong",
				   pid);
	if (!in)
		return bpfenv_fail(err, len, -errno, "cannot read %s: %s (try sudo)", maps,
				   strerror(errno));
	/* Addresses ascend, so the last one found at or below `near` is the nearest. */
	while (!ret && getline(&line, &room, in) > 0) {
		if (!parse_mapping(line, &map))
			continue;
		if (near ? map.start > near : file->nr_probes > 0)
			break;
		ret = examine(pid, &map, provider, file);
	}
	free(line);
	fclose(in);
	if (ret) {
		probe_file_free(file);
		return bpfenv_fail(err, len, ret, "out of memory");
	}
	if (!file->nr_probes)
		return bpfenv_fail(err, len, -ENOENT,
				   "process %d has no %s probes: start it with libkmem "
				   "(link it or LD_PRELOAD libkmem-malloc.so)", pid, provider);
	return 0;
}

void probe_file_free(struct probe_file *file)
{
	free(file->probes);
	memset(file, 0, sizeof(*file));
}
