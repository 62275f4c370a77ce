/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caches_equal.c - holds the cache walker against /proc/slabinfo.
 *
 *	caches_equal [-t] [-n PASSES] SOURCE
 *
 * SOURCE is iterator, list or bootstrap. Reads slabinfo, walker, slabinfo, again
 * and again: a cache is equal when in some pass active, total, slabs, size,
 * objects per slab and order of the walker lie between the two. Caches in flux
 * get PASSES chances (100). Prints those that never were equal and a summary;
 * exits with 1 if there are any, 77 if the source is not to be had here. -t
 * prints the whole table instead and checks the sums of each row.
 */
#include "common/bpfenv.h"
#include "common/kcaches.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_NAMES 4096

/* Above this many partial slabs slabinfo estimates the active objects (kernel 6.10+). */
#define EXACT_PARTIAL 10000

static char err[256];
static char equal_names[MAX_NAMES][KMEM_INFO_NAME_BYTES];
static size_t nr_equal;

static void check(int ret)
{
	if (!ret)
		return;
	printf("caches_equal: %s\n", err);
	exit(ret == -ENOTSUP || ret == -EPERM || ret == -EACCES ? 77 : 1);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static bool is_equal_name(const char *name)
{
	size_t i;

	for (i = 0; i < nr_equal; i++)
		if (strcmp(equal_names[i], name) == 0)
			return true;
	return false;
}

static bool between(uint64_t a, uint64_t x, uint64_t b)
{
	return (a <= x && x <= b) || (b <= x && x <= a);
}

/* before <= walked <= after, column by column */
static bool is_equal(const struct kmem_cache_info *before, const struct kmem_cache_info *walked,
		     const struct kmem_cache_info *after)
{
	if (walked->have & KMEM_INFO_CUT)
		return false;
	if (walked->node_partial <= EXACT_PARTIAL &&
	    !between(before->slabinfo_active, walked->slabinfo_active, after->slabinfo_active))
		return false;
	return between(before->objects_total, walked->objects_total, after->objects_total) &&
	       between(before->slabs, walked->slabs, after->slabs) &&
	       before->size == walked->size && before->order == walked->order &&
	       before->objects_per_slab == walked->objects_per_slab;
}

static const struct kmem_cache_info *find(const struct kmem_cache_info *rows, size_t nr,
					  const char *name)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static struct kcaches *open_source(enum kcaches_source source)
{
	const struct kcaches_options options = { .source = source };
	struct kcaches *kc;

	check(kcaches_open(&kc, &options, err, sizeof(err)));
	return kc;
}

/*
 * Reading slabinfo takes a file, a seq_file and a buffer, and slabinfo counts
 * them. Let the walker see the same.
 */
static int hold_slabinfo(void)
{
	int fd = open("/proc/slabinfo", O_RDONLY);
	char byte;

	if (fd < 0 || read(fd, &byte, 1) != 1)
		perror("/proc/slabinfo");
	return fd;
}

/* One pass; returns how many of slabinfo's caches were not equal yet. */
static size_t pass(struct kcaches *walker, struct kcaches *info_before,
		   struct kcaches *info_after, bool last)
{
	const struct kmem_cache_info *before, *walked, *after, *w, *a;
	size_t nr_before, nr_walked, nr_after, i, left = 0;
	int held;

	check(kcaches_read(info_before, &before, &nr_before, err, sizeof(err)));
	held = hold_slabinfo();
	check(kcaches_read(walker, &walked, &nr_walked, err, sizeof(err)));
	close(held);
	check(kcaches_read(info_after, &after, &nr_after, err, sizeof(err)));
	for (i = 0; i < nr_before; i++) {
		if (is_equal_name(before[i].name))
			continue;
		w = find(walked, nr_walked, before[i].name);
		a = find(after, nr_after, before[i].name);
		if (w && a && nr_equal < MAX_NAMES && is_equal(&before[i], w, a)) {
			memcpy(equal_names[nr_equal++], w->name, sizeof(w->name));
			continue;
		}
		left++;
		if (last)
			printf("%-24s slabinfo %llu %llu %llu walker %llu %llu %llu%s\n",
			       before[i].name, before[i].slabinfo_active, before[i].objects_total,
			       before[i].slabs, w ? w->slabinfo_active : 0,
			       w ? w->objects_total : 0, w ? w->slabs : 0, w ? "" : " (no row)");
	}
	return left;
}

static int compare(enum kcaches_source source, int passes)
{
	double started = now_ms();
	struct kcaches *walker = open_source(source);
	double opened = now_ms();
	struct kcaches *before = open_source(KCACHES_SLABINFO);
	struct kcaches *after = open_source(KCACHES_SLABINFO);
	size_t left = 1;
	int i;

	for (i = 1; i <= passes && left; i++) {
		left = pass(walker, before, after, i == passes);
		usleep(left ? 20000 : 0);
	}
	printf("%s: %zu rows equal, %zu not, %d passes, opened in %.0f ms\n",
	       kcaches_source_name(source), nr_equal, left, i - 1, opened - started);
	kcaches_close(walker);
	kcaches_close(before);
	kcaches_close(after);
	return left != 0;
}

/* What the row says about itself must add up, whatever happens in the kernel. */
static bool adds_up(const struct kmem_cache_info *r)
{
	if (!r->size || !r->objects_per_slab || r->object_size > r->size || !r->name[0])
		return false;
	if (!(r->have & KMEM_INFO_IN_USE))
		return true;
	return r->in_use <= r->objects_total && r->slabinfo_active <= r->objects_total &&
	       r->cpu_free <= r->cpu_slabs * r->objects_per_slab &&
	       r->cpu_partial_free <= r->cpu_partial_slabs * r->objects_per_slab;
}

static int table(enum kcaches_source source)
{
	struct kcaches *walker = open_source(source);
	const struct kmem_cache_info *rows;
	const char *const *names;
	size_t i, nr, bad = 0;
	double best = 1e9;
	int pass_nr;

	for (pass_nr = 0; pass_nr < 20; pass_nr++) {
		double started = now_ms();

		check(kcaches_read(walker, &rows, &nr, err, sizeof(err)));
		if (now_ms() - started < best)
			best = now_ms() - started;
	}
	for (i = 0; i < nr; i++) {
		const struct kmem_cache_info *r = &rows[i];

		bad += !adds_up(r);
		printf("%-24s osize=%u size=%u order=%u objs=%u ref=%u have=%llx slabs=%llu total=%llu "
		       "active=%llu in_use=%llu part=%llu/%llu cpu=%llu/%llu cpart=%llu/%llu "
		       "sheaf=%u:%llu+%llu+%llu barn=%llu+%llu:%llu aliases=%zu%s\n",
		       r->name, r->object_size, r->size, r->order, r->objects_per_slab, r->refcount,
		       r->have, r->slabs, r->objects_total, r->slabinfo_active, r->in_use,
		       r->node_partial, r->partial_free, r->cpu_slabs, r->cpu_free,
		       r->cpu_partial_slabs, r->cpu_partial_free, r->sheaf_capacity, r->sheaf_main,
		       r->sheaf_spare, r->sheaf_rcu, r->barn_full, r->barn_empty, r->barn_objects,
		       kcaches_aliases(walker, r->name, &names), adds_up(r) ? "" : " DOES NOT ADD UP");
	}
	printf("%zu rows, %zu do not add up, best pass %.2f ms\n", nr, bad, best);
	kcaches_close(walker);
	return bad != 0;
}

int main(int argc, char **argv)
{
	enum kcaches_source source;
	bool want_table = false;
	int opt, passes = 100;

	while ((opt = getopt(argc, argv, "n:tv")) != -1) {
		if (opt == 'n')
			passes = atoi(optarg);
		else if (opt == 't')
			want_table = true;
		else if (opt == 'v')
			bpfenv_set_verbose(true);
		else
			return 2;
	}
	if (optind == argc)
		return 2;
	for (source = KCACHES_ITERATOR; source <= KCACHES_BOOTSTRAP; source++)
		if (strcmp(argv[optind], kcaches_source_name(source)) == 0)
			return want_table ? table(source) : compare(source, passes);
	return 2;
}
