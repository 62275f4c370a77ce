/* SPDX-License-Identifier: BSD-2-Clause */
/* copy.c - batches of ranges for target_readv(), and the slow way for what it refuses. */
#include "kmemleak/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Larger reads gain nothing, and one unreadable page must not spoil more than this for the fast way. */
#define CHUNK_BYTES (UINT64_C(1) << 20)

/* Below this a second thread costs more than it saves. */
#define PARALLEL_BYTES (UINT64_C(8) << 20)

static struct target_range *append(struct copy *c)
{
	if (c->nr == c->capacity) {
		size_t capacity = c->capacity ? 2 * c->capacity : 1024;
		struct target_range *more = realloc(c->ranges, capacity * sizeof(*more));

		if (!more)
			return NULL;
		c->ranges = more;
		c->capacity = capacity;
	}
	return &c->ranges[c->nr++];
}

int copy_add(struct copy *c, uint64_t addr, void *to, uint64_t bytes)
{
	struct target_range *last = c->nr ? &c->ranges[c->nr - 1] : NULL;
	uint8_t *where = to;

	c->bytes += bytes;
	while (bytes) {
		uint64_t step = bytes < CHUNK_BYTES ? bytes : CHUNK_BYTES;

		if (last && last->addr + last->len == addr && (uint8_t *)last->buf + last->len == where &&
		    last->len < CHUNK_BYTES) {
			step = step < CHUNK_BYTES - last->len ? step : CHUNK_BYTES - last->len;
			last->len += step;
		} else {
			last = append(c);
			if (!last)
				return -ENOMEM;
			*last = (struct target_range){ .addr = addr, .buf = where, .len = step };
		}
		addr += step;
		where += step;
		bytes -= step;
	}
	return 0;
}

/* Page by page, so that only pages that really cannot be read are lost. */
static void read_pages(struct copy *c, const struct target_range *range, int fd)
{
	size_t done = 0;

	while (done < range->len) {
		uint64_t addr = range->addr + done;
		size_t step = KMEM_PAGE_BYTES - (addr & (KMEM_PAGE_BYTES - 1));
		ssize_t got = -1;

		if (step > range->len - done)
			step = range->len - done;
		if (fd >= 0)
			got = pread(fd, (uint8_t *)range->buf + done, step, (off_t)addr);
		if (got != (ssize_t)step)
			c->unreadable_bytes += step;
		done += step;
	}
}

static void read_slowly(struct copy *c, const struct target_range *range, int fd)
{
	uint64_t before = c->unreadable_bytes;

	if (fd >= 0 && pread(fd, range->buf, range->len, (off_t)range->addr) == (ssize_t)range->len)
		return;
	read_pages(c, range, fd);
	c->nr_unreadable += c->unreadable_bytes != before;
}

/* One thread's part: ranges[0 .. nr) through `t`. */
struct part {
	pthread_t thread;
	struct target *t;
	struct target_range *ranges;
	size_t nr;
	int failed; /* as target_readv() */
};

static void *read_part(void *arg)
{
	struct part *part = arg;

	part->failed = target_readv(part->t, part->ranges, part->nr);
	return NULL;
}

/* Ranges that make up the first half of the bytes. */
static size_t first_half(const struct copy *c)
{
	uint64_t bytes = 0;
	size_t nr = 0;

	while (nr < c->nr && bytes < c->bytes / 2)
		bytes += c->ranges[nr++].len;
	return nr;
}

/* As target_readv() on all ranges. */
static int read_all(struct copy *c, struct target *t, struct target *helper)
{
	size_t half = helper && c->bytes >= PARALLEL_BYTES ? first_half(c) : c->nr;
	struct part second = { .t = helper, .ranges = c->ranges + half, .nr = c->nr - half };
	int failed;

	if (second.nr && pthread_create(&second.thread, NULL, read_part, &second))
		return target_readv(t, c->ranges, c->nr);
	failed = target_readv(t, c->ranges, half);
	if (!second.nr)
		return failed;
	pthread_join(second.thread, NULL);
	if (failed < 0)
		return failed;
	if (second.failed < 0)
		return target_fail(t, second.failed, "%s", helper->message);
	return failed + second.failed;
}

int copy_run(struct copy *c, struct target *t, struct target *helper)
{
	int failed = read_all(c, t, helper);
	char path[32];
	int fd;

	if (failed <= 0)
		return failed;
	snprintf(path, sizeof(path), "/proc/%d/mem", c->tid ? c->tid : t->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < c->nr; i++)
		if (c->ranges[i].error)
			read_slowly(c, &c->ranges[i], fd);
	if (fd >= 0)
		close(fd);
	return 0;
}

void copy_free(struct copy *c)
{
	free(c->ranges);
	memset(c, 0, sizeof(*c));
}
