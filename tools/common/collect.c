// SPDX-License-Identifier: BSD-2-Clause
/*
 * collect.c - counts allocation events of libkmem processes and of the kernel.
 *
 * A source is a BPF object with its own counters: library.bpf.c for processes,
 * kernel.bpf.c for the kernel. Both are loaded when first attached to. A process
 * takes a slot of the library object's `targets`; its uprobes carry the slot as
 * cookie.
 */
#include "common/collect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/bpfenv.h"
#include "common/kernel_config.h"
#include "common/probe_file.h"

#pragma GCC diagnostic push /* generated code */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "kernel.skel.h"
#include "library.skel.h"
#pragma GCC diagnostic pop

#define DEFAULT_COUNTS 16384
#define FIRST_BATCH    1024 /* counters read per system call */
#define PROVIDER       "kmem"

/* A process that is watched. */
struct watched {
	pid_t pid; /* 0: the slot is free */
	struct bpf_link *links[KMEM_EV_NR];
};

/* What reading needs to know of a loaded object. */
struct source {
	struct bpf_map *counts, *totals; /* NULL: never attached */
	struct bpf_program *programs[KMEM_EV_NR];
	struct bpf_program *usdt[KMEM_EV_NR]; /* library: the same for any argument layout */
	uint64_t used; /* counters in use, as of the last read */
};

struct collect {
	struct collect_options options;
	struct library_bpf *library;
	struct kernel_bpf *kernel;
	struct source sources[KMEM_SOURCE_NR];
	struct watched watched[KMEM_MAX_TARGETS];
	struct bpf_link *kernel_links[KMEM_EV_NR];
	size_t nr_cpus; /* per-CPU values that a lookup returns */

	struct collect_count *rows;
	size_t nr_rows, rows_room;
	struct kmem_count_key *batch_keys;
	struct kmem_count *batch_values; /* nr_cpus per key */
	struct collect_size *sizes;
	uint32_t batch;
};

/* One probe: its name, and which of its arguments the program reads (bit i: argument i). */
struct probe_use {
	const char *name;
	unsigned int args;
};

static const struct probe_use probe_uses[KMEM_EV_NR] = {
	[KMEM_EV_CACHE_ALLOC] = { "kmem_cache_alloc", 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 },
	[KMEM_EV_CACHE_FREE] = { "kmem_cache_free", 1 << 0 | 1 << 1 },
	[KMEM_EV_KMALLOC] = { "kmalloc", 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 },
	[KMEM_EV_KFREE] = { "kfree", 1 << 0 | 1 << 1 },
	[KMEM_EV_PAGE_ALLOC] = { "mm_page_alloc", 1 << 0 | 1 << 1 },
	[KMEM_EV_PAGE_FREE] = { "mm_page_free", 1 << 0 | 1 << 1 },
};

/* Where the programs expect argument 0, 1, ... */
static const char *const arg_registers[] = { "rdi", "rsi", "rdx", "rcx", "r8", "r9" };

#define NR_ARG_REGISTERS (sizeof(arg_registers) / sizeof(arg_registers[0]))

int collect_open(struct collect **collect, const struct collect_options *options,
		 char *err, size_t len)
{
	struct collect *c;

	bpfenv_init();
	if (options && options->events & ~COLLECT_ALL)
		return bpfenv_fail(err, len, -EINVAL, "unknown event bits 0x%x: use COLLECT_ALL",
				   options->events);
	c = calloc(1, sizeof(*c));
	if (!c)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	if (options)
		c->options = *options;
	if (!c->options.events)
		c->options.events = COLLECT_SLAB;
	if (!c->options.max_counts)
		c->options.max_counts = DEFAULT_COUNTS;
	*collect = c;
	return 0;
}

static bool is_wanted(const struct collect *c, unsigned int type)
{
	return c->options.events & 1u << type;
}

/* Before the load: leaves out what is not asked for, sizes the counters. */
static int prepare_source(struct collect *c, const struct source *source)
{
	unsigned int type;
	int ret;

	for (type = 0; type < KMEM_EV_NR; type++) {
		ret = bpf_program__set_autoload(source->programs[type], is_wanted(c, type));
		if (!ret && source->usdt[type])
			ret = bpf_program__set_autoload(source->usdt[type], is_wanted(c, type));
		if (ret)
			return ret;
	}
	return bpf_map__set_max_entries(source->counts, c->options.max_counts);
}

/* ---- the library source ---- */

/* Before the load: the programs are verified without the code for objects if nobody asks. */
static int prepare_objects(const struct collect *c, struct library_bpf *skel)
{
	if (!c->options.max_objects)
		return 0;
	skel->rodata->track_objects = true;
	return bpf_map__set_max_entries(skel->maps.objects, c->options.max_objects);
}

static int load_library(struct collect *c, char *err, size_t len)
{
	struct library_bpf *skel;
	struct source source;
	int ret;

	if (c->library)
		return 0;
	skel = library_bpf__open();
	if (!skel)
		return bpfenv_error(err, len, -errno, "open the library's BPF object");
	source = (struct source){
		.counts = skel->maps.counts,
		.totals = skel->maps.totals,
		.programs = {
			[KMEM_EV_CACHE_ALLOC] = skel->progs.library_cache_alloc,
			[KMEM_EV_CACHE_FREE] = skel->progs.library_cache_free,
			[KMEM_EV_KMALLOC] = skel->progs.library_kmalloc,
			[KMEM_EV_KFREE] = skel->progs.library_kfree,
			[KMEM_EV_PAGE_ALLOC] = skel->progs.library_page_alloc,
			[KMEM_EV_PAGE_FREE] = skel->progs.library_page_free,
		},
		.usdt = {
			[KMEM_EV_CACHE_ALLOC] = skel->progs.library_usdt_cache_alloc,
			[KMEM_EV_CACHE_FREE] = skel->progs.library_usdt_cache_free,
			[KMEM_EV_KMALLOC] = skel->progs.library_usdt_kmalloc,
			[KMEM_EV_KFREE] = skel->progs.library_usdt_kfree,
			[KMEM_EV_PAGE_ALLOC] = skel->progs.library_usdt_page_alloc,
			[KMEM_EV_PAGE_FREE] = skel->progs.library_usdt_page_free,
		},
	};
	ret = prepare_source(c, &source);
	if (!ret)
		ret = prepare_objects(c, skel);
	if (!ret)
		ret = library_bpf__load(skel);
	if (ret) {
		library_bpf__destroy(skel);
		return bpfenv_error(err, len, ret, "load the programs for libkmem's probes");
	}
	c->library = skel;
	c->sources[KMEM_SOURCE_LIBRARY] = source;
	return 0;
}

static struct watched *find_watched(struct collect *c, pid_t pid)
{
	size_t i;

	for (i = 0; i < KMEM_MAX_TARGETS; i++)
		if (c->watched[i].pid == pid)
			return &c->watched[i];
	return NULL;
}

static int set_target(struct collect *c, const struct watched *slot,
		      const struct kmem_target *target)
{
	uint32_t index = (uint32_t)(slot - c->watched);

	return bpf_map__update_elem(c->library->maps.targets, &index, sizeof(index),
				    target, sizeof(*target), BPF_ANY);
}

static void release(struct collect *c, struct watched *slot)
{
	const struct kmem_target none = { 0 };
	unsigned int type;

	for (type = 0; type < KMEM_EV_NR; type++)
		bpf_link__destroy(slot->links[type]);
	set_target(c, slot, &none);
	memset(slot, 0, sizeof(*slot));
}

/* True if the arguments that the program reads are in the registers where it looks. */
static bool args_fit(const struct usdt_probe *probe, unsigned int args)
{
	unsigned int i;

	for (i = 0; i < NR_ARG_REGISTERS; i++) {
		const char *where = usdt_arg_register(probe->args, i);

		if (args & 1u << i && (!where || strcmp(where, arg_registers[i]) != 0))
			return false;
	}
	return true;
}

/* By registers: one link for the probe's only site. */
static struct bpf_link *attach_uprobe(struct collect *c, const struct watched *slot,
				      unsigned int type, const struct probe_file *file,
				      const struct usdt_probe *probe)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts,
		.ref_ctr_offset = probe->semaphore,
		.bpf_cookie = (uint64_t)(slot - c->watched));

	return bpf_program__attach_uprobe_opts(c->sources[KMEM_SOURCE_LIBRARY].programs[type],
					       slot->pid, file->path, probe->site, &opts);
}

/* By libbpf's decoder: one link for all sites. */
static struct bpf_link *attach_usdt(struct collect *c, const struct watched *slot,
				    unsigned int type, const struct probe_file *file)
{
	LIBBPF_OPTS(bpf_usdt_opts, opts, .usdt_cookie = (uint64_t)(slot - c->watched));

	return bpf_program__attach_usdt(c->sources[KMEM_SOURCE_LIBRARY].usdt[type], slot->pid,
					file->path, PROVIDER, probe_uses[type].name, &opts);
}

/* Attaches to one probe in the cheapest way that is right. */
static int attach_probe(struct collect *c, struct watched *slot, unsigned int type,
			const struct probe_file *file, char *err, size_t len)
{
	const struct usdt_probe *probe = NULL;
	const char *name = probe_uses[type].name;
	size_t i, sites = 0;

	for (i = 0; i < file->nr_probes; i++) {
		if (strcmp(file->probes[i].name, name) != 0)
			continue;
		probe = &file->probes[i];
		sites++;
	}
	if (!sites)
		return bpfenv_fail(err, len, -ENOENT,
				   "%s has no probe " PROVIDER ":%s: rebuild libkmem with probes",
				   file->name, name);
	if (sites == 1 && args_fit(probe, probe_uses[type].args))
		slot->links[type] = attach_uprobe(c, slot, type, file, probe);
	else
		slot->links[type] = attach_usdt(c, slot, type, file);
	if (!slot->links[type])
		return bpfenv_error(err, len, -errno, "attach to libkmem's probes");
	return 0;
}

static int attach_probes(struct collect *c, struct watched *slot, uint64_t root,
			 char *err, size_t len)
{
	struct probe_file file;
	unsigned int type;
	int ret;

	ret = probe_file_find(slot->pid, PROVIDER, root, &file, err, len);
	if (ret)
		return ret;
	for (type = 0; type < KMEM_EV_NR && !ret; type++)
		if (is_wanted(c, type))
			ret = attach_probe(c, slot, type, &file, err, len);
	probe_file_free(&file);
	return ret;
}

int collect_attach_library(struct collect *c, const struct collect_target *target,
			   char *err, size_t len)
{
	const struct kmem_target record = {
		.arena_base = target->arena_base,
		.arena_limit = target->arena_limit,
		.idmap = target->idmap,
		.pages = target->pages,
		.tgid = (uint32_t)target->pid,
	};
	struct watched *slot;
	int ret;

	if (target->pid <= 0)
		return bpfenv_fail(err, len, -ESRCH, "%d is no process id", target->pid);
	if (find_watched(c, target->pid))
		return bpfenv_fail(err, len, -EEXIST, "process %d is watched already: detach it first",
				   target->pid);
	slot = find_watched(c, 0);
	if (!slot)
		return bpfenv_fail(err, len, -ENOSPC, "more than %d processes: detach one first",
				   KMEM_MAX_TARGETS);
	ret = load_library(c, err, len);
	if (ret)
		return ret;
	ret = set_target(c, slot, &record);
	if (ret)
		return bpfenv_error(err, len, ret, "tell the programs about the process");
	slot->pid = target->pid;
	ret = attach_probes(c, slot, target->root, err, len);
	if (ret)
		release(c, slot);
	return ret;
}

int collect_detach_library(struct collect *c, pid_t pid, char *err, size_t len)
{
	struct watched *slot = pid > 0 ? find_watched(c, pid) : NULL;

	if (!slot)
		return bpfenv_fail(err, len, -ENOENT, "process %d is not watched", pid);
	release(c, slot);
	return 0;
}

/* ---- the kernel source ---- */

static int load_kernel(struct collect *c, char *err, size_t len)
{
	struct kernel_bpf *skel;
	struct source source;
	int ret;

	if (c->kernel)
		return 0;
	skel = kernel_bpf__open();
	if (!skel)
		return bpfenv_error(err, len, -errno, "open the kernel's BPF object");
	source = (struct source){
		.counts = skel->maps.counts,
		.totals = skel->maps.totals,
		.programs = {
			[KMEM_EV_CACHE_ALLOC] = skel->progs.kernel_cache_alloc,
			[KMEM_EV_CACHE_FREE] = skel->progs.kernel_cache_free,
			[KMEM_EV_KMALLOC] = skel->progs.kernel_kmalloc,
			[KMEM_EV_KFREE] = skel->progs.kernel_kfree,
			[KMEM_EV_PAGE_ALLOC] = skel->progs.kernel_page_alloc,
			[KMEM_EV_PAGE_FREE] = skel->progs.kernel_page_free,
		},
	};
	skel->rodata->config = kernel_config_of(c->options.kernel_pid);
	skel->rodata->count_sizes = c->options.max_sizes != 0;
	ret = prepare_source(c, &source);
	if (!ret && c->options.max_sizes)
		ret = bpf_map__set_max_entries(skel->maps.sizes, c->options.max_sizes);
	if (!ret)
		ret = kernel_bpf__load(skel);
	if (ret) {
		kernel_bpf__destroy(skel);
		return bpfenv_error(err, len, ret, "load the programs for the kernel's tracepoints");
	}
	c->kernel = skel;
	c->sources[KMEM_SOURCE_KERNEL] = source;
	return 0;
}

static void detach_kernel(struct collect *c)
{
	unsigned int type;

	for (type = 0; type < KMEM_EV_NR; type++) {
		bpf_link__destroy(c->kernel_links[type]);
		c->kernel_links[type] = NULL;
	}
}

int collect_attach_kernel(struct collect *c, char *err, size_t len)
{
	struct source *source = &c->sources[KMEM_SOURCE_KERNEL];
	unsigned int type;
	int ret;

	for (type = 0; type < KMEM_EV_NR; type++)
		if (c->kernel_links[type])
			return bpfenv_fail(err, len, -EEXIST,
					   "the kernel is watched already: detach first");
	ret = load_kernel(c, err, len);
	if (ret)
		return ret;
	for (type = 0; type < KMEM_EV_NR; type++) {
		if (!is_wanted(c, type))
			continue;
		c->kernel_links[type] = bpf_program__attach(source->programs[type]);
		if (!c->kernel_links[type]) {
			ret = -errno;
			detach_kernel(c);
			return bpfenv_error(err, len, ret, "attach to the kernel's tracepoints");
		}
	}
	return 0;
}

bool collect_kernel_names_kmalloc(const struct collect *c)
{
	return c->kernel && c->kernel->rodata->config.lookup != KERNEL_LOOKUP_NONE;
}

/* ---- reading ---- */

static int need_cpus(struct collect *c)
{
	int nr;

	if (c->nr_cpus)
		return 0;
	nr = libbpf_num_possible_cpus();
	if (nr < 0)
		return nr;
	c->nr_cpus = (size_t)nr;
	return 0;
}

static int grow_batch(struct collect *c)
{
	uint32_t batch = c->batch ? 2 * c->batch : FIRST_BATCH;
	void *keys, *values;

	keys = reallocarray(c->batch_keys, batch, sizeof(*c->batch_keys));
	if (!keys)
		return -ENOMEM;
	c->batch_keys = keys;
	values = reallocarray(c->batch_values, batch, c->nr_cpus * sizeof(*c->batch_values));
	if (!values)
		return -ENOMEM;
	c->batch_values = values;
	c->batch = batch;
	return 0;
}

/* Adds the first `nr` counters of the batch, summed over the CPUs, to the rows. */
static int take_batch(struct collect *c, uint32_t nr)
{
	struct collect_count *row;
	size_t i, cpu, room;

	if (c->nr_rows + nr > c->rows_room) {
		room = c->nr_rows + nr + FIRST_BATCH;
		row = reallocarray(c->rows, room, sizeof(*row));
		if (!row)
			return -ENOMEM;
		c->rows = row;
		c->rows_room = room;
	}
	for (i = 0; i < nr; i++) {
		const struct kmem_count *value = &c->batch_values[i * c->nr_cpus];

		row = &c->rows[c->nr_rows];
		*row = (struct collect_count){ .key = c->batch_keys[i] };
		for (cpu = 0; cpu < c->nr_cpus; cpu++) {
			row->count.events += value[cpu].events;
			row->count.bytes_req += value[cpu].bytes_req;
			row->count.bytes_alloc += value[cpu].bytes_alloc;
		}
		if (row->count.events) /* 0: it was a duplicate, taken back */
			c->nr_rows++;
	}
	return 0;
}

static int read_source(struct collect *c, struct source *source)
{
	struct kmem_count_key token, next; /* a hash map's token is smaller than its key */
	bool first = true;
	uint32_t nr;
	int ret, taken;

	source->used = 0;
	do {
		nr = c->batch;
		ret = bpf_map_lookup_batch(bpf_map__fd(source->counts), first ? NULL : &token,
					   &next, c->batch_keys, c->batch_values, &nr, NULL);
		if (ret == -ENOSPC) { /* one hash chain is longer than the batch */
			ret = grow_batch(c);
			if (ret)
				return ret;
			continue;
		}
		if (ret && ret != -ENOENT)
			return ret;
		taken = take_batch(c, nr);
		if (taken)
			return taken;
		source->used += nr;
		token = next;
		first = false;
	} while (ret != -ENOENT);
	return 0;
}

int collect_read_counts(struct collect *c, const struct collect_count **rows, size_t *nr,
			char *err, size_t len)
{
	unsigned int i;
	int ret;

	c->nr_rows = 0;
	ret = need_cpus(c);
	if (!ret && !c->batch)
		ret = grow_batch(c);
	for (i = 0; i < KMEM_SOURCE_NR && !ret; i++)
		if (c->sources[i].counts)
			ret = read_source(c, &c->sources[i]);
	if (ret)
		return bpfenv_error(err, len, ret, "read the event counters");
	*rows = c->rows;
	*nr = c->nr_rows;
	return 0;
}

/* Entries are never deleted, so that going from key to key misses none. */
static int read_sizes(struct collect *c, uint64_t *cpus, size_t *nr)
{
	const struct bpf_map *map = c->kernel->maps.sizes;
	struct kmem_size_key key, previous;
	size_t cpu;

	for (*nr = 0; *nr < c->options.max_sizes; (*nr)++) {
		struct collect_size *size = &c->sizes[*nr];

		if (bpf_map__get_next_key(map, *nr ? &previous : NULL, &key, sizeof(key)))
			break;
		previous = key;
		*size = (struct collect_size){ .key = key };
		if (bpf_map__lookup_elem(map, &key, sizeof(key), cpus, c->nr_cpus * sizeof(*cpus), 0))
			return -errno;
		for (cpu = 0; cpu < c->nr_cpus; cpu++)
			size->events += cpus[cpu];
	}
	return 0;
}

int collect_read_sizes(struct collect *c, const struct collect_size **sizes, size_t *nr, char *err, size_t len)
{
	uint64_t *cpus;
	int ret;

	*nr = 0;
	if (!c->kernel || !c->options.max_sizes)
		return 0;
	ret = need_cpus(c);
	if (ret)
		return bpfenv_error(err, len, ret, "count the CPUs");
	if (!c->sizes)
		c->sizes = calloc(c->options.max_sizes, sizeof(*c->sizes));
	cpus = calloc(c->nr_cpus, sizeof(*cpus));
	ret = cpus && c->sizes ? read_sizes(c, cpus, nr) : -ENOMEM;
	free(cpus);
	*sizes = c->sizes;
	return ret ? bpfenv_error(err, len, ret, "read the sizes of kmalloc() calls") : 0;
}

static void add_totals(struct kmem_totals *sum, const struct kmem_totals *cpu)
{
	unsigned int type;

	for (type = 0; type < KMEM_EV_NR; type++)
		sum->events[type] += cpu->events[type];
	sum->null_frees += cpu->null_frees;
	sum->failed += cpu->failed;
	sum->map_full += cpu->map_full;
	sum->map_busy += cpu->map_busy;
	sum->unreadable += cpu->unreadable;
	sum->duplicates += cpu->duplicates;
	sum->objects_lost += cpu->objects_lost;
	sum->sizes_full += cpu->sizes_full;
}

static uint64_t missed_runs(const struct collect *c, const struct source *source)
{
	uint64_t missed = 0;
	unsigned int type;

	for (type = 0; type < KMEM_EV_NR; type++)
		if (is_wanted(c, type)) {
			missed += bpfenv_missed(bpf_program__fd(source->programs[type]));
			if (source->usdt[type])
				missed += bpfenv_missed(bpf_program__fd(source->usdt[type]));
		}
	return missed;
}

int collect_read_totals(struct collect *c, enum kmem_source which,
			struct collect_totals *totals, char *err, size_t len)
{
	const struct source *source = &c->sources[which];
	struct kmem_totals *cpus;
	uint32_t zero = 0;
	size_t i;
	int ret;

	memset(totals, 0, sizeof(*totals));
	totals->counters_used = source->used;
	totals->counters_max = c->options.max_counts;
	if (!source->totals)
		return 0;
	ret = need_cpus(c);
	if (ret)
		return bpfenv_error(err, len, ret, "count the CPUs");
	cpus = calloc(c->nr_cpus, sizeof(*cpus));
	if (!cpus)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	ret = bpf_map__lookup_elem(source->totals, &zero, sizeof(zero), cpus,
				   c->nr_cpus * sizeof(*cpus), 0);
	for (i = 0; i < c->nr_cpus && !ret; i++)
		add_totals(&totals->sum, &cpus[i]);
	free(cpus);
	if (ret)
		return bpfenv_error(err, len, ret, "read the event totals");
	totals->missed = missed_runs(c, source);
	return 0;
}

int collect_find_object(const struct collect *c, pid_t pid, uint64_t address,
			struct collect_object *object)
{
	const struct kmem_object_key key = { .address = address, .tgid = (uint32_t)pid };
	struct kmem_object found;

	if (!c->library || bpf_map__lookup_elem(c->library->maps.objects, &key, sizeof(key), &found,
						sizeof(found), 0))
		return -ENOENT;
	*object = (struct collect_object){
		.call_site = found.call_site,
		.time_ns = found.time_ns,
		.bytes_req = found.bytes_req,
	};
	return 0;
}

/* ---- the end ---- */

void collect_detach(struct collect *c)
{
	size_t i;

	for (i = 0; i < KMEM_MAX_TARGETS; i++)
		if (c->watched[i].pid)
			release(c, &c->watched[i]);
	detach_kernel(c);
}

void collect_close(struct collect *c)
{
	if (!c)
		return;
	collect_detach(c);
	library_bpf__destroy(c->library);
	kernel_bpf__destroy(c->kernel);
	free(c->rows);
	free(c->batch_keys);
	free(c->batch_values);
	free(c->sizes);
	free(c);
}
