/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabinfo.c - /proc/slabinfo 2.1 for this process. <active_objs> is exact here:
 * objects in per-CPU slots and barns are not counted as active.
 */
#include "entry/slabinfo.h"

#include <kmem/slab.h>

#include "base/os.h"
#include "base/report.h"
#include "slab/cache.h"

static const char header[] =
	"slabinfo - version: 2.1\n"
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
	" : tunables <limit> <batchcount> <sharedfactor>"
	" : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

static size_t format_row(char *buf, size_t bytes, struct kmem_cache *s)
{
	struct kmem_cache_stat stat;

	kmem_cache_stat(s, &stat);
	return report_format(buf, bytes,
			     "%-17s %6lu %6lu %6u %4u %4d : tunables %4u %4u %4u : slabdata %6lu %6lu %6u\n",
			     s->name, stat.active, stat.objects, s->size, s->objects, 1 << s->order, 0u, 0u, 0u,
			     stat.slabs, stat.slabs, 0u);
}

KMEM_API size_t kmem_slabinfo(char *buf, size_t bytes)
{
	struct kmem_cache *s = NULL;
	size_t len = report_format(buf, bytes, "%s", header);

	while ((s = cache_next(s))) {
		size_t room = len < bytes ? bytes - len : 0;

		len += format_row(room ? buf + len : NULL, room, s);
	}
	return len;
}

void slabinfo_print(int fd)
{
	struct kmem_cache *s = NULL;
	char row[256];

	os_write(fd, header, sizeof(header) - 1);
	while ((s = cache_next(s))) {
		size_t len = format_row(row, sizeof(row), s);

		os_write(fd, row, MIN(len, sizeof(row) - 1));
	}
}
