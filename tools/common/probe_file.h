/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_file.h - finds the file, among those that a process has mapped, that
 * carries the USDT probes of a provider.
 */
#ifndef COMMON_PROBE_FILE_H
#define COMMON_PROBE_FILE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/usdt.h"

struct probe_file {
	/*
	 * Opens the very file that is mapped: /proc/PID/map_files/..., which works
	 * for deleted and replaced files and for other mount namespaces, or, without
	 * the right to follow that, its path below the process's root directory if
	 * that is still the same file.
	 */
	char path[PATH_MAX];
	char name[PATH_MAX]; /* as the process knows it, for messages */
	struct usdt_probe *probes;
	size_t nr_probes;
};

/*
 * Looks through /proc/PID/maps. With several such files, takes the one that the
 * address `near` lies in or behind (its data follows its code); near 0: the
 * first. Returns 0, -ESRCH (no such process), -ENOENT (no such file mapped),
 * -EACCES or another -errno, with a message in `err`. Free with
 * probe_file_free() on success only.
 */
int probe_file_find(pid_t pid, const char *provider, uint64_t near, struct probe_file *file,
		    char *err, size_t len);

void probe_file_free(struct probe_file *file);

#endif
