// SPDX-License-Identifier: BSD-2-Clause
/*
 * usdt.c - reads the USDT probes of an ELF file from its .note.stapsdt section.
 *
 * A note's descriptor is three addresses (site, base, semaphore) and three
 * strings (provider, name, arguments). `base` is where .stapsdt.base was when
 * the note was written: if the section is elsewhere now, the file was prelinked
 * and all addresses move by the difference.
 */
#include "common/usdt.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_TYPE  3
#define NOTE_OWNER "stapsdt"

struct reader {
	Elf *elf;
	const char *provider;
	uint64_t base; /* address of .stapsdt.base, 0 if there is none */
	struct usdt_probe *probes;
	size_t nr, room;
};

/* File offset of an address; 0 if it is not in the file. */
static uint64_t file_offset(Elf *elf, uint64_t address)
{
	size_t i, nr = 0;
	GElf_Phdr ph;

	if (elf_getphdrnum(elf, &nr))
		return 0;
	for (i = 0; i < nr; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (address >= ph.p_vaddr && address - ph.p_vaddr < ph.p_filesz)
			return address - ph.p_vaddr + ph.p_offset;
	}
	return 0;
}

/* Takes one NUL-terminated string off the front of a buffer; NULL if it has no end. */
static const char *take_string(const char **cur, const char *end)
{
	const char *string = *cur;
	const char *nul = memchr(string, '\0', (size_t)(end - string));

	if (!nul)
		return NULL;
	*cur = nul + 1;
	return string;
}

static struct usdt_probe *new_probe(struct reader *reader)
{
	struct usdt_probe *grown;
	size_t room = reader->room ? 2 * reader->room : 16;

	if (reader->nr == reader->room) {
		grown = reallocarray(reader->probes, room, sizeof(*grown));
		if (!grown)
			return NULL;
		reader->probes = grown;
		reader->room = room;
	}
	return &reader->probes[reader->nr++];
}

static int read_note(struct reader *reader, const char *desc, size_t size)
{
	const char *cur, *end = desc + size, *provider, *name, *args;
	struct usdt_probe *probe;
	uint64_t address[3], moved = 0, site, semaphore;

	if (size < sizeof(address))
		return 0;
	memcpy(address, desc, sizeof(address));
	cur = desc + sizeof(address);
	provider = take_string(&cur, end);
	name = provider ? take_string(&cur, end) : NULL;
	args = name ? take_string(&cur, end) : NULL;
	if (!args || strcmp(provider, reader->provider) != 0 ||
	    strlen(name) >= USDT_NAME_BYTES || strlen(args) >= USDT_ARGS_BYTES)
		return 0;

	if (reader->base)
		moved = reader->base - address[1];
	site = file_offset(reader->elf, address[0] + moved);
	semaphore = address[2] ? file_offset(reader->elf, address[2] + moved) : 0;
	if (!site || (address[2] && !semaphore))
		return 0;

	probe = new_probe(reader);
	if (!probe)
		return -ENOMEM;
	probe->site = site;
	probe->semaphore = semaphore;
	strcpy(probe->name, name);
	strcpy(probe->args, args);
	return 0;
}

static int read_section(struct reader *reader, Elf_Scn *section)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t pos = 0, name_pos, desc_pos;
	GElf_Nhdr nh;
	int ret = 0;

	while (data && !ret && (pos = gelf_getnote(data, pos, &nh, &name_pos, &desc_pos)) > 0) {
		const char *buf = data->d_buf;

		if (nh.n_type != NOTE_TYPE || nh.n_namesz != sizeof(NOTE_OWNER) ||
		    memcmp(buf + name_pos, NOTE_OWNER, sizeof(NOTE_OWNER)) != 0)
			continue;
		ret = read_note(reader, buf + desc_pos, nh.n_descsz);
	}
	return ret;
}

/* The next section of this name after `section` (NULL: the first one). */
static Elf_Scn *find_section(Elf *elf, Elf_Scn *section, const char *name, GElf_Shdr *sh)
{
	const char *found;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, sh))
			continue;
		found = elf_strptr(elf, strings, sh->sh_name);
		if (found && strcmp(found, name) == 0)
			return section;
	}
	return NULL;
}

int usdt_read(int fd, const char *provider, struct usdt_probe **probes, size_t *nr)
{
	struct reader reader = { .provider = provider };
	Elf_Scn *section = NULL;
	GElf_Shdr sh;
	int ret = 0;

	elf_version(EV_CURRENT);
	reader.elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!reader.elf || gelf_getclass(reader.elf) != ELFCLASS64) {
		elf_end(reader.elf);
		return -ENOEXEC;
	}
	if (find_section(reader.elf, NULL, ".stapsdt.base", &sh))
		reader.base = sh.sh_addr;
	while (!ret && (section = find_section(reader.elf, section, ".note.stapsdt", &sh)))
		ret = read_section(&reader, section);
	elf_end(reader.elf);
	if (ret) {
		free(reader.probes);
		return ret;
	}
	*probes = reader.probes;
	*nr = reader.nr;
	return 0;
}

/* All names of one argument register. */
static const char *const registers[][5] = {
	{ "rdi", "edi", "di", "dil", NULL },
	{ "rsi", "esi", "si", "sil", NULL },
	{ "rdx", "edx", "dx", "dl", NULL },
	{ "rcx", "ecx", "cx", "cl", NULL },
	{ "r8", "r8d", "r8w", "r8b", NULL },
	{ "r9", "r9d", "r9w", "r9b", NULL },
};

static const char *full_register(const char *name, size_t len)
{
	size_t i, j;

	for (i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		for (j = 0; registers[i][j]; j++)
			if (strlen(registers[i][j]) == len && !memcmp(registers[i][j], name, len))
				return registers[i][0];
	return NULL;
}

const char *usdt_arg_register(const char *args, unsigned int index)
{
	const char *at;

	while (*args == ' ')
		args++;
	while (index-- > 0) {
		args += strcspn(args, " ");
		args += strspn(args, " ");
	}
	at = args + strcspn(args, "@ ");
	if (at[0] != '@' || at[1] != '%')
		return NULL;
	return full_register(at + 2, strcspn(at + 2, " "));
}
