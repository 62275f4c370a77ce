/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbols.c - libdwfl for processes, /proc/kallsyms for the kernel.
 */
#include "common/symbols.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/target.h"

struct ksym {
	uint64_t addr;
	const char *name; /* "name" or "name [module]", in symbols.text */
};

struct symbols {
	struct target target; /* processes: for its maps */
	Dwfl *dwfl;
	struct ksym *ksyms;   /* kernel: by address */
	size_t nr_ksyms;
	char *text;
};

/* A code address and what it belongs to, as found. */
struct place {
	const char *name;   /* NULL: no symbol */
	int name_len;
	uint64_t offset;    /* from the symbol, or from the module's start */
	uint64_t size;      /* of the symbol */
	const char *module; /* NULL: none, or the kernel itself */
	int module_len;
};

/* "name+0x12[/0x40] [module]", "[module+0x1234]" or "0x7f12..." */
static const char *put_place(const struct place *place, bool sized, uint64_t addr, char *buf, size_t len)
{
	char size[24] = "";

	if (sized)
		snprintf(size, sizeof(size), "/0x%" PRIx64, place->size);
	if (place->name)
		snprintf(buf, len, "%.*s+0x%" PRIx64 "%s%s%.*s%s", place->name_len, place->name, place->offset, size,
			 place->module ? " [" : "", place->module_len, place->module ? place->module : "",
			 place->module ? "]" : "");
	else if (place->module)
		snprintf(buf, len, "[%.*s+0x%" PRIx64 "]", place->module_len, place->module, place->offset);
	else
		snprintf(buf, len, "0x%" PRIx64, addr);
	return buf;
}

/* ---- processes ------------------------------------------------------------------------------ */

/*
 * The file that is mapped, not the one that has its name now. The links of
 * map_files need a capability; root/ does without, except for deleted files,
 * and for those libdwfl knows a way through the memory.
 */
static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base, char **file_name,
		    Elf **elf)
{
	const struct symbols *symbols = *userdata;
	const struct target_map *map = symbols ? target_map_of(&symbols->target, base) : NULL;
	char path[4200];
	int fd;

	if (map && map->inode) {
		snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, symbols->target.pid, map->start,
			 map->end);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			snprintf(path, sizeof(path), "/proc/%d/root%s", symbols->target.pid, map->path);
			fd = open(path, O_RDONLY | O_CLOEXEC);
		}
		if (fd >= 0) {
			*file_name = strdup(path);
			return fd;
		}
	}
	return dwfl_linux_proc_find_elf(module, userdata, name, base, file_name, elf);
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

static int give_userdata(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base, void *symbols)
{
	(void)module;
	(void)name;
	(void)base;
	*userdata = symbols;
	return DWARF_CB_OK;
}

/* A module table for the maps as they are now. */
static Dwfl *report_modules(struct symbols *s)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (!dwfl)
		return NULL;
	if (dwfl_linux_proc_report(dwfl, s->target.pid) || dwfl_report_end(dwfl, NULL, NULL)) {
		dwfl_end(dwfl);
		return NULL;
	}
	dwfl_getmodules(dwfl, give_userdata, s, 0);
	return dwfl;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct place process_place(struct symbols *s, uint64_t addr)
{
	Dwfl_Module *module = dwfl_addrmodule(s->dwfl, addr);
	struct place place = { 0 };
	Dwarf_Addr start;
	GElf_Off offset;
	GElf_Sym sym;

	if (!module)
		return place;
	place.module = base_name(dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL));
	place.module_len = (int)strlen(place.module);
	place.offset = addr - start;
	place.name = dwfl_module_addrinfo(module, addr, &offset, &sym, NULL, NULL, NULL);
	if (place.name) {
		place.name_len = (int)strlen(place.name);
		place.offset = offset;
		place.size = sym.st_size;
	}
	return place;
}

static int open_process(struct symbols *s, pid_t pid, char *err, size_t len)
{
	int error = target_open(&s->target, pid);

	if (error) {
		snprintf(err, len, "%s", s->target.message);
		return error;
	}
	s->dwfl = report_modules(s);
	if (s->dwfl)
		return 0;
	snprintf(err, len, "PID %d (%s): the modules cannot be listed: %s", pid, s->target.comm, dwfl_errmsg(-1));
	return -ESRCH;
}

/* ---- kernel ----------------------------------------------------------------------------------- */

static char *read_kallsyms(size_t *nr_lines)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	size_t len = 0, room = 16u << 20, n;
	char *text = f ? malloc(room + 1) : NULL;

	while (text && (n = fread(text + len, 1, room - len, f)) > 0) {
		len += n;
		if (len == room) {
			char *more = realloc(text, 2 * room + 1);

			if (!more)
				break;
			text = more;
			room *= 2;
		}
	}
	if (f)
		fclose(f);
	if (!text)
		return NULL;
	text[len] = '\0';
	*nr_lines = 0;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		++*nr_lines;
	return text;
}

static int compare_ksyms(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* "ffffffff81000000 T name\t[module]": code only. */
static void parse_kallsyms(struct symbols *s)
{
	char *line = s->text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		char *p, *tab;
		uint64_t addr = strtoull(line, &p, 16);

		*end = '\0';
		if (!addr || *p != ' ' || !strchr("tTwW", p[1]) || p[2] != ' ')
			continue;
		tab = strchr(p, '\t');
		if (tab)
			*tab = ' ';
		s->ksyms[s->nr_ksyms++] = (struct ksym){ .addr = addr, .name = p + 3 };
	}
	qsort(s->ksyms, s->nr_ksyms, sizeof(*s->ksyms), compare_ksyms);
}

static int open_kernel(struct symbols *s, char *err, size_t len)
{
	size_t nr_lines;

	s->text = read_kallsyms(&nr_lines);
	if (s->text)
		s->ksyms = malloc((nr_lines + 1) * sizeof(*s->ksyms));
	if (!s->ksyms) {
		snprintf(err, len, "/proc/kallsyms cannot be read: %s", strerror(errno));
		return errno ? -errno : -ENOMEM;
	}
	parse_kallsyms(s);
	if (s->nr_ksyms)
		return 0;
	snprintf(err, len, "the kernel hides its addresses (kernel.kptr_restrict); run as root");
	return -EPERM;
}

static struct place kernel_place(const struct symbols *s, uint64_t addr)
{
	size_t low = 0, high = s->nr_ksyms;
	struct place place = { 0 };
	const struct ksym *sym;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->ksyms[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return place;
	sym = &s->ksyms[low - 1];
	place.name = sym->name;
	place.name_len = (int)strcspn(sym->name, " ");
	place.offset = addr - sym->addr;
	place.size = low < s->nr_ksyms ? s->ksyms[low].addr - sym->addr : 0;
	if (!strncmp(sym->name + place.name_len, " [", 2)) {
		place.module = sym->name + place.name_len + 2;
		place.module_len = (int)strcspn(place.module, "]");
	}
	return place;
}

/* ---- both -------------------------------------------------------------------------------------- */

int symbols_open(struct symbols **symbols, pid_t pid, char *err, size_t len)
{
	struct symbols *s = calloc(1, sizeof(*s));
	int error;

	*symbols = NULL;
	if (!s) {
		snprintf(err, len, "out of memory");
		return -ENOMEM;
	}
	error = pid ? open_process(s, pid, err, len) : open_kernel(s, err, len);
	if (error) {
		symbols_close(s);
		return error;
	}
	*symbols = s;
	return 0;
}

static struct place find_place(struct symbols *s, uint64_t addr)
{
	return s->dwfl ? process_place(s, addr) : kernel_place(s, addr);
}

const char *symbols_name(struct symbols *symbols, uint64_t addr, char *buf, size_t len)
{
	struct place place = find_place(symbols, addr);

	return put_place(&place, false, addr, buf, len);
}

const char *symbols_frame(struct symbols *symbols, uint64_t addr, char *buf, size_t len)
{
	struct place place = find_place(symbols, addr);

	return put_place(&place, true, addr, buf, len);
}

int symbols_refresh(struct symbols *symbols)
{
	Dwfl *dwfl;
	int err;

	if (!symbols->dwfl)
		return 0;
	err = target_reload_maps(&symbols->target);
	if (err)
		return err;
	dwfl = report_modules(symbols);
	if (!dwfl)
		return -ESRCH;
	dwfl_end(symbols->dwfl);
	symbols->dwfl = dwfl;
	return 0;
}

void symbols_close(struct symbols *symbols)
{
	if (!symbols)
		return;
	dwfl_end(symbols->dwfl);
	target_close(&symbols->target);
	free(symbols->ksyms);
	free(symbols->text);
	free(symbols);
}
