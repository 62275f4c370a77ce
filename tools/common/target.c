/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target.c - what does not depend on how the memory is reached: maps, checked
 * reads, and the way from an ELF note to a verified libkmem root.
 *
 * The note is read from the mapped image and not from the file, because the
 * file may be deleted, replaced, or in another mount namespace. A file that is
 * mapped as plain data has notes too; its root offset leads nowhere, the magic
 * does not match and the image is passed over.
 */
#include "common/target.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PHDRS      64
#define MAX_NOTE_BYTES (64u << 10)

int target_fail(struct target *t, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->message, sizeof(t->message), format, args);
	va_end(args);
	return err;
}

void target_close(struct target *t)
{
	if (t->ops && t->ops->close)
		t->ops->close(t);
	t->ops = NULL;
	t->backend = NULL;
	free(t->maps);
	free(t->map_text);
	t->maps = NULL;
	t->map_text = NULL;
	t->nr_maps = 0;
	t->nr_roots = 0;
}

int target_reload_maps(struct target *t)
{
	return t->ops->maps(t);
}

int target_threads(struct target *t, pid_t **tids, size_t *nr)
{
	return t->ops->threads(t, tids, nr);
}

/* ---- maps ---------------------------------------------------------------------------- */

static uint32_t parse_perms(const char *text)
{
	uint32_t perms = 0;

	if (text[0] == 'r')
		perms |= TARGET_READ;
	if (text[1] == 'w')
		perms |= TARGET_WRITE;
	if (text[2] == 'x')
		perms |= TARGET_EXEC;
	if (text[3] == 's')
		perms |= TARGET_SHARED;
	return perms;
}

/* "start-end perms offset major:minor inode   path", NUL-terminated. The path stays where it is. */
static bool parse_map_line(char *line, struct target_map *map)
{
	char *p = line;

	map->start = strtoull(p, &p, 16);
	if (*p++ != '-')
		return false;
	map->end = strtoull(p, &p, 16);
	if (*p++ != ' ' || strnlen(p, 5) < 5)
		return false;
	map->perms = parse_perms(p);
	map->offset = strtoull(p + 4, &p, 16);
	map->device = (uint32_t)strtoul(p, &p, 16) << 20;
	if (*p++ != ':')
		return false;
	map->device |= (uint32_t)strtoul(p, &p, 16);
	map->inode = strtoull(p, &p, 10);
	map->path = p + strspn(p, " ");
	return map->end > map->start;
}

static size_t count_lines(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

int target_parse_maps(struct target *t, char *text)
{
	struct target_map *maps = calloc(count_lines(text) + 1, sizeof(*maps));
	size_t nr = 0;
	char *line = text, *end;

	if (!maps) {
		free(text);
		return target_fail(t, -ENOMEM, "out of memory");
	}
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (!parse_map_line(line, &maps[nr++])) {
			free(maps);
			free(text);
			return target_fail(t, -EINVAL, "the memory map of PID %d has a line of unknown form", t->pid);
		}
	}
	free(t->maps);
	free(t->map_text);
	t->maps = maps;
	t->nr_maps = nr;
	t->map_text = text;
	return 0;
}

const struct target_map *target_map_of(const struct target *t, uint64_t addr)
{
	size_t low = 0, high = t->nr_maps;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (addr >= t->maps[mid].end)
			low = mid + 1;
		else if (addr < t->maps[mid].start)
			high = mid;
		else
			return &t->maps[mid];
	}
	return NULL;
}

/* ---- reading ------------------------------------------------------------------------- */

int target_readv(struct target *t, struct target_range *ranges, size_t nr)
{
	return nr ? t->ops->readv(t, ranges, nr) : 0;
}

int target_read(struct target *t, uint64_t addr, void *buf, size_t len)
{
	struct target_range range = { .addr = addr, .buf = buf, .len = len };
	int failed = len ? t->ops->readv(t, &range, 1) : 0;

	if (failed <= 0)
		return failed;
	return target_fail(t, range.error, "PID %d (%s): %zu bytes at 0x%llx cannot be read", t->pid, t->comm, len,
			   (unsigned long long)addr);
}

/* ---- from the note to the root --------------------------------------------------------- */

/* Does this process agree with us on every structure? */
static bool layout_matches(const struct kmem_observe *root)
{
	return root->version == KMEM_OBSERVE_VERSION && root->size == sizeof(*root) &&
	       root->cache_bytes == sizeof(struct kmem_cache) &&
	       root->node_bytes == sizeof(struct kmem_cache_node) &&
	       root->page_desc_bytes == sizeof(struct page) &&
	       root->zone_bytes == sizeof(struct kmem_zone) && root->pcp_bytes == sizeof(struct kmem_pcp) &&
	       root->nr_zones <= KMEM_MAX_ZONES &&
	       root->slot_header_bytes == sizeof(struct kmem_slot) &&
	       root->sheaf_header_bytes == sizeof(struct kmem_sheaf);
}

static int layout_unknown(struct target *t, uint32_t version)
{
	return target_fail(t, -EPROTO,
			   "PID %d (%s) carries libkmem with layout version %u, this tool reads version %u (%s); use the tools of that libkmem's release",
			   t->pid, t->comm, version, KMEM_OBSERVE_VERSION, SLABSCOPE_VERSION);
}

int target_read_root(struct target *t, uint64_t addr, struct kmem_observe *root)
{
	int err;

	/* The head first: another release's root may be shorter and end where its mapping ends. */
	err = target_read(t, addr, root, offsetof(struct kmem_observe, state));
	if (err)
		return err;
	if (root->magic != KMEM_OBSERVE_MAGIC)
		return target_fail(t, -ENOENT, "PID %d (%s) has no libkmem root at 0x%llx", t->pid, t->comm,
				   (unsigned long long)addr);
	/* Both are zero until its constructor has begun. */
	if ((root->version || root->size) &&
	    (root->version != KMEM_OBSERVE_VERSION || root->size != sizeof(*root)))
		return layout_unknown(t, root->version);
	err = target_read(t, addr, root, sizeof(*root));
	if (err)
		return err;
	/* Sizes are zero until the library has initialised itself. */
	if (root->state != 0 && !layout_matches(root))
		return layout_unknown(t, root->version);
	return 0;
}

static void set_module(struct target_root *root, const struct target_map *map)
{
	const char *slash = strrchr(map->path, '/');
	const char *base = slash ? slash + 1 : map->path;

	snprintf(root->module, sizeof(root->module), "%.*s", (int)strcspn(base, " "), base);
}

/* A note was found: follow it. A root that is none is no failure, see the top of this file. */
static int follow_note(struct target *t, const struct target_map *map, uint64_t desc_addr,
		       const struct kmem_observe_note *note)
{
	struct target_root *root = &t->roots[t->nr_roots];
	int err;

	if (t->nr_roots == TARGET_MAX_ROOTS)
		return 0;
	root->addr = desc_addr + offsetof(struct kmem_observe_note, offset) + (uint64_t)note->offset;
	for (unsigned int i = 0; i < t->nr_roots; i++)
		if (t->roots[i].addr == root->addr)
			return 0;
	err = target_read_root(t, root->addr, &root->observe);
	if (err == -ENOENT || err == -EFAULT)
		return 0;
	if (err)
		return err;
	root->elf = map->start;
	set_module(root, map);
	t->nr_roots++;
	return 0;
}

static size_t align_up(size_t value, size_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* Walk the notes in buf[0 .. len), which lies at `addr` in the target. */
static int walk_notes(struct target *t, const struct target_map *map, uint64_t addr, const char *buf, size_t len,
		      size_t align)
{
	size_t at = 0;

	while (at + sizeof(Elf64_Nhdr) <= len) {
		struct kmem_observe_note note;
		Elf64_Nhdr head;
		size_t name = at + sizeof(head), desc;
		int err;

		memcpy(&head, buf + at, sizeof(head));
		desc = align_up(name + head.n_namesz, align);
		if (desc > len || head.n_descsz > len - desc)
			break;
		if (head.n_type == KMEM_OBSERVE_NOTE && head.n_descsz >= sizeof(note) &&
		    head.n_namesz == sizeof(KMEM_OBSERVE_OWNER) &&
		    !memcmp(buf + name, KMEM_OBSERVE_OWNER, sizeof(KMEM_OBSERVE_OWNER))) {
			memcpy(&note, buf + desc, sizeof(note));
			err = follow_note(t, map, addr + desc, &note);
			if (err)
				return err;
		}
		at = align_up(desc + head.n_descsz, align);
	}
	return 0;
}

static int read_notes(struct target *t, const struct target_map *map, const Elf64_Phdr *phdr, uint64_t bias)
{
	uint64_t addr = bias + phdr->p_vaddr;
	size_t len = phdr->p_filesz;
	int err;
	char *buf;

	if (!len || len > MAX_NOTE_BYTES)
		return 0;
	buf = malloc(len);
	if (!buf)
		return target_fail(t, -ENOMEM, "out of memory");
	err = target_read(t, addr, buf, len);
	if (!err)
		err = walk_notes(t, map, addr, buf, len, phdr->p_align == 8 ? 8 : 4);
	else if (err == -EFAULT)
		err = 0;
	free(buf);
	return err;
}

/* `map` begins with an ELF header: look at the notes of that image. */
static int scan_image(struct target *t, const struct target_map *map, const Elf64_Ehdr *ehdr)
{
	Elf64_Phdr phdrs[MAX_PHDRS] = { 0 };
	size_t nr = ehdr->e_phnum;
	uint64_t bias = 0;
	bool loaded = false;
	int err;

	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64 || ehdr->e_phentsize != sizeof(*phdrs) || nr > MAX_PHDRS)
		return 0;
	err = target_read(t, map->start + ehdr->e_phoff, phdrs, nr * sizeof(*phdrs));
	if (err)
		return err == -EFAULT ? 0 : err;
	for (size_t i = 0; i < nr && !loaded; i++) {
		if (phdrs[i].p_type != PT_LOAD || phdrs[i].p_offset > map->offset)
			continue;
		bias = map->start - (phdrs[i].p_vaddr - phdrs[i].p_offset);
		loaded = true;
	}
	for (size_t i = 0; i < nr && loaded && !err; i++)
		if (phdrs[i].p_type == PT_NOTE)
			err = read_notes(t, map, &phdrs[i], bias);
	return err;
}

/* Mappings that may begin with an ELF header, with a range for each header. */
static size_t collect_images(const struct target *t, struct target_range *ranges, Elf64_Ehdr *heads, size_t *index)
{
	size_t nr = 0;

	for (size_t i = 0; i < t->nr_maps; i++) {
		const struct target_map *map = &t->maps[i];

		if (!(map->perms & TARGET_READ) || map->offset || !map->inode)
			continue;
		ranges[nr] = (struct target_range){ .addr = map->start, .buf = &heads[nr], .len = sizeof(*heads) };
		index[nr++] = i;
	}
	return nr;
}

static int scan_images(struct target *t, struct target_range *ranges, Elf64_Ehdr *heads, size_t *index)
{
	size_t nr = collect_images(t, ranges, heads, index);
	int err = target_readv(t, ranges, nr);

	if (err < 0)
		return err;
	err = 0;
	for (size_t i = 0; i < nr && !err; i++)
		if (!ranges[i].error && !memcmp(heads[i].e_ident, ELFMAG, SELFMAG))
			err = scan_image(t, &t->maps[index[i]], &heads[i]);
	return err;
}

int target_find_roots(struct target *t)
{
	struct target_range *ranges = calloc(t->nr_maps + 1, sizeof(*ranges));
	Elf64_Ehdr *heads = calloc(t->nr_maps + 1, sizeof(*heads));
	size_t *index = calloc(t->nr_maps + 1, sizeof(*index));
	int err;

	t->nr_roots = 0;
	if (ranges && heads && index)
		err = scan_images(t, ranges, heads, index);
	else
		err = target_fail(t, -ENOMEM, "out of memory");
	free(ranges);
	free(heads);
	free(index);
	if (!err && !t->nr_roots)
		err = target_fail(t, -ENOENT,
				  "PID %d (%s) does not carry libkmem; start it with LD_PRELOAD=libkmem-malloc.so or link libkmem",
				  t->pid, t->comm);
	return err;
}
