// SPDX-License-Identifier: BSD-2-Clause
/*
 * kcaches.c - the state of all slab caches of the running kernel.
 *
 * open tries the sources from best to worst and keeps the first that works; the
 * BPF ones are three programs of one object (bpf/caches.bpf.c), of which only
 * the chosen one is loaded.
 */
#include "common/kcaches.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/aliases.h"
#include "common/bpfenv.h"

#pragma GCC diagnostic push /* generated code */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "caches.skel.h"
#pragma GCC diagnostic pop

#define SLABINFO       "/proc/slabinfo"
#define SLABINFO_MAGIC "slabinfo - version: 2."
#define SYSFS_SLAB     "/sys/kernel/slab"
#define CATCH_TRIES    1000 /* file opens until one allocation event must have come */

struct kcaches {
	enum kcaches_source source;
	bool no_lists;
	char why[256];

	struct caches_bpf *skel; /* the BPF sources */
	struct bpf_link *link;   /* iterator */
	const struct kmem_cache_info *mapped; /* list, bootstrap: the program's rows */
	size_t mapped_bytes;

	struct kmem_cache_info *rows;
	size_t nr, room;

	struct aliases *aliases;
	size_t nr_unknown; /* rows that the aliases did not know when last read */
};

const char *kcaches_source_name(enum kcaches_source source)
{
	static const char *const names[] = {
		[KCACHES_BEST] = "best",
		[KCACHES_ITERATOR] = "iterator",
		[KCACHES_LIST] = "list",
		[KCACHES_BOOTSTRAP] = "bootstrap",
		[KCACHES_SLABINFO] = "slabinfo",
	};

	return names[source];
}

enum kcaches_source kcaches_source(const struct kcaches *kc)
{
	return kc->source;
}

const char *kcaches_why(const struct kcaches *kc)
{
	return kc->why;
}

/* ---- opening a BPF source ---- */

/* Whether the running kernel has what a source needs, or what it lacks. */
static int check_kernel(enum kcaches_source source, char *err, size_t len)
{
	if (!bpfenv_kernel_types_fit())
		return bpfenv_fail(err, len, -ENOMEM, "no memory to read this kernel's BTF; raise ulimit -v");
	if (!bpfenv_kernel_has_field("kmem_cache", "oo"))
		return bpfenv_fail(err, len, -ENOTSUP,
				   "no SLUB in this kernel's BTF: use a kernel with CONFIG_SLUB "
				   "and CONFIG_DEBUG_INFO_BTF");
	if (source == KCACHES_ITERATOR && !bpfenv_kernel_has_field("bpf_iter__kmem_cache", "s"))
		return bpfenv_fail(err, len, -ENOTSUP,
				   "no kmem_cache iterator: use kernel 6.13 or later");
	return 0;
}

/*
 * Loads the one program that a source needs (bootstrap: two). Returns NULL with
 * *ret = -errno on failure.
 */
static struct caches_bpf *load_walker(enum kcaches_source source, bool no_lists, int *ret,
				      char *err, size_t len)
{
	uint64_t slab_caches = source == KCACHES_LIST ? bpfenv_kernel_symbol("slab_caches") : 0;
	struct caches_bpf *skel;

	if (source == KCACHES_LIST && !slab_caches) {
		*ret = bpfenv_fail(err, len, -ENOTSUP,
				   "symbol slab_caches is not visible: use a kernel with "
				   "CONFIG_KALLSYMS_ALL, as root");
		return NULL;
	}
	skel = caches_bpf__open();
	if (!skel) {
		*ret = bpfenv_error(err, len, -errno, "open the cache walker");
		return NULL;
	}
	skel->rodata->nr_cpus = bpfenv_nr_cpus();
	skel->rodata->nr_nodes = bpfenv_nr_nodes();
	skel->rodata->walk_lists = !no_lists;
	skel->rodata->slab_caches = slab_caches;
	bpf_program__set_autoload(skel->progs.caches_iterate, source == KCACHES_ITERATOR);
	bpf_program__set_autoload(skel->progs.caches_list, source == KCACHES_LIST);
	bpf_program__set_autoload(skel->progs.caches_bootstrap, source == KCACHES_BOOTSTRAP);
	bpf_program__set_autoload(skel->progs.caches_catch, source == KCACHES_BOOTSTRAP);
	*ret = caches_bpf__load(skel);
	if (*ret) {
		bpfenv_error(err, len, *ret, "load the cache walker");
		caches_bpf__destroy(skel);
		return NULL;
	}
	return skel;
}

static int map_rows(struct kcaches *kc, char *err, size_t len)
{
	const struct bpf_map *map = kc->skel->maps.rows;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (size_t)bpf_map__max_entries(map) * sizeof(*kc->mapped);
	void *mapped;

	bytes = (bytes + page - 1) / page * page;
	mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	if (mapped == MAP_FAILED)
		return bpfenv_error(err, len, -errno, "map the walker's rows");
	kc->mapped = mapped;
	kc->mapped_bytes = bytes;
	return 0;
}

/* Waits for an allocation event; opening a file causes some. */
static int catch_cache(struct kcaches *kc, char *err, size_t len)
{
	struct bpf_link *link = bpf_program__attach(kc->skel->progs.caches_catch);
	int try, fd;

	if (!link)
		return bpfenv_error(err, len, -errno, "attach to the kernel's kmem_cache_alloc");
	for (try = 0; try < CATCH_TRIES && !kc->skel->bss->seen_cache; try++) {
		fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
	}
	bpf_link__destroy(link);
	if (!kc->skel->bss->seen_cache)
		return bpfenv_fail(err, len, -ENODATA,
				   "no allocation event came: does this kernel have kmem tracepoints?");
	return 0;
}

static void close_walker(struct kcaches *kc)
{
	bpf_link__destroy(kc->link);
	if (kc->mapped)
		munmap((void *)kc->mapped, kc->mapped_bytes);
	caches_bpf__destroy(kc->skel);
	kc->link = NULL;
	kc->mapped = NULL;
	kc->skel = NULL;
}

static int open_walker(struct kcaches *kc, enum kcaches_source source, char *err, size_t len)
{
	int ret = check_kernel(source, err, len);

	if (ret)
		return ret;
	kc->skel = load_walker(source, kc->no_lists, &ret, err, len);
	if (!kc->skel)
		return ret;
	if (source == KCACHES_ITERATOR) {
		kc->link = bpf_program__attach_iter(kc->skel->progs.caches_iterate, NULL);
		if (!kc->link)
			ret = bpfenv_error(err, len, -errno, "attach the cache iterator");
	} else {
		ret = map_rows(kc, err, len);
		if (!ret && source == KCACHES_BOOTSTRAP)
			ret = catch_cache(kc, err, len);
	}
	if (ret)
		close_walker(kc);
	return ret;
}

static int open_slabinfo(char *err, size_t len)
{
	if (access(SLABINFO, R_OK) == 0)
		return 0;
	if (errno == ENOENT)
		return bpfenv_fail(err, len, -ENOENT,
				   "no " SLABINFO ": use a kernel without CONFIG_SLUB_TINY");
	return bpfenv_fail(err, len, -errno, "cannot read " SLABINFO ": %s (try sudo)",
			   strerror(errno));
}

static int open_source(struct kcaches *kc, enum kcaches_source source, char *err, size_t len)
{
	int ret = source == KCACHES_SLABINFO ? open_slabinfo(err, len)
					     : open_walker(kc, source, err, len);

	if (!ret)
		kc->source = source;
	return ret;
}

/* From best to worst. What the last BPF source lacked is what the user should hear. */
static int open_best(struct kcaches *kc, char *err, size_t len)
{
	static const enum kcaches_source walkers[] = {
		KCACHES_ITERATOR, KCACHES_LIST, KCACHES_BOOTSTRAP,
	};
	char why[200];
	size_t i;

	for (i = 0; i < sizeof(walkers) / sizeof(walkers[0]); i++)
		if (!open_source(kc, walkers[i], why, sizeof(why)))
			return 0;
	snprintf(kc->why, sizeof(kc->why), "BPF walker: %s", why);
	return open_source(kc, KCACHES_SLABINFO, err, len);
}

int kcaches_open(struct kcaches **kcaches, const struct kcaches_options *options,
		 char *err, size_t len)
{
	enum kcaches_source source = options ? options->source : KCACHES_BEST;
	struct kcaches *kc = calloc(1, sizeof(*kc));
	int ret;

	bpfenv_init();
	if (!kc)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	kc->no_lists = options && options->no_lists;
	if (source == KCACHES_BEST)
		ret = open_best(kc, err, len);
	else
		ret = open_source(kc, source, err, len);
	if (ret) {
		kcaches_close(kc);
		return ret;
	}
	*kcaches = kc;
	return 0;
}

/* ---- reading ---- */

static int need_rows(struct kcaches *kc, size_t nr)
{
	struct kmem_cache_info *rows;
	size_t room = nr + nr / 2 + 64;

	if (nr <= kc->room)
		return 0;
	rows = reallocarray(kc->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	kc->rows = rows;
	kc->room = room;
	return 0;
}

/* The iterator is a file; its records may be cut anywhere between two reads. */
static int read_iterator(struct kcaches *kc)
{
	int fd = bpf_iter_create(bpf_link__fd(kc->link));
	size_t have = 0;
	ssize_t got = 1;
	int ret = 0;

	if (fd < 0)
		return -errno;
	while (!ret && got > 0) {
		ret = need_rows(kc, have / sizeof(*kc->rows) + 128);
		if (ret)
			break;
		got = read(fd, (char *)kc->rows + have, kc->room * sizeof(*kc->rows) - have);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			got = 1;
		else if (got < 0)
			ret = -errno;
		else
			have += (size_t)got;
	}
	close(fd);
	kc->nr = have / sizeof(*kc->rows);
	return ret;
}

/*
 * The bootstrap starts at some cache, which may be destroyed one day. Once the
 * list is known, start at the cache that never is: the one for caches.
 */
static void settle_bootstrap(struct kcaches *kc)
{
	size_t i;

	for (i = 0; i < kc->nr; i++)
		if (strcmp(kc->rows[i].name, "kmem_cache") == 0)
			kc->skel->bss->seen_cache = kc->rows[i].cache;
}

static int read_list(struct kcaches *kc)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	const struct bpf_program *program = kc->source == KCACHES_LIST
						    ? kc->skel->progs.caches_list
						    : kc->skel->progs.caches_bootstrap;
	int ret = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);

	if (ret)
		return ret;
	if (opts.retval || !kc->skel->bss->nr_rows)
		return -ENODATA;
	ret = need_rows(kc, kc->skel->bss->nr_rows);
	if (ret)
		return ret;
	kc->nr = kc->skel->bss->nr_rows;
	memcpy(kc->rows, kc->mapped, kc->nr * sizeof(*kc->rows));
	if (kc->source == KCACHES_BOOTSTRAP)
		settle_bootstrap(kc);
	return 0;
}

/* A whole file as one string; /proc files have no size to ask for. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t len;

	if (!file)
		return NULL;
	len = getdelim(&text, &room, '\0', file);
	fclose(file);
	if (len < 0) {
		free(text);
		errno = ENODATA;
		return NULL;
	}
	return text;
}

static int read_slabinfo(struct kcaches *kc)
{
	char *text = read_file(SLABINFO);
	struct kmem_cache_info *rows;
	size_t nr;
	int ret;

	if (!text)
		return -errno;
	ret = kcaches_parse_slabinfo(text, &rows, &nr);
	free(text);
	if (ret)
		return ret;
	free(kc->rows);
	kc->rows = rows;
	kc->nr = kc->room = nr;
	return 0;
}

/* Reads the aliases again when rows that they do not know come or go. */
static void refresh_aliases(struct kcaches *kc)
{
	size_t i, nr_unknown = 0;

	for (i = 0; i < kc->nr; i++)
		nr_unknown += !kc->aliases || !aliases_know(kc->aliases, kc->rows[i].name);
	if (nr_unknown == kc->nr_unknown)
		return;
	aliases_free(kc->aliases);
	if (aliases_read(SYSFS_SLAB, &kc->aliases))
		kc->aliases = NULL;
	for (i = 0, kc->nr_unknown = 0; i < kc->nr; i++)
		kc->nr_unknown += !kc->aliases || !aliases_know(kc->aliases, kc->rows[i].name);
}

int kcaches_read(struct kcaches *kc, const struct kmem_cache_info **rows, size_t *nr,
		 char *err, size_t len)
{
	int ret;

	switch (kc->source) {
	case KCACHES_ITERATOR:
		ret = read_iterator(kc);
		break;
	case KCACHES_SLABINFO:
		ret = read_slabinfo(kc);
		break;
	default:
		ret = read_list(kc);
	}
	if (ret)
		return bpfenv_error(err, len, ret, "read the kernel's caches");
	refresh_aliases(kc);
	*rows = kc->rows;
	*nr = kc->nr;
	return 0;
}

size_t kcaches_aliases(struct kcaches *kc, const char *cache_name, const char *const **names)
{
	return aliases_of(kc->aliases, cache_name, names);
}

void kcaches_close(struct kcaches *kc)
{
	if (!kc)
		return;
	close_walker(kc);
	aliases_free(kc->aliases);
	free(kc->rows);
	free(kc);
}

/* ---- /proc/slabinfo ---- */

static uint32_t order_of(unsigned int pages)
{
	uint32_t order = 0;

	while (order < 31 && 1u << order < pages)
		order++;
	return order;
}

/*
 * name active_objs num_objs objsize objperslab pagesperslab
 *	: tunables limit batchcount sharedfactor : slabdata active_slabs num_slabs ...
 */
static bool parse_line(const char *line, struct kmem_cache_info *row)
{
	unsigned long long active, total, slabs;
	unsigned int size, objects, pages;

	memset(row, 0, sizeof(*row));
	if (*line == '#' ||
	    sscanf(line, "%63s %llu %llu %u %u %u : tunables %*u %*u %*u : slabdata %*u %llu",
		   row->name, &active, &total, &size, &objects, &pages, &slabs) != 7)
		return false;
	row->have = KMEM_INFO_GEOMETRY | KMEM_INFO_SLABS | KMEM_INFO_SLABINFO_ACTIVE;
	row->slabinfo_active = active;
	row->objects_total = total;
	row->size = size;
	row->objects_per_slab = objects;
	row->order = order_of(pages);
	row->slabs = slabs;
	return true;
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	while ((text = strchr(text, '\n'))) {
		text++;
		lines++;
	}
	return lines;
}

int kcaches_parse_slabinfo(const char *text, struct kmem_cache_info **rows, size_t *nr)
{
	struct kmem_cache_info *row;
	const char *line = text;

	if (strncmp(text, SLABINFO_MAGIC, sizeof(SLABINFO_MAGIC) - 1) != 0)
		return -EINVAL;
	row = calloc(count_lines(text), sizeof(*row));
	if (!row)
		return -ENOMEM;
	*rows = row;
	while (line) {
		row += parse_line(line, row);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	*nr = (size_t)(row - *rows);
	return 0;
}
