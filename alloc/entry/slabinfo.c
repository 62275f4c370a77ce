/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabinfo.c - /proc/slabinfo 2.1 for this process. <active_objs> is exact here:
 * objects in per-CPU slots and barns are not counted as active.
 */
#include "entry/slabinfo.h"

#include <kmem/slab.h>

#include "base/os.h"
#include "slab/cache.h"
#include "text/slab.h"

static void put_row(struct text *t, struct kmem_cache *s)
{
	struct kmem_cache_stat stat;

	kmem_cache_stat(s, &stat);
	/* What names share is in the row of their root, so that a column's sum is true. */
	if (kmem_cache_is_alias(s))
		stat.objects = stat.slabs = 0;
	text_slabinfo_row(t, s, stat.active, stat.objects, stat.slabs);
}

KMEM_API size_t kmem_slabinfo(char *buf, size_t bytes)
{
	struct text t = text_init(buf, bytes);
	struct kmem_cache *s = NULL;

	text_slabinfo_header(&t);
	while ((s = cache_next(s)))
		put_row(&t, s);
	return t.len;
}

void slabinfo_print(int fd)
{
	struct kmem_cache *s = NULL;
	char line[512];
	struct text t = text_init(line, sizeof(line));

	text_slabinfo_header(&t);
	os_write(fd, line, t.len);
	while ((s = cache_next(s))) {
		t = text_init(line, sizeof(line));
		put_row(&t, s);
		os_write(fd, line, MIN(t.len, sizeof(line) - 1));
	}
}
