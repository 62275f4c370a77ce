/* SPDX-License-Identifier: BSD-2-Clause */
/* lab_kernel.c - the script's caches in the kernel: state by the walker, tunables in /sys/kernel/slab; see lab_kernel.h. */
#include "common/lab_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHRINK_TRIES 20 /* what others have in flight comes back within some ms */

static int open_attribute(const char *cache, const char *attribute, int flags)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", cache, attribute);
	return open(path, flags | O_CLOEXEC);
}

static long read_attribute(const char *cache, const char *attribute)
{
	int fd = open_attribute(cache, attribute, O_RDONLY);
	char text[32] = "";
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return got > 0 ? strtol(text, NULL, 10) : -1;
}

static int write_attribute(const char *cache, const char *attribute, long value)
{
	int fd = open_attribute(cache, attribute, O_WRONLY), rc = 0;
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", value);

	if (fd < 0 || write(fd, text, (size_t)n) < 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

int lab_kernel_open(struct lab_kernel *lk, struct lab *lab)
{
	for (unsigned int i = 0; i < SCRIPT_CACHES; i++)
		lk->min_partial[i] = lk->cpu_partial[i] = -1;
	lab->nr_cpus = (unsigned int)sysconf(_SC_NPROCESSORS_CONF);
	if (kcaches_open(&lk->kcaches, NULL, lab->err, sizeof(lab->err)))
		return -EPERM;
	if (kcaches_source(lk->kcaches) == KCACHES_SLABINFO)
		return lab_fail(lab, -ENOTSUP, "the state of the kernel's caches needs the BPF walker: %s",
				kcaches_why(lk->kcaches));
	return 0;
}

static int tune_one(struct lab *lab, const char *cache, const char *attribute, int32_t value, long *before)
{
	int rc;

	if (value == SCRIPT_DEFAULT)
		return 0;
	*before = read_attribute(cache, attribute);
	rc = write_attribute(cache, attribute, value);
	return rc ? lab_fail(lab, rc, "/sys/kernel/slab/%s/%s: %s", cache, attribute, strerror(-rc)) : 0;
}

int lab_kernel_tune(struct lab_kernel *lk, struct lab *lab)
{
	int rc = 0;

	for (unsigned int i = 0; i < lab->script->nr_caches && !rc; i++) {
		const struct script_cache *cache = &lab->script->cache[i];

		rc = tune_one(lab, lk->name[i], "min_partial", cache->min_partial, &lk->min_partial[i]);
		if (!rc)
			rc = tune_one(lab, lk->name[i], "cpu_partial", cache->cpu_partial, &lk->cpu_partial[i]);
	}
	return rc;
}

int lab_kernel_read(struct lab_kernel *lk, struct lab *lab, struct kmem_cache_info *row)
{
	const struct kmem_cache_info *rows;
	size_t nr;
	int rc = kcaches_read(lk->kcaches, &rows, &nr, lab->err, sizeof(lab->err));

	for (unsigned int i = 0; i < lab->script->nr_caches && !rc; i++) {
		size_t at = 0;

		while (at < nr && strcmp(rows[at].name, lk->name[i]) != 0)
			at++;
		if (at == nr)
			return lab_fail(lab, -ENOENT, "the kernel has no cache %s", lk->name[i]);
		row[i] = rows[at];
	}
	return rc;
}

int lab_kernel_shrink(struct lab_kernel *lk, struct lab *lab, unsigned int i)
{
	int rc = write_attribute(lk->name[i], "shrink", 1);

	return rc ? lab_fail(lab, rc, "/sys/kernel/slab/%s/shrink: %s", lk->name[i], strerror(-rc)) : 0;
}

int lab_kernel_empty(struct lab_kernel *lk, struct lab *lab)
{
	struct kmem_cache_info row[SCRIPT_CACHES] = { 0 };
	unsigned int busy = 0;

	for (unsigned int try = 0; try < SHRINK_TRIES; try++) {
		int rc = 0;

		for (unsigned int i = 0; i < lab->script->nr_caches && !rc; i++)
			rc = lab_kernel_shrink(lk, lab, i);
		if (!rc)
			rc = lab_kernel_read(lk, lab, row);
		if (rc)
			return rc;
		for (busy = 0; busy < lab->script->nr_caches && !row[busy].slabs; busy++)
			;
		if (busy == lab->script->nr_caches)
			return 0;
		usleep(20000);
	}
	return lab_fail(lab, -EBUSY, "cache %s holds %llu objects of others: take another size", lk->name[busy],
			(unsigned long long)row[busy].in_use);
}

void lab_kernel_close(struct lab_kernel *lk)
{
	for (unsigned int i = 0; i < SCRIPT_CACHES; i++) {
		if (lk->min_partial[i] >= 0)
			write_attribute(lk->name[i], "min_partial", lk->min_partial[i]);
		if (lk->cpu_partial[i] >= 0)
			write_attribute(lk->name[i], "cpu_partial", lk->cpu_partial[i]);
	}
	kcaches_close(lk->kcaches);
	lk->kcaches = NULL;
}
