/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_symbols.c - functions and source lines of recorded addresses.
 *
 * A module's file may have been replaced or moved since, or be of another
 * machine: only one with the recorded build-id is taken. It is looked for under
 * its name, then in --debug-dir by name and by build-id, then among the
 * system's debug files. libdwfl finds separate debug files of those it is given.
 */
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <dwarf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtrace/trace_priv.h"

#define SYSTEM_DEBUG_DIR "/usr/lib/debug"
#define MAX_FRAMES       32

/* A file, opened when first needed. */
struct file {
	const struct trace_module *module; /* the first that is mapped from it */
	Dwfl *dwfl;
	Dwfl_Module *dw;                   /* NULL: not to be found */
};

/* What an address is, remembered. */
struct known {
	uint64_t address;
	uint32_t pid;
	uint32_t nr;                       /* 0: the entry is empty */
	struct trace_frame *frames;
};

struct trace_names {
	struct file *files;
	size_t nr_files, files_room;
	struct known *table;               /* a hash table */
	size_t nr, room;
	char *paths;                       /* where libdwfl looks for debug files */
	Dwfl_Callbacks callbacks;
};

/* ---- files ------------------------------------------------------------------------------------ */

static bool is_same_file(const struct trace_module *a, const struct trace_module *b)
{
	if (a->build_id_len || b->build_id_len)
		return a->build_id_len == b->build_id_len && !memcmp(a->build_id, b->build_id, a->build_id_len);
	return !strcmp(a->path, b->path);
}

/* Report the file at `path` if it is the one that was recorded. */
static Dwfl_Module *try_path(struct file *f, const char *path)
{
	const unsigned char *id;
	Dwfl_Module *dw;
	GElf_Addr where;
	int len, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return NULL;
	dwfl_report_begin(f->dwfl);
	dw = dwfl_report_offline(f->dwfl, f->module->name, path, fd);
	dwfl_report_end(f->dwfl, NULL, NULL);
	if (!dw) {
		close(fd);
		return NULL;
	}
	len = dwfl_module_build_id(dw, &id, &where);
	if (!f->module->build_id_len)
		return dw;
	return len == (int)f->module->build_id_len && !memcmp(id, f->module->build_id, (size_t)len) ? dw : NULL;
}

static void print_build_id(const struct trace_module *m, const char *dir, const char *suffix, char *path, size_t len)
{
	char hex[2 * sizeof(m->build_id) + 1] = "";

	for (uint32_t i = 0; i < m->build_id_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", m->build_id[i]);
	snprintf(path, len, "%s/.build-id/%.2s/%s%s", dir, hex, hex + 2, suffix);
}

/* In a folder of debug files: as mapped, by its last name, by build-id. */
static Dwfl_Module *try_dir(struct file *f, const char *dir)
{
	const struct trace_module *m = f->module;
	Dwfl_Module *dw = NULL;
	char path[PATH_MAX];

	for (int i = 0; i < 4 && !dw; i++) {
		if (i < 2)
			snprintf(path, sizeof(path), "%s/%s", dir, i ? m->name : m->path);
		else if (m->build_id_len > 1)
			print_build_id(m, dir, i == 2 ? "" : ".debug", path, sizeof(path));
		else
			break;
		dw = try_path(f, path);
	}
	return dw;
}

static void open_file(struct trace *t, struct file *f)
{
	f->dwfl = dwfl_begin(&t->names->callbacks);
	if (!f->dwfl || t->options.no_symbols)
		return;
	/* Names like "[vdso]" are no files, others may be of another machine. */
	if (f->module->path[0] == '/')
		f->dw = try_path(f, f->module->path);
	if (!f->dw && t->options.debug_dir)
		f->dw = try_dir(f, t->options.debug_dir);
	if (!f->dw)
		f->dw = try_dir(f, SYSTEM_DEBUG_DIR);
}

static struct file *file_of(struct trace *t, const struct trace_module *m)
{
	struct trace_names *n = t->names;

	for (size_t i = 0; i < n->nr_files; i++)
		if (is_same_file(n->files[i].module, m))
			return &n->files[i];
	if (!trace_room((void **)&n->files, n->nr_files, &n->files_room, sizeof(*n->files)))
		return NULL;
	n->files[n->nr_files] = (struct file){ .module = m };
	open_file(t, &n->files[n->nr_files]);
	return &n->files[n->nr_files++];
}

/* ---- frames ----------------------------------------------------------------------------------- */

/* The address in libdwfl's view of the file. */
static bool to_dwfl(Dwfl_Module *dw, const struct trace_module *m, uint64_t address, Dwarf_Addr *out)
{
	GElf_Addr bias;

	if (!dwfl_module_getelf(dw, &bias))
		return false;
	*out = address - m->start + m->vaddr + bias;
	return true;
}

static const char *name_of(const char *name)
{
	return name ? name : "";
}

/* The place of the call that was inlined. */
static void set_call_line(Dwarf_Die *cu, Dwarf_Die *scope, struct trace_frame *frame)
{
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	Dwarf_Word value;
	size_t nr;

	frame->file = "";
	frame->line = 0;
	if (!dwarf_formudata(dwarf_attr(scope, DW_AT_call_line, &attr), &value))
		frame->line = (uint32_t)value;
	if (!dwarf_formudata(dwarf_attr(scope, DW_AT_call_file, &attr), &value) &&
	    !dwarf_getsrcfiles(cu, &files, &nr) && value < nr)
		frame->file = name_of(dwarf_filesrc(files, value, NULL, NULL));
}

/* Scopes from the innermost: each inlined function is a frame, and the next one's place is its call. */
static size_t add_inlined(Dwfl_Module *dw, Dwarf_Addr address, struct trace_frame *frame, size_t max)
{
	Dwarf_Addr bias;
	Dwarf_Die *cu = dwfl_module_addrdie(dw, address, &bias), *scopes = NULL, *inner = NULL;
	int nr = cu ? dwarf_getscopes(cu, address - bias, &scopes) : 0;
	size_t at = 0;

	if (nr > 0)
		nr = dwarf_getscopes_die(&scopes[0], &inner);
	for (int i = 0; i < nr && at + 1 < max; i++) {
		int tag = dwarf_tag(&inner[i]);

		if (tag == DW_TAG_subprogram)
			break;
		if (tag != DW_TAG_inlined_subroutine)
			continue;
		frame[at + 1] = frame[at];
		frame[at].function = name_of(dwarf_diename(&inner[i]));
		frame[at].inlined = true;
		frame[at].offset = 0;
		set_call_line(cu, &inner[i], &frame[++at]);
	}
	free(scopes);
	free(inner);
	return at;
}

static size_t add_frames(Dwfl_Module *dw, Dwarf_Addr address, struct trace_frame *frame, size_t max)
{
	Dwfl_Line *line = dwfl_module_getsrc(dw, address);
	const char *function;
	GElf_Off offset;
	GElf_Sym sym;
	size_t last;
	int nr = 0;

	if (line)
		frame->file = name_of(dwfl_lineinfo(line, NULL, &nr, NULL, NULL, NULL));
	frame->line = nr > 0 ? (uint32_t)nr : 0;
	last = add_inlined(dw, address, frame, max);
	function = dwfl_module_addrinfo(dw, address, &offset, &sym, NULL, NULL, NULL);
	if (function) {
		frame[last].function = function;
		frame[last].offset = offset + 1; /* of the return address */
	}
	return last + 1;
}

static int compare_address(const void *key, const void *item)
{
	uint64_t address = *(const uint64_t *)key, other = ((const struct trace_symbol *)item)->address;

	return address < other ? -1 : address > other;
}

/* The recorder has looked up each address. */
static size_t kernel_frame(const struct trace *t, uint64_t address, struct trace_frame *frame)
{
	const struct trace_symbol *s = t->nr_symbols ? bsearch(&address, t->symbols, t->nr_symbols, sizeof(*s),
							       compare_address) : NULL;

	frame->function = s ? s->function : "";
	frame->offset = s ? s->offset : address;
	return 1;
}

static size_t find_frames(struct trace *t, uint32_t pid, uint64_t address, struct trace_frame *frame, size_t max)
{
	const struct trace_module *m = trace_module_of(t, pid, address);
	Dwarf_Addr where;
	struct file *f;

	*frame = (struct trace_frame){ .function = "", .file = "", .offset = address, .module = m };
	if (t->info.source == TRACE_KERNEL)
		return kernel_frame(t, address, frame);
	if (!m)
		return 1;
	frame->offset = frame->file_offset = address - m->start + m->offset;
	f = file_of(t, m);
	/* The call is in front of its return address. */
	if (!f || !f->dw || !to_dwfl(f->dw, m, address - 1, &where))
		return 1;
	return add_frames(f->dw, where, frame, max);
}

/* ---- what was asked before ---------------------------------------------------------------------- */

static struct known *slot_of(const struct trace_names *n, uint32_t pid, uint64_t address)
{
	size_t i = (size_t)((address ^ (uint64_t)pid << 48) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (n->room - 1);

	while (n->table[i].nr && (n->table[i].address != address || n->table[i].pid != pid))
		i = (i + 1) & (n->room - 1);
	return &n->table[i];
}

static bool grow(struct trace_names *n)
{
	struct trace_names more = { .room = n->room ? 2 * n->room : 1024 };

	more.table = calloc(more.room, sizeof(*more.table));
	if (!more.table)
		return false;
	for (size_t i = 0; i < n->room; i++)
		if (n->table[i].nr)
			*slot_of(&more, n->table[i].pid, n->table[i].address) = n->table[i];
	free(n->table);
	n->table = more.table;
	n->room = more.room;
	return true;
}

static struct trace_names *begin(struct trace *t)
{
	struct trace_names *n = calloc(1, sizeof(*n));
	const char *dir = t->options.debug_dir;

	if (!n)
		return NULL;
	if (asprintf(&n->paths, "%s%s.debug:%s", dir ? dir : "", dir ? ":" : "", SYSTEM_DEBUG_DIR) < 0) {
		free(n);
		return NULL;
	}
	n->callbacks = (Dwfl_Callbacks){
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &n->paths,
	};
	return n;
}

/* NULL: no memory. */
static const struct known *look_up(struct trace *t, uint32_t pid, uint64_t address)
{
	struct trace_frame frame[MAX_FRAMES];
	struct known *k;
	size_t nr;

	if (!t->names)
		t->names = begin(t);
	if (!t->names || (t->names->nr >= t->names->room / 2 && !grow(t->names)))
		return NULL;
	k = slot_of(t->names, pid, address);
	if (k->nr)
		return k;
	nr = find_frames(t, pid, address, frame, MAX_FRAMES);
	k->frames = malloc(nr * sizeof(*frame));
	if (!k->frames)
		return NULL;
	memcpy(k->frames, frame, nr * sizeof(*frame));
	k->address = address;
	k->pid = pid;
	k->nr = (uint32_t)nr;
	t->names->nr++;
	return k;
}

size_t trace_symbolize(struct trace *t, uint32_t pid, uint64_t address, struct trace_frame *frame, size_t max)
{
	const struct known *k = look_up(t, pid, address);
	size_t nr = k && k->nr < max ? k->nr : max;

	if (!k) {
		*frame = (struct trace_frame){ .function = "", .file = "", .offset = address };
		return 1;
	}
	/* Of too many, the innermost ones and the one that has the code. */
	memcpy(frame, k->frames, nr * sizeof(*frame));
	frame[nr - 1] = k->frames[k->nr - 1];
	return nr;
}

const char *trace_describe(struct trace *t, uint32_t pid, uint64_t address, char *buf, size_t len)
{
	struct trace_frame frame[MAX_FRAMES];
	size_t last = trace_symbolize(t, pid, address, frame, MAX_FRAMES) - 1;
	const struct trace_frame *f = &frame[last];
	const char *slash = strrchr(f->file, '/');
	char line[24] = "";

	if (f->line)
		snprintf(line, sizeof(line), ":%u", f->line);
	if (*f->function && t->info.source == TRACE_KERNEL)
		snprintf(buf, len, "%s+0x%" PRIx64, f->function, f->offset);
	else if (*f->function)
		snprintf(buf, len, "%s+0x%" PRIx64 " [%s]%s%s%s", f->function, f->offset, f->module ? f->module->name : "",
			 *f->file ? " " : "", slash ? slash + 1 : f->file, line);
	else if (f->module)
		snprintf(buf, len, "[%s+0x%" PRIx64 "]", f->module->name, f->file_offset);
	else
		snprintf(buf, len, "0x%" PRIx64, address);
	return buf;
}

void trace_names_free(struct trace_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->room; i++)
		free(n->table[i].frames);
	for (size_t i = 0; i < n->nr_files; i++)
		dwfl_end(n->files[i].dwfl);
	free(n->table);
	free(n->files);
	free(n->paths);
	free(n);
}
