/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc_info.c - what glibc tells about its heap and lets be changed
 * (libkmem-malloc.so): mallinfo(), malloc_stats(), malloc_info(), malloc_trim(), mallopt().
 *
 * Figures are of the whole library, objects of other caches than malloc's
 * included, and not exact while other threads allocate. glibc's words mean here:
 * system bytes are pages with memory in them; a chunk is an object, or a block of
 * pages; fast bins are the per-CPU arrays and barns; mmap is what is beyond 4 MiB.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include <kmem/attr.h>

#include "entry/heap.h"
#include "entry/init.h"
#include "page/buddy.h"
#include "page/large.h"
#include "page/pcp.h"
#include "page/purge.h"
#include "slab/cache.h"
#include "slab/trim.h"

struct figures {
	size_t present;                      /* bytes ever taken for pages, purged ones included */
	size_t system, used, idle;           /* of these: with memory; in use; the difference */
	size_t free_blocks;                  /* blocks of pages */
	size_t free_objects, free_bytes;     /* in slabs */
	size_t parked_objects, parked_bytes; /* in per-CPU arrays and barns */
	size_t releasable;                   /* bytes in free pages with memory */
	struct large_usage mapped;
};

static void add_zone(struct figures *f, struct kmem_zone *zone, size_t *taken_pages)
{
	size_t parked = pcp_count_zone(zone);
	unsigned int order, type;

	buddy_lock(zone);
	f->present += zone->present_pages << PAGE_SHIFT;
	f->system += (zone->present_pages - (zone->free_pages - zone->dirty_pages)) << PAGE_SHIFT;
	f->releasable += (zone->dirty_pages + parked) << PAGE_SHIFT;
	*taken_pages += zone->present_pages - MIN(zone->present_pages, zone->free_pages + parked);
	for (order = 0; order < KMEM_NR_ORDERS; order++)
		for (type = 0; type < KMEM_NR_MIGRATETYPES; type++)
			f->free_blocks += zone->free_list[order][type].nr;
	buddy_unlock(zone);
}

/* Pages of slabs are counted as what is in use of them. */
static void add_cache(struct figures *f, struct kmem_cache *s, size_t *taken_pages, size_t *used)
{
	struct kmem_cache_stat stat;
	size_t free_objects;

	kmem_cache_stat(s, &stat);
	*taken_pages -= MIN(*taken_pages, stat.slabs << s->order);
	*used += stat.active * s->size;
	f->parked_objects += stat.cached;
	f->parked_bytes += stat.cached * s->size;
	free_objects = stat.objects - MIN(stat.objects, stat.active + stat.cached);
	f->free_objects += free_objects;
	f->free_bytes += free_objects * s->size;
}

static struct figures figures_now(void)
{
	struct figures f = { 0 };
	struct kmem_cache *s = NULL;
	size_t taken_pages = 0, used = 0;
	unsigned int i;

	kmem_init();
	for (i = 0; i < zone_config.nr_zones; i++)
		add_zone(&f, &zones[i], &taken_pages);
	while ((s = cache_next(s)))
		add_cache(&f, s, &taken_pages, &used);
	f.used = MIN(used + (taken_pages << PAGE_SHIFT), f.system);
	f.idle = f.system - f.used;
	f.mapped = large_usage();
	return f;
}

/* ---- figures ---- */

KMEM_API struct mallinfo2 mallinfo2(void)
{
	const struct figures f = figures_now();

	return (struct mallinfo2){
		.arena = f.system,
		.ordblks = f.free_blocks + f.free_objects,
		.smblks = f.parked_objects,
		.hblks = f.mapped.nr,
		.hblkhd = f.mapped.bytes,
		.fsmblks = f.parked_bytes,
		.uordblks = f.used,
		.fordblks = f.idle,
		.keepcost = f.releasable,
	};
}

static int clamped(size_t value)
{
	return (int)MIN(value, (size_t)INT_MAX);
}

KMEM_API struct mallinfo mallinfo(void)
{
	const struct mallinfo2 m = mallinfo2();

	return (struct mallinfo){
		.arena = clamped(m.arena),
		.ordblks = clamped(m.ordblks),
		.smblks = clamped(m.smblks),
		.hblks = clamped(m.hblks),
		.hblkhd = clamped(m.hblkhd),
		.usmblks = clamped(m.usmblks),
		.fsmblks = clamped(m.fsmblks),
		.uordblks = clamped(m.uordblks),
		.fordblks = clamped(m.fordblks),
		.keepcost = clamped(m.keepcost),
	};
}

KMEM_API void malloc_stats(void)
{
	const struct figures f = figures_now();

	fprintf(stderr, "Arena 0:\nsystem bytes     = %10zu\nin use bytes     = %10zu\n", f.system, f.used);
	fprintf(stderr, "Total (incl. mmap):\nsystem bytes     = %10zu\nin use bytes     = %10zu\n",
		f.system + f.mapped.bytes, f.used + f.mapped.bytes);
	fprintf(stderr, "max mmap regions = %10zu\nmax mmap bytes   = %10zu\n", (size_t)f.mapped.peak_nr,
		(size_t)f.mapped.peak_bytes);
}

static void print_sizes(FILE *file)
{
	struct kmem_cache *s = NULL;

	fputs("<sizes>\n", file);
	while ((s = cache_next(s))) {
		struct kmem_cache_stat stat;

		kmem_cache_stat(s, &stat);
		if (stat.objects > stat.active)
			fprintf(file, "  <size from=\"%u\" to=\"%u\" total=\"%zu\" count=\"%zu\"/>\n", s->size, s->size,
				(size_t)(stat.objects - stat.active) * s->size, (size_t)(stat.objects - stat.active));
	}
	fputs("</sizes>\n", file);
}

static void print_totals(FILE *file, const struct figures *f)
{
	fprintf(file, "<total type=\"fast\" count=\"%zu\" size=\"%zu\"/>\n", f->parked_objects, f->parked_bytes);
	fprintf(file, "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n", f->free_blocks + f->free_objects,
		f->free_bytes + f->releasable);
}

static void print_system(FILE *file, const struct figures *f)
{
	fprintf(file, "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n", f->system, f->present);
	fprintf(file, "<aspace type=\"total\" size=\"%zu\"/>\n<aspace type=\"mprotect\" size=\"%zu\"/>\n", f->present,
		f->present);
}

KMEM_API int malloc_info(int options, FILE *file)
{
	struct figures f;

	if (options)
		return EINVAL;
	f = figures_now();
	fputs("<malloc version=\"1\">\n<heap nr=\"0\">\n", file);
	print_sizes(file);
	print_totals(file, &f);
	print_system(file, &f);
	fputs("</heap>\n", file);
	print_totals(file, &f);
	fprintf(file, "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n", (size_t)f.mapped.nr, (size_t)f.mapped.bytes);
	print_system(file, &f);
	fputs("</malloc>\n", file);
	return 0;
}

/* ---- requests ---- */

KMEM_API int malloc_trim(size_t pad)
{
	size_t keep = pad >> PAGE_SHIFT, released = 0;
	unsigned int i;

	kmem_init();
	cache_shrink_all();
	pcp_drain_all();
	for (i = 0; i < zone_config.nr_zones; i++) {
		released += purge_blocks(&zones[i], 0, keep);
		keep -= MIN(keep, READ_ONCE(zones[i].dirty_pages));
	}
	return released > 0;
}

/* -1: free memory stays. Else what the options say, since there is no top of a heap to be that large. */
static void set_trim_threshold(int value)
{
	const struct kmem_options *options = kmem_options();
	bool keep = value == -1;

	purge_init(keep ? KMEM_PURGE_OFF : options->purge, options->purge_ms, options->madvise == KMEM_MADVISE_FREE);
	trim_init(!keep && options->purge == KMEM_PURGE_DECAY, options->purge_ms);
}

/*
 * As glibc 2.36, which refuses two values and takes all else. M_PERTURB and
 * M_TRIM_THRESHOLD -1 do what they say; the others are about what is not here:
 * arenas, and thresholds.
 */
KMEM_API int mallopt(int parameter, int value)
{
	const int max_fast = 160, max_mmap = 32 << 20;

	if (parameter == M_PERTURB)
		heap_set_perturb((uint8_t)value);
	if (parameter == M_TRIM_THRESHOLD)
		set_trim_threshold(value);
	if (parameter == M_MXFAST)
		return value >= 0 && value <= max_fast;
	if (parameter == M_MMAP_THRESHOLD)
		return value >= 0 && value <= max_mmap;
	return 1;
}

/* glibc's second names. */
KMEM_API struct mallinfo __libc_mallinfo(void) __attribute__((leaf, nothrow, alias("mallinfo")));
KMEM_API int __libc_mallopt(int parameter, int value) __attribute__((leaf, nothrow, alias("mallopt")));
