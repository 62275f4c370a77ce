// SPDX-License-Identifier: BSD-2-Clause
/* kslabs.c - the user side of bpf/kslabs.bpf.c. */
#include "common/kslabs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/bpfenv.h"

#pragma GCC diagnostic push /* generated code */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "kslabs.skel.h"
#pragma GCC diagnostic pop

#define MAX_SLABS  262144
#define MAX_CHECKS 4096 /* per run of the program */
#define PAGE_SHIFT 12

struct kslabs {
	struct kslabs_bpf *skel;
	struct kmem_slab_info *slabs;     /* the program's, mapped */
	struct kmem_object_check *checks; /* the same */
};

uint64_t kslabs_map_address(const struct kmem_page_map *map, uint64_t descriptor)
{
	int64_t pages;

	if (!map->descriptor || !map->descriptor_bytes)
		return 0;
	pages = (int64_t)(descriptor - map->descriptor) / (int64_t)map->descriptor_bytes;
	return map->address + ((uint64_t)pages << PAGE_SHIFT);
}

static size_t map_bytes(const struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t value = ((size_t)bpf_map__value_size(map) + 7) / 8 * 8;

	return (value * bpf_map__max_entries(map) + page - 1) / page * page;
}

static void *map_array(const struct bpf_map *map)
{
	void *mapped = mmap(NULL, map_bytes(map), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

static int load(struct kslabs *ks, char *err, size_t len)
{
	int ret;

	ks->skel = kslabs_bpf__open();
	if (!ks->skel)
		return bpfenv_error(err, len, -errno, "open the slab walker");
	ks->skel->rodata->nr_cpus = bpfenv_nr_cpus();
	ks->skel->rodata->nr_nodes = bpfenv_nr_nodes();
	ret = bpf_map__set_max_entries(ks->skel->maps.slabs, MAX_SLABS);
	if (!ret)
		ret = bpf_map__set_max_entries(ks->skel->maps.checks, MAX_CHECKS);
	if (!ret)
		ret = kslabs_bpf__load(ks->skel);
	if (ret)
		return bpfenv_error(err, len, ret, "load the slab walker");
	ks->slabs = map_array(ks->skel->maps.slabs);
	ks->checks = map_array(ks->skel->maps.checks);
	if (!ks->slabs || !ks->checks)
		return bpfenv_error(err, len, -errno, "map the slab walker's rows");
	return 0;
}

static int run(const struct bpf_program *program, struct kmem_slabs_request *request)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = request, .ctx_size_in = sizeof(*request));
	int ret = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);

	if (!ret && opts.retval)
		ret = -ENODATA;
	return ret;
}

/* Any cache with a slab that has free objects will do. */
static int learn_pages(struct kslabs *ks, struct kcaches *kc, char *err, size_t len)
{
	const struct kmem_cache_info *rows;
	size_t i, nr;
	int ret = kcaches_read(kc, &rows, &nr, err, len);

	for (i = 0; !ret && i < nr && !ks->skel->bss->page_map.descriptor; i++) {
		struct kmem_slabs_request request = { .cache = rows[i].cache };

		if (request.cache && run(ks->skel->progs.slabs_list, &request))
			return bpfenv_error(err, len, -EIO, "list the kernel's slabs");
	}
	if (!ret && !ks->skel->bss->page_map.descriptor)
		ret = bpfenv_fail(err, len, -ENODATA, "the kernel's page descriptors cannot be found: no slab has a free object");
	return ret;
}

int kslabs_open(struct kslabs **kslabs, struct kcaches *kc, char *err, size_t len)
{
	struct kslabs *ks;
	int ret;

	bpfenv_init();
	if (kcaches_source(kc) == KCACHES_SLABINFO)
		return bpfenv_fail(err, len, -ENOTSUP, "%s", kcaches_why(kc));
	ks = calloc(1, sizeof(*ks));
	if (!ks)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	ret = load(ks, err, len);
	if (!ret)
		ret = learn_pages(ks, kc, err, len);
	if (ret) {
		kslabs_close(ks);
		return ret;
	}
	*kslabs = ks;
	return 0;
}

uint64_t kslabs_page_address(const struct kslabs *ks, uint64_t descriptor)
{
	const struct kmem_page_map map = ks->skel->bss->page_map;

	return kslabs_map_address(&map, descriptor);
}

int kslabs_list(struct kslabs *ks, uint64_t cache, const struct kmem_slab_info **slabs, size_t *nr, char *err,
		size_t len)
{
	struct kmem_slabs_request request = { .cache = cache };
	int ret = run(ks->skel->progs.slabs_list, &request);
	size_t i;

	if (ret)
		return bpfenv_error(err, len, ret, "list a cache's slabs");
	if (ks->skel->bss->no_room)
		return bpfenv_fail(err, len, -E2BIG, "a cache with more than %d slabs that are not full", MAX_SLABS);
	*nr = ks->skel->bss->nr_slabs;
	*slabs = ks->slabs;
	for (i = 0; i < *nr; i++)
		ks->slabs[i].address = kslabs_page_address(ks, ks->slabs[i].descriptor);
	return 0;
}

void kslabs_moment(const struct kslabs *ks, struct kmem_slabs_moment *moment)
{
	*moment = ks->skel->bss->moment;
}

int kslabs_check(struct kslabs *ks, struct kmem_object_check *checks, size_t nr, char *err, size_t len)
{
	while (nr) {
		struct kmem_slabs_request request = { .nr = nr < MAX_CHECKS ? nr : MAX_CHECKS };
		int ret;

		memcpy(ks->checks, checks, request.nr * sizeof(*checks));
		ret = run(ks->skel->progs.slabs_check, &request);
		if (ret)
			return bpfenv_error(err, len, ret, "look at the kernel's objects");
		memcpy(checks, ks->checks, request.nr * sizeof(*checks));
		checks += request.nr;
		nr -= request.nr;
	}
	return 0;
}

void kslabs_close(struct kslabs *ks)
{
	if (!ks)
		return;
	if (ks->slabs)
		munmap(ks->slabs, map_bytes(ks->skel->maps.slabs));
	if (ks->checks)
		munmap(ks->checks, map_bytes(ks->skel->maps.checks));
	kslabs_bpf__destroy(ks->skel);
	free(ks);
}
