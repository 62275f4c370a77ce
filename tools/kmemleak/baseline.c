/* SPDX-License-Identifier: BSD-2-Clause */
/* baseline.c - the set of known leaks and its file: one line "address size crc" each. */
#include "kmemleak/baseline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemleak/report.h"

#define PATH_BYTES 512

/* ---- the set ------------------------------------------------------------------------------ */

static int append(struct baseline *b, const struct baseline_entry *entry)
{
	if (b->nr == b->capacity) {
		size_t capacity = b->capacity ? 2 * b->capacity : 64;
		struct baseline_entry *more = realloc(b->entries, capacity * sizeof(*more));

		if (!more)
			return -ENOMEM;
		b->entries = more;
		b->capacity = capacity;
	}
	b->entries[b->nr++] = *entry;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct baseline_entry *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

int baseline_add(struct baseline *b, const struct scan *scan)
{
	int err = 0;

	for (size_t i = 0; i < scan->leaks.nr && !err; i++) {
		const struct leak *leak = &scan->leaks.list[i];
		struct baseline_entry entry = { .address = leak->address, .bytes = leak->bytes };

		if (leak->hidden)
			continue;
		entry.crc = report_crc(scan, leak);
		err = append(b, &entry);
	}
	return err;
}

void baseline_hide(struct baseline *b, struct scan *scan)
{
	if (b->nr)
		qsort(b->entries, b->nr, sizeof(*b->entries), compare);
	for (size_t i = 0; b->nr && i < scan->leaks.nr; i++) {
		struct leak *leak = &scan->leaks.list[i];
		struct baseline_entry key = { .address = leak->address };
		const struct baseline_entry *found = bsearch(&key, b->entries, b->nr, sizeof(key), compare);

		if (found && found->bytes == leak->bytes && found->crc == report_crc(scan, leak))
			leak->hidden = true;
	}
}

void baseline_free(struct baseline *b)
{
	free(b->entries);
	memset(b, 0, sizeof(*b));
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Field 22 of /proc/PID/stat: with it a PID that is used again is another process. */
static uint64_t start_time(pid_t pid)
{
	char path[32], text[1024];
	const char *p = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(text, sizeof(text), f))
		p = strrchr(text, ')');
	fclose(f);
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}

/* A directory of our own that nobody else can write to. */
static int make_directory(char *path, size_t bytes)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (run && *run)
		snprintf(path, bytes, "%s/slabscope", run);
	else
		snprintf(path, bytes, "/tmp/slabscope-%u", geteuid());
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	if (lstat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}

static int file_name(pid_t pid, char *path, size_t bytes)
{
	char directory[PATH_BYTES / 2];
	int err = make_directory(directory, sizeof(directory));

	snprintf(path, bytes, "%s/kmemleak-%d-%" PRIu64, directory, pid, start_time(pid));
	return err;
}

int baseline_load(struct baseline *b, pid_t pid)
{
	struct baseline_entry entry;
	char path[PATH_BYTES];
	int err = file_name(pid, path, sizeof(path));
	FILE *f = err ? NULL : fopen(path, "re");

	if (!f)
		return 0;
	while (!err && fscanf(f, "%" SCNx64 " %" SCNu64 " %" SCNx32, &entry.address, &entry.bytes, &entry.crc) == 3)
		err = append(b, &entry);
	fclose(f);
	return err;
}

int baseline_save(const struct baseline *b, pid_t pid, char *path, size_t bytes)
{
	int err = file_name(pid, path, bytes);
	FILE *f = err ? NULL : fopen(path, "we");

	if (!f)
		return err ? err : -errno;
	for (size_t i = 0; i < b->nr; i++)
		fprintf(f, "%" PRIx64 " %" PRIu64 " %08" PRIx32 "\n", b->entries[i].address, b->entries[i].bytes,
			b->entries[i].crc);
	if (ferror(f))
		err = -EIO;
	if (fclose(f) && !err)
		err = -errno;
	return err;
}
