/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parity.c - the layout that alloc/slab/geometry.c computes against what the
 * running kernel chose for each of its caches, as /sys/kernel/slab shows it.
 *
 * usage: parity [FOLDER [RELEASE [CPUS]]]     another tree of that shape, and the kernel it is from
 * exit: 0 all equal, 1 a difference, 2 nothing to compare
 *
 * Size, constructor and flags are the inputs, all other attributes are compared.
 * Two inputs are not shown there: the alignment that was asked for (compared as:
 * no less than the rule demands and stable under it), and whether a cache with
 * RCU has room for the free pointer in its objects (named when assumed).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <kmem/observe.h>

#include "base/base.h"
#include "slab/geometry.h"

#define RELEASE(major, minor) ((major) * 1000u + (minor))

/* One cache as the kernel shows it. */
struct shown {
	char name[256];
	struct geometry_args args;
	unsigned int slab_size, align, order, objs_per_slab, min_partial, cpu_partial, usersize, sheaf_capacity;
	bool has_sheaves; /* the file sheaf_capacity exists */
};

static struct {
	const char *folder;
	unsigned int release, nr_cpus;
	unsigned int caches, attributes, equal, aliases, gone;
} run;

/* Content of a cache's attribute file without the newline. Return: 0 or -errno. */
static int read_text(const char *name, const char *attribute, char *text, size_t bytes)
{
	char path[1024];
	FILE *f;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/%s/%s", run.folder, name, attribute);
	f = fopen(path, "r");
	if (!f)
		return -errno;
	if (!fgets(text, (int)bytes, f)) {
		rc = ferror(f) ? -errno : 0;
		text[0] = '\0';
	}
	text[strcspn(text, "\n")] = '\0';
	fclose(f);
	return rc;
}

static int read_number(const char *name, const char *attribute, unsigned int *value)
{
	char text[256], *end;
	int rc = read_text(name, attribute, text, sizeof(text));

	if (rc)
		return rc;
	*value = (unsigned int)strtoul(text, &end, 10);
	return end == text ? -EINVAL : 0;
}

static bool is_kmalloc(const char *name)
{
	return !strncmp(name, "kmalloc-", 8) || !strncmp(name, "dma-kmalloc-", 12);
}

/* All inputs and outputs of one cache. Return: 0 or -errno. */
static int read_cache(struct shown *c)
{
	static const struct { const char *file; slab_flags_t flag; } flags[] = {
		{ "hwcache_align", SLAB_HWCACHE_ALIGN }, { "destroy_by_rcu", SLAB_TYPESAFE_BY_RCU },
		{ "red_zone", SLAB_RED_ZONE }, { "poison", SLAB_POISON }, { "store_user", SLAB_STORE_USER },
		{ "sanity_checks", SLAB_CONSISTENCY_CHECKS }, { "trace", SLAB_TRACE },
		{ "reclaim_account", SLAB_RECLAIM_ACCOUNT }, { "cache_dma", SLAB_CACHE_DMA },
	};
	const struct { const char *file; unsigned int *value; } numbers[] = {
		{ "object_size", &c->args.object_size }, { "slab_size", &c->slab_size }, { "align", &c->align },
		{ "order", &c->order }, { "objs_per_slab", &c->objs_per_slab }, { "min_partial", &c->min_partial },
		{ "cpu_partial", &c->cpu_partial }, { "usersize", &c->usersize },
	};
	unsigned int i, set;
	char ctor[256];
	int rc = 0;

	for (i = 0; i < ARRAY_LEN(numbers) && !rc; i++)
		rc = read_number(c->name, numbers[i].file, numbers[i].value);
	for (i = 0; i < ARRAY_LEN(flags) && !rc; i++) {
		/* Configurations without ISA DMA have no cache_dma, and no such caches. */
		rc = read_number(c->name, flags[i].file, &set);
		if (rc == -ENOENT && flags[i].flag == SLAB_CACHE_DMA)
			set = 0, rc = 0;
		c->args.flags |= !rc && set ? flags[i].flag : 0;
	}
	if (!rc)
		rc = read_text(c->name, "ctor", ctor, sizeof(ctor));
	if (rc)
		return rc;
	c->args.ctor = ctor[0] != '\0';
	c->args.kmalloc = is_kmalloc(c->name);
	c->args.nr_cpus = run.nr_cpus;
	c->has_sheaves = !read_number(c->name, "sheaf_capacity", &c->sheaf_capacity);
	return 0;
}

/* ---- rules of other versions than 6.12 ---- */

/* Size classes: before 6.11 only powers of two were aligned, to their size. */
static unsigned int kmalloc_align(unsigned int size)
{
	if (run.release >= RELEASE(6, 11))
		return size & -size;
	return is_pow2(size) ? size : 0;
}

/* Before 6.7: at most a quarter is wasted for the wanted number of objects; then with one object less, and so on. */
static unsigned int order_before_6_7(unsigned int size)
{
	unsigned int most = (KMEM_PAGE_BYTES << SLAB_MAX_ORDER) / size;
	unsigned int objects = MIN(4 * (fls64(run.nr_cpus) + 1), most);

	for (; objects > 1; objects--) {
		for (unsigned int fraction = 16; fraction >= 4; fraction /= 2) {
			unsigned int order = 0;

			while (order <= SLAB_MAX_ORDER && ((KMEM_PAGE_BYTES << order) < objects * size ||
			       (KMEM_PAGE_BYTES << order) % size > (KMEM_PAGE_BYTES << order) / fraction))
				order++;
			if (order <= SLAB_MAX_ORDER)
				return order;
		}
	}
	for (unsigned int order = 0;; order++)
		if ((KMEM_PAGE_BYTES << order) >= size)
			return order;
}

static unsigned int expected_cpu_partial(const struct shown *c, unsigned int size)
{
	const slab_flags_t debug = SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | SLAB_CONSISTENCY_CHECKS;

	if (run.release >= RELEASE(7, 0) || c->args.flags & debug)
		return 0;
	return size >= 4096 ? 6 : size >= 1024 ? 24 : size >= 256 ? 52 : 120;
}

/* 6.18 has sheaves for the caches that ask for them, 7.0 for all, with a capacity asked for as the floor. */
static unsigned int expected_sheaf_capacity(const struct shown *c, const struct geometry *g)
{
	static const char *const asking[] = { "maple_node", "vm_area_struct" };
	unsigned int asked = 0, i;

	if (c->args.flags & (SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | SLAB_CONSISTENCY_CHECKS))
		return 0;
	for (i = 0; i < ARRAY_LEN(asking); i++)
		if (!strcmp(c->name, asking[i]))
			asked = 32;
	return run.release < RELEASE(7, 0) ? asked : MAX(asked, g->sheaf_capacity);
}

static void print_rules(const char *release)
{
	printf("Linux %s, %u CPUs; rules of this version where 6.12's differ:\n", release, run.nr_cpus);
	printf("  kmalloc is aligned to %s\n", run.release >= RELEASE(6, 11) ?
	       "the largest power-of-two divisor of the size (6.11 and later)" : "powers of two only (before 6.11)");
	printf("  order: %s\n", run.release >= RELEASE(6, 7) ? "waste up to a half (6.7 and later)" :
	       "waste up to a quarter, then fewer objects (before 6.7)");
	if (run.release < RELEASE(6, 2))
		printf("  with red zones and tracks kmalloc's free pointer stays in the object (before 6.2)\n");
	if (run.release >= RELEASE(6, 18))
		printf("  sheaf_capacity: %s\n", run.release >= RELEASE(7, 0) ? "by size (7.0 and later)" :
		       "0 but for maple_node and vm_area_struct, which ask for 32 (6.18)");
}

/* ---- the comparison ---- */

static void compare(const struct shown *c, const char *attribute, unsigned int kernel, unsigned int formula)
{
	run.attributes++;
	if (kernel == formula)
		run.equal++;
	else
		printf("difference: %s %s: kernel %u, formula %u\n", c->name, attribute, kernel, formula);
}

/* "C1=84(2)": objects(slabs) on the partial list of a CPU; the objects are counted as slabs half full. */
static bool partial_lists_agree(const char *text, const struct geometry *g, unsigned int most)
{
	unsigned int cpu, objects, slabs;

	while ((text = strstr(text, " C"))) {
		text += 2;
		if (sscanf(text, "%u=%u(%u)", &cpu, &objects, &slabs) != 3 ||
		    objects != slabs * g->objects / 2 || slabs > most)
			return false;
	}
	return true;
}

/* The per-CPU partial lists of now keep within set_cpu_partial()'s number of slabs. */
static void compare_cpu_slabs(const struct shown *c, const struct geometry *g, unsigned int cpu_partial)
{
	unsigned int most = (2 * cpu_partial + g->objects - 1) / g->objects;
	char text[4096];

	if (read_text(c->name, "slabs_cpu_partial", text, sizeof(text)))
		return;
	run.attributes++;
	if (partial_lists_agree(text, g, most))
		run.equal++;
	else
		printf("difference: %s slabs_cpu_partial: kernel %s, formula at most %u slabs of %u objects\n", c->name,
		       text, most, g->objects);
}

/* ":aA-0000104", the name of a cache that others may share, tells flags and size. */
static void compare_id(const struct shown *c, const struct geometry *g)
{
	unsigned int letters = (unsigned int)strcspn(c->name, "-0"), size;
	const char *digits = c->name + strcspn(c->name, "0123456789");

	if (c->name[0] != ':')
		return;
	size = (unsigned int)strtoul(digits, NULL, 10);
	compare(c, "size in its name", size, g->size);
	compare(c, "reclaim_account in its name", !!memchr(c->name, 'a', letters),
		!!(c->args.flags & SLAB_RECLAIM_ACCOUNT));
	compare(c, "cache_dma in its name", !!memchr(c->name, 'd', letters), !!(c->args.flags & SLAB_CACHE_DMA));
	compare(c, "sanity_checks in its name", !!memchr(c->name, 'F', letters),
		!!(c->args.flags & SLAB_CONSISTENCY_CHECKS));
}

/* Before 6.2 red zones left kmalloc's free pointer inside the object, whatever was asked for. */
static void layout_before_6_2(const struct shown *c, struct geometry *g)
{
	struct geometry_args args = c->args;

	args.kmalloc = false;
	geometry_compute_kernel(g, &args);
	g->info_end += (uint32_t)sizeof(unsigned int);
	g->size = ALIGN_UP(g->info_end + g->red_left_pad + (uint32_t)sizeof(void *), g->align);
	g->order = (uint8_t)geometry_order(g->size, run.nr_cpus);
	g->min_partial = geometry_min_partial(g->size);
}

/* The layout; with the free pointer inside an RCU-freed object when only that gives the kernel's size. */
static bool layout(struct shown *c, struct geometry *g)
{
	c->args.align = c->args.kmalloc ? kmalloc_align(c->args.object_size) : c->align;
	if (!geometry_compute_kernel(g, &c->args))
		return false;
	if (run.release < RELEASE(6, 2) && c->args.kmalloc &&
	    (c->args.flags & (SLAB_RED_ZONE | SLAB_STORE_USER)) == (SLAB_RED_ZONE | SLAB_STORE_USER))
		layout_before_6_2(c, g);
	if (g->size == c->slab_size || !(c->args.flags & SLAB_TYPESAFE_BY_RCU) || run.release < RELEASE(6, 12))
		return true;
	c->args.use_freeptr_offset = true;
	geometry_compute_kernel(g, &c->args);
	if (g->size == c->slab_size)
		printf("assumed: %s has a free pointer inside its objects (freeptr_offset)\n", c->name);
	return true;
}

static void compare_cache(struct shown *c)
{
	unsigned int order, cpu_partial;
	struct geometry g;

	run.caches++;
	if (!layout(c, &g)) {
		compare(c, "slab_size", c->slab_size, 0);
		return;
	}
	order = run.release >= RELEASE(6, 7) ? g.order : order_before_6_7(g.size);
	g.objects = (KMEM_PAGE_BYTES << order) / g.size;
	cpu_partial = expected_cpu_partial(c, g.size);
	compare(c, "align", c->align, g.align);
	compare(c, "slab_size", c->slab_size, g.size);
	compare(c, "order", c->order, order);
	compare(c, "objs_per_slab", c->objs_per_slab, g.objects);
	compare(c, "min_partial", c->min_partial, g.min_partial);
	compare(c, "cpu_partial", c->cpu_partial, cpu_partial);
	compare_cpu_slabs(c, &g, cpu_partial);
	if (c->args.kmalloc)
		compare(c, "usersize", c->usersize, c->args.object_size);
	if (c->has_sheaves)
		compare(c, "sheaf_capacity", c->sheaf_capacity, expected_sheaf_capacity(c, &g));
	compare_id(c, &g);
}

static bool is_alias(const struct dirent *entry)
{
	return entry->d_type == DT_LNK;
}

/* Every cache. Return: 0 or -errno of what cannot be read. */
static int compare_all(DIR *dir)
{
	struct dirent *entry;
	int rc;

	while ((entry = readdir(dir))) {
		struct shown c = { .has_sheaves = false };

		if (entry->d_name[0] == '.')
			continue;
		if (is_alias(entry)) {
			run.aliases++;
			continue;
		}
		snprintf(c.name, sizeof(c.name), "%s", entry->d_name);
		rc = read_cache(&c);
		if (rc == -ENOENT || rc == -ENODEV)
			run.gone++;
		else if (rc)
			return rc;
		else
			compare_cache(&c);
	}
	return 0;
}

/* CPUs as calculate_order() counts them: those present; with one, those that may come. */
static unsigned int count_cpus(void)
{
	static const char *const files[] = { "/sys/devices/system/cpu/present", "/sys/devices/system/cpu/possible" };
	unsigned int i, cpus = 0, first, last;

	for (i = 0; i < ARRAY_LEN(files) && cpus <= 1; i++) {
		FILE *f = fopen(files[i], "r");

		for (cpus = 0; f && fscanf(f, "%u", &first) == 1;) {
			last = first;
			if (fscanf(f, "-%u", &last) == 1 || last == first)
				cpus += last - first + 1;
			if (fscanf(f, ",") == EOF)
				break;
		}
		if (f)
			fclose(f);
	}
	return MAX(cpus, 1u);
}

int main(int argc, char **argv)
{
	unsigned int major = 0, minor = 0;
	struct utsname system;
	const char *release;
	DIR *dir;
	int rc;

	uname(&system);
	run.folder = argc > 1 ? argv[1] : "/sys/kernel/slab";
	release = argc > 2 ? argv[2] : system.release;
	run.nr_cpus = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : count_cpus();
	if (sscanf(release, "%u.%u", &major, &minor) != 2 || !run.nr_cpus) {
		fprintf(stderr, "parity: '%s' is no kernel release, or the number of CPUs is 0\n", release);
		return 2;
	}
	run.release = RELEASE(major, minor);
	dir = opendir(run.folder);
	if (!dir) {
		fprintf(stderr, "parity: cannot open %s: %s\n", run.folder, strerror(errno));
		return 2;
	}
	print_rules(release);
	rc = compare_all(dir);
	closedir(dir);
	if (rc || !run.caches) {
		fprintf(stderr, "parity: cannot read the caches in %s: %s\n", run.folder,
			rc ? strerror(-rc) : "there are none");
		return 2;
	}
	printf("%u caches, %u attributes, %u equal", run.caches, run.attributes, run.equal);
	printf(" (%u more names share a cache", run.aliases);
	printf(run.gone ? "; %u caches went away meanwhile)\n" : ")\n", run.gone);
	return run.equal == run.attributes ? 0 : 1;
}
