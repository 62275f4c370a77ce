/* SPDX-License-Identifier: BSD-2-Clause */
/* modules.c - executable maps with paths, and the build-ids of their files. */
#include "kmemtrace/modules.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS UINT64_C(20000000)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static bool is_known(const struct modules *m, uint64_t address)
{
	for (size_t i = 0; i < m->nr; i++)
		if (address >= m->known[i].start && address < m->known[i].end)
			return true;
	return false;
}

static void remember(struct modules *m, const struct target_map *map)
{
	if (m->nr == m->room) {
		size_t room = m->room ? 2 * m->room : 32;
		void *more = realloc(m->known, room * sizeof(*m->known));

		if (!more)
			return;
		m->known = more;
		m->room = room;
	}
	m->known[m->nr].start = map->start;
	m->known[m->nr++].end = map->end;
}

/* Separate debug files have the program's addresses, but not its offsets. */
static void read_vaddr(Elf *elf, struct trace_module *module)
{
	GElf_Phdr ph;
	size_t nr;

	if (elf_getphdrnum(elf, &nr))
		return;
	for (size_t i = 0; i < nr; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && (ph.p_flags & PF_X) &&
		    module->offset + (module->end - module->start) > ph.p_offset &&
		    module->offset < ph.p_offset + ph.p_filesz)
			module->vaddr = module->offset - ph.p_offset + ph.p_vaddr;
}

/* Of the very file that is mapped. */
static void read_file(const struct target *t, const struct target_map *map, struct trace_module *module)
{
	char path[4200];
	const void *id;
	ssize_t len;
	Elf *elf;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, t->pid, map->start, map->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/root%s", t->pid, map->path);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	len = elf ? dwelf_elf_gnu_build_id(elf, &id) : -1;
	if (elf)
		read_vaddr(elf, module);
	if (len > 0 && (size_t)len <= sizeof(module->build_id)) {
		memcpy(module->build_id, id, (size_t)len);
		module->build_id_len = (uint32_t)len;
	}
	elf_end(elf);
	close(fd);
}

void modules_read(struct modules *m, struct target *t, uint32_t key, struct trace_writer *w)
{
	m->read_ns = now_ns();
	if (target_reload_maps(t))
		return;
	for (size_t i = 0; i < t->nr_maps; i++) {
		const struct target_map *map = &t->maps[i];
		struct trace_module module = {
			.path = map->path, .start = map->start, .end = map->end, .offset = map->offset,
			.vaddr = map->offset,
			.pid = key,
		};

		if (!(map->perms & TARGET_EXEC) || !map->path[0] || is_known(m, map->start))
			continue;
		if (map->inode)
			read_file(t, map, &module);
		trace_add_module(w, &module);
		remember(m, map);
	}
}

void modules_need(struct modules *m, struct target *t, uint32_t key, struct trace_writer *w, const uint64_t *address,
		  uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (!is_known(m, address[i])) {
			if (now_ns() - m->read_ns > PAUSE_NS)
				modules_read(m, t, key, w);
			return;
		}
}

void modules_free(struct modules *m)
{
	free(m->known);
	*m = (struct modules){ 0 };
}
