// SPDX-License-Identifier: BSD-2-Clause
/* kobjects.c - the user side of bpf/kobjects.bpf.c. */
#include "common/kobjects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/bpfenv.h"
#include "common/kernel_config.h"

#pragma GCC diagnostic push /* generated code */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "kobjects.skel.h"
#pragma GCC diagnostic pop

#define MAX_OBJECTS 524288
#define MAX_STACKS  65536
#define FIRST_BATCH 4096 /* objects read per system call */

enum { CACHE_FREE, KFREE, CACHE_ALLOC, KMALLOC, NR_PROGRAMS }; /* in the order of attaching */

struct kobjects {
	struct kobjects_bpf *skel;
	struct bpf_link *links[NR_PROGRAMS];
	struct kobjects_row *rows;
	size_t nr_rows, room;
	uint64_t *keys; /* of a batch */
	struct kmem_kernel_object *values;
	uint32_t batch;
	struct kobjects_tally *tallies;
};

static struct bpf_program *program_of(const struct kobjects *ko, unsigned int which)
{
	struct bpf_program *const programs[NR_PROGRAMS] = {
		[CACHE_FREE] = ko->skel->progs.kobjects_cache_free,
		[KFREE] = ko->skel->progs.kobjects_kfree,
		[CACHE_ALLOC] = ko->skel->progs.kobjects_cache_alloc,
		[KMALLOC] = ko->skel->progs.kobjects_kmalloc,
	};

	return programs[which];
}

static int load(struct kobjects *ko, const struct kobjects_options *options, char *err, size_t len)
{
	int ret;

	ko->skel = kobjects_bpf__open();
	if (!ko->skel)
		return bpfenv_error(err, len, -errno, "open the BPF object for the kernel's objects");
	ko->skel->rodata->config = kernel_config_of(options->pid);
	ko->skel->rodata->stack_every = options->stack_every;
	ret = bpf_map__set_max_entries(ko->skel->maps.objects, options->max_objects ? options->max_objects : MAX_OBJECTS);
	if (!ret && options->stack_every)
		ret = bpf_map__set_max_entries(ko->skel->maps.stacks, MAX_STACKS);
	if (!ret)
		ret = kobjects_bpf__load(ko->skel);
	return ret ? bpfenv_error(err, len, ret, "load the programs for the kernel's objects") : 0;
}

int kobjects_open(struct kobjects **kobjects, const struct kobjects_options *options, char *err, size_t len)
{
	const struct kobjects_options none = { 0 };
	struct kobjects *ko = calloc(1, sizeof(*ko));
	int ret;

	bpfenv_init();
	if (!ko)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	ret = load(ko, options ? options : &none, err, len);
	if (ret) {
		kobjects_close(ko);
		return ret;
	}
	*kobjects = ko;
	return 0;
}

bool kobjects_names_kmalloc(const struct kobjects *ko)
{
	return ko->skel->rodata->config.lookup != KERNEL_LOOKUP_NONE;
}

static void unlink_all(struct kobjects *ko)
{
	for (unsigned int i = 0; i < NR_PROGRAMS; i++) {
		bpf_link__destroy(ko->links[i]);
		ko->links[i] = NULL;
	}
}

int kobjects_attach(struct kobjects *ko, char *err, size_t len)
{
	int ret;

	for (unsigned int i = 0; i < NR_PROGRAMS; i++) {
		if (ko->links[i])
			continue;
		ko->links[i] = bpf_program__attach(program_of(ko, i));
		if (ko->links[i])
			continue;
		ret = -errno;
		unlink_all(ko);
		return bpfenv_error(err, len, ret, "attach to the kernel's tracepoints");
	}
	return 0;
}

/* ---- reading ---- */

static int grow_batch(struct kobjects *ko)
{
	uint32_t batch = ko->batch ? 2 * ko->batch : FIRST_BATCH;
	void *keys = reallocarray(ko->keys, batch, sizeof(*ko->keys)), *values;

	if (!keys)
		return -ENOMEM;
	ko->keys = keys;
	values = reallocarray(ko->values, batch, sizeof(*ko->values));
	if (!values)
		return -ENOMEM;
	ko->values = values;
	ko->batch = batch;
	return 0;
}

static int take_batch(struct kobjects *ko, uint32_t nr)
{
	if (ko->nr_rows + nr > ko->room) {
		size_t room = 2 * ko->room + nr;
		void *rows = reallocarray(ko->rows, room, sizeof(*ko->rows));

		if (!rows)
			return -ENOMEM;
		ko->rows = rows;
		ko->room = room;
	}
	for (uint32_t i = 0; i < nr; i++)
		ko->rows[ko->nr_rows++] = (struct kobjects_row){ ko->keys[i], ko->values[i] };
	return 0;
}

static int read_objects(struct kobjects *ko)
{
	int fd = bpf_map__fd(ko->skel->maps.objects), ret, taken;
	uint64_t token = 0, next = 0;
	bool first = true;
	uint32_t nr;

	do {
		nr = ko->batch;
		ret = bpf_map_lookup_batch(fd, first ? NULL : &token, &next, ko->keys, ko->values, &nr, NULL);
		if (ret == -ENOSPC) { /* one hash chain is longer than the batch */
			ret = grow_batch(ko);
			if (ret)
				return ret;
			continue;
		}
		if (ret && ret != -ENOENT)
			return ret;
		taken = take_batch(ko, nr);
		if (taken)
			return taken;
		token = next;
		first = false;
	} while (ret != -ENOENT);
	return 0;
}

int kobjects_read(struct kobjects *ko, const struct kobjects_row **rows, size_t *nr, char *err, size_t len)
{
	int ret = ko->batch ? 0 : grow_batch(ko);

	ko->nr_rows = 0;
	if (!ret)
		ret = read_objects(ko);
	if (ret)
		return bpfenv_error(err, len, ret, "read the kernel's objects");
	*rows = ko->rows;
	*nr = ko->nr_rows;
	return 0;
}

bool kobjects_forget(struct kobjects *ko, const struct kobjects_row *row)
{
	struct bpf_map *map = ko->skel->maps.objects;
	struct kmem_kernel_object now;

	return !bpf_map__lookup_elem(map, &row->address, sizeof(row->address), &now, sizeof(now), 0) &&
	       now.time_ns == row->object.time_ns && !bpf_map__delete_elem(map, &row->address, sizeof(row->address), 0);
}

static void add_tally(struct kmem_kernel_tally *sum, const struct kmem_kernel_tally *cpu)
{
	sum->allocs += cpu->allocs;
	sum->frees += cpu->frees;
	sum->silent += cpu->silent;
	sum->unknown += cpu->unknown;
}

/* Entries are never deleted, so that going from key to key misses none. */
static int read_tallies(struct kobjects *ko, struct kmem_kernel_tally *cpus, size_t nr_cpus, size_t *nr)
{
	struct bpf_map *map = ko->skel->maps.tallies;
	uint64_t key, previous = 0;
	size_t max = bpf_map__max_entries(map), cpu;

	for (*nr = 0; *nr < max; (*nr)++) {
		struct kobjects_tally *row = &ko->tallies[*nr];

		if (bpf_map__get_next_key(map, *nr ? &previous : NULL, &key, sizeof(key)))
			break;
		previous = key;
		*row = (struct kobjects_tally){ .cache = key };
		if (bpf_map__lookup_elem(map, &key, sizeof(key), cpus, nr_cpus * sizeof(*cpus), 0))
			return -errno;
		for (cpu = 0; cpu < nr_cpus; cpu++)
			add_tally(&row->tally, &cpus[cpu]);
	}
	return 0;
}

int kobjects_read_tallies(struct kobjects *ko, const struct kobjects_tally **tallies, size_t *nr, char *err, size_t len)
{
	int nr_cpus = libbpf_num_possible_cpus(), ret;
	struct kmem_kernel_tally *cpus = nr_cpus > 0 ? calloc((size_t)nr_cpus, sizeof(*cpus)) : NULL;

	if (!ko->tallies)
		ko->tallies = calloc(bpf_map__max_entries(ko->skel->maps.tallies), sizeof(*ko->tallies));
	if (!cpus || !ko->tallies) {
		free(cpus);
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	}
	ret = read_tallies(ko, cpus, (size_t)nr_cpus, nr);
	free(cpus);
	*tallies = ko->tallies;
	return ret ? bpfenv_error(err, len, ret, "read the tallies of the kernel's caches") : 0;
}

static void add_totals(struct kmem_object_totals *sum, const struct kmem_object_totals *cpu)
{
	sum->null_frees += cpu->null_frees;
	sum->failed += cpu->failed;
	sum->duplicates += cpu->duplicates;
	sum->lost += cpu->lost;
	sum->stale += cpu->stale;
	sum->uncounted += cpu->uncounted;
	sum->no_stack += cpu->no_stack;
}

int kobjects_read_totals(struct kobjects *ko, struct kobjects_totals *totals, char *err, size_t len)
{
	int nr = libbpf_num_possible_cpus(), ret;
	struct kmem_object_totals *cpus = nr > 0 ? calloc((size_t)nr, sizeof(*cpus)) : NULL;
	uint32_t zero = 0;

	memset(totals, 0, sizeof(*totals));
	if (!cpus)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	ret = bpf_map__lookup_elem(ko->skel->maps.totals, &zero, sizeof(zero), cpus, (size_t)nr * sizeof(*cpus), 0);
	for (int i = 0; i < nr && !ret; i++)
		add_totals(&totals->sum, &cpus[i]);
	free(cpus);
	if (ret)
		return bpfenv_error(err, len, ret, "read the totals of the kernel's objects");
	for (unsigned int i = 0; i < NR_PROGRAMS; i++) {
		uint64_t missed = bpfenv_missed(bpf_program__fd(program_of(ko, i)));

		totals->missed += missed;
		totals->missed_allocs += i >= CACHE_ALLOC ? missed : 0;
	}
	return 0;
}

size_t kobjects_stack(const struct kobjects *ko, int32_t stack, uint64_t frames[KOBJECTS_FRAMES])
{
	uint32_t key = (uint32_t)stack;
	size_t nr = 0;

	memset(frames, 0, KOBJECTS_FRAMES * sizeof(*frames));
	if (stack < 0 || bpf_map__lookup_elem(ko->skel->maps.stacks, &key, sizeof(key), frames,
					      KOBJECTS_FRAMES * sizeof(*frames), 0))
		return 0;
	while (nr < KOBJECTS_FRAMES && frames[nr])
		nr++;
	return nr;
}

void kobjects_close(struct kobjects *ko)
{
	if (!ko)
		return;
	if (ko->skel)
		unlink_all(ko);
	kobjects_bpf__destroy(ko->skel);
	free(ko->rows);
	free(ko->keys);
	free(ko->values);
	free(ko->tallies);
	free(ko);
}
