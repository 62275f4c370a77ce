/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * baseline.h - leaks that are known and not to be reported again: what the
 * kernel does when "clear" is written to kmemleak.
 *
 * An unreferenced object can neither be freed nor change, so address, size and
 * checksum identify it for the life of the process. The set is kept in a file
 * per process: $XDG_RUNTIME_DIR/slabscope/kmemleak-PID-STARTTIME, without that
 * variable in /tmp/slabscope-UID/ (mode 0700).
 */
#ifndef KMEMLEAK_BASELINE_H
#define KMEMLEAK_BASELINE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmemleak/scan.h"

struct baseline_entry {
	uint64_t address, bytes;
	uint32_t crc;
};

/* Zero-initialise. */
struct baseline {
	struct baseline_entry *entries;
	size_t nr, capacity;
};

/* Read what earlier "clear" runs stored for this process; no file means nothing. 0, or -errno. */
int baseline_load(struct baseline *b, pid_t pid);

/* Store the set for later runs. Return 0 or -errno; `path` (room for bytes) names the file for messages. */
int baseline_save(const struct baseline *b, pid_t pid, char *path, size_t bytes);

/* Add every leak of the scan that is not hidden. 0 or -ENOMEM. */
int baseline_add(struct baseline *b, const struct scan *scan);

/* Hide the leaks of the scan that are in the set. */
void baseline_hide(struct baseline *b, struct scan *scan);

void baseline_free(struct baseline *b);

#endif
