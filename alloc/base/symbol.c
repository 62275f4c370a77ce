/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbol.c - symbols from /proc/self/maps and the ELF files themselves. dladdr()
 * knows exported names only, and takes the dynamic linker's lock: a thread inside
 * dlopen() holds that while it waits for memory from us.
 */
#include "base/symbol.h"

#include <elf.h>
#include <limits.h>

#include "base/base.h"
#include "base/os.h"
#include "base/report.h"

/* A line of /proc/self/maps. */
struct mapping {
	uintptr_t start, end;
	uint64_t offset;
	char path[512];
};

struct elf_file {
	const uint8_t *map;
	size_t bytes;
};

struct symbol {
	const char *name;
	uint64_t offset, size; /* of the address from its start; its bytes */
};

/* ---- which file ---- */

static const char *parse_hex(const char *at, uint64_t *value)
{
	*value = 0;
	for (;; at++) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (digit > 9)
			digit = (unsigned int)(*at - 'a') < 6 ? (unsigned int)(*at - 'a') + 10 : 16;
		if (digit > 15)
			return at;
		*value = *value * 16 + digit;
	}
}

/* "start-end perms offset dev inode   path". Return: whether addr lies in it. */
static bool parse_line(const char *line, uintptr_t addr, struct mapping *m)
{
	uint64_t start, end;
	const char *at = parse_hex(line, &start);
	const char *path;

	at = parse_hex(at + (*at == '-'), &end);
	if (addr < start || addr >= end)
		return false;
	m->start = start;
	m->end = end;
	at += strcspn(at + 1, " ") + 1;
	parse_hex(at + 1, &m->offset);
	path = strchr(at, '/');
	report_format(m->path, sizeof(m->path), "%s", path ? path : "");
	return true;
}

/* The mapping that holds addr, read a piece at a time: the file may be long. */
static bool find_mapping(uintptr_t addr, struct mapping *m)
{
	char buf[2048];
	size_t at = 0, len;

	while ((len = os_pread_file("/proc/self/maps", at, buf, sizeof(buf) - 1))) {
		char *line = buf, *end;

		buf[len] = '\0';
		while ((end = strchr(line, '\n'))) {
			*end = '\0';
			if (parse_line(line, addr, m))
				return m->path[0];
			line = end + 1;
		}
		if (line == buf)
			return false;
		at += (size_t)(line - buf);
	}
	return false;
}

/* ---- which symbol ---- */

/* `bytes` at an offset of the file, or NULL. */
static const void *at_offset(const struct elf_file *f, uint64_t offset, uint64_t bytes)
{
	return offset <= f->bytes && bytes <= f->bytes - offset ? f->map + offset : NULL;
}

/* Address that the file's own tables use for a file offset; 0 when nothing is loaded from there. */
static uint64_t file_address(const struct elf_file *f, const Elf64_Ehdr *header, uint64_t offset)
{
	const Elf64_Phdr *segment = at_offset(f, header->e_phoff, header->e_phnum * sizeof(*segment));
	unsigned int i;

	for (i = 0; segment && i < header->e_phnum; i++)
		if (segment[i].p_type == PT_LOAD && offset >= segment[i].p_offset &&
		    offset - segment[i].p_offset < segment[i].p_filesz)
			return segment[i].p_vaddr + (offset - segment[i].p_offset);
	return 0;
}

static bool search_table(const struct elf_file *f, const Elf64_Shdr *section, const Elf64_Shdr *strings,
			 uint64_t address, struct symbol *found)
{
	const Elf64_Sym *symbol = at_offset(f, section->sh_offset, section->sh_size);
	const char *names = at_offset(f, strings->sh_offset, strings->sh_size);
	size_t i, nr = section->sh_size / sizeof(*symbol);

	for (i = 0; symbol && names && i < nr; i++) {
		if (ELF64_ST_TYPE(symbol[i].st_info) != STT_FUNC || symbol[i].st_name >= strings->sh_size ||
		    address - symbol[i].st_value >= symbol[i].st_size)
			continue;
		*found = (struct symbol){ names + symbol[i].st_name, address - symbol[i].st_value, symbol[i].st_size };
		return true;
	}
	return false;
}

/* In the full symbol table if there is one, else among the exported names. */
static bool search_file(const struct elf_file *f, uint64_t offset, struct symbol *found)
{
	const Elf64_Ehdr *header = at_offset(f, 0, sizeof(*header));
	const Elf64_Shdr *section;
	uint64_t address;
	unsigned int pass, i;

	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	address = file_address(f, header, offset);
	section = at_offset(f, header->e_shoff, header->e_shnum * sizeof(*section));
	for (pass = 0; section && address && pass < 2; pass++)
		for (i = 0; i < header->e_shnum; i++)
			if (section[i].sh_type == (pass ? SHT_DYNSYM : SHT_SYMTAB) && section[i].sh_link < header->e_shnum &&
			    search_table(f, &section[i], &section[section[i].sh_link], address, found))
				return true;
	return false;
}

const char *symbol_format(char *buf, size_t bytes, const void *addr)
{
	struct elf_file file = { NULL, 0 };
	struct symbol symbol;
	struct mapping m;
	const char *base;
	char program[sizeof(m.path)];
	uint64_t offset;
	bool own;

	if (!find_mapping((uintptr_t)addr, &m)) {
		report_format(buf, bytes, "%p", addr);
		return buf;
	}
	base = strrchr(m.path, '/') + 1;
	own = os_read_link("/proc/self/exe", program, sizeof(program)) && !strcmp(program, m.path);
	offset = (uintptr_t)addr - m.start + m.offset;
	file.map = os_map_file(m.path, &file.bytes);
	if (file.map && search_file(&file, offset, &symbol))
		report_format(buf, bytes, "%s+0x%lx/0x%lx%s%s%s", symbol.name, symbol.offset, symbol.size,
			      own ? "" : " [", own ? "" : base, own ? "" : "]");
	else
		report_format(buf, bytes, "[%s]+0x%lx", base, offset);
	if (file.map)
		os_release((void *)(uintptr_t)file.map, file.bytes);
	return buf;
}
