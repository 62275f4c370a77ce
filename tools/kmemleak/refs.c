/* SPDX-License-Identifier: BSD-2-Clause */
/* refs.c - one pass over roots and live objects for words that point to one object. */
#include "kmemleak/refs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kmemleak/report.h"

#define SHOWN_REFS 20u

struct search {
	const struct scan *scan;
	uint64_t number;
	ref_fn fn;
	void *arg;
	size_t nr;
};

static void search_words(struct search *s, const uint64_t *words, size_t nr, struct ref *ref)
{
	struct model_object o;

	for (size_t i = 0; i < nr; i++) {
		if (!model_find(&s->scan->model, words[i], &o) || o.number != s->number)
			continue;
		ref->position = i * sizeof(uint64_t);
		ref->word = words[i];
		s->fn(s->scan, ref, s->arg);
		s->nr++;
	}
}

static void search_block(struct search *s, uint32_t block)
{
	const struct model *m = &s->scan->model;
	const struct model_block *b = &m->blocks[block];
	struct ref ref = { .holder = { .block = block } };

	for (uint32_t index = 0; index < b->nr_objects; index++) {
		uint64_t number = b->first_object + index;

		/* alloc_pages() blocks have no bit: all of them are in use. */
		if (number == s->number || (b->cache_id != KMEM_ID_PAGES && !model_is_live(m, number)))
			continue;
		ref.holder.number = number;
		ref.holder.index = index;
		ref.holder.offset = ((uint64_t)b->first_page << KMEM_PAGE_SHIFT) + (uint64_t)index * b->stride + b->offset;
		search_words(s, (const uint64_t *)(const void *)(s->scan->image.mirror + ref.holder.offset),
			     b->bytes / sizeof(uint64_t), &ref);
	}
}

size_t refs_find(const struct scan *scan, uint64_t number, ref_fn fn, void *arg)
{
	struct search s = { .scan = scan, .number = number, .fn = fn, .arg = arg };

	for (size_t i = 0; i < scan->image.nr_root_words; i++) {
		struct ref ref = { .root = &scan->image.root_words[i] };

		search_words(&s, ref.root->words, ref.root->nr, &ref);
	}
	for (uint32_t block = 1; block < scan->model.nr_blocks; block++)
		search_block(&s, block);
	return s.nr;
}

/* ---- dump -------------------------------------------------------------------------------- */

struct printer {
	FILE *file;
	size_t nr;
};

static void print_root(FILE *file, const struct root_words *root, uint64_t position)
{
	static const char *const kinds[] = {
		[ROOT_DATA] = "data", [ROOT_STACK] = "stack", [ROOT_ANONYMOUS] = "anonymous memory",
		[ROOT_SHARED] = "shared memory",
	};

	if (!root->range && root->tid)
		fprintf(file, "    register of thread %d\n", root->tid);
	else if (!root->range)
		fputs("    the allocator, which is moving it\n", file);
	else if (root->range->kind == ROOT_STACK)
		fprintf(file, "    stack of thread %d at 0x%" PRIx64 "\n", root->tid, root->address + position);
	else
		fprintf(file, "    %s at 0x%" PRIx64 " %s\n", kinds[root->range->kind], root->address + position,
			root->range->map->path);
}

static void print_ref(const struct scan *scan, const struct ref *ref, void *arg)
{
	struct printer *p = arg;
	const struct model_block *b;

	if (++p->nr > SHOWN_REFS)
		return;
	if (ref->root) {
		print_root(p->file, ref->root, ref->position);
		return;
	}
	b = &scan->model.blocks[ref->holder.block];
	fprintf(p->file, "    object 0x%" PRIx64 " +0x%" PRIx64 " (cache %s%s)\n", scan->model.base + ref->holder.offset,
		ref->position, scan_cache_name(scan, b->cache_id),
		b->cache_id != KMEM_ID_PAGES && model_is_white(&scan->model, ref->holder.number) ? ", unreferenced" : "");
}

static const char *state_of(const struct scan *scan, const struct model_object *o)
{
	if (scan->model.blocks[o->block].cache_id == KMEM_ID_PAGES)
		return "allocated pages, scanned as a root";
	if (!model_is_live(&scan->model, o->number))
		return "free, or not tracked";
	return model_is_white(&scan->model, o->number) ? "unreferenced" : "reachable";
}

int refs_dump(FILE *file, const struct scan *scan, uint64_t address)
{
	struct printer printer = { .file = file };
	const struct model_block *b;
	struct model_object o;

	if (!model_find(&scan->model, address, &o))
		return -ENOENT;
	b = &scan->model.blocks[o.block];
	fprintf(file, "object 0x%" PRIx64 " (size %" PRIu64 "):\n", scan->model.base + o.offset, b->bytes);
	fprintf(file, "  comm \"%s\", pid %d, age unknown\n", scan->target->comm, scan->target->pid);
	fprintf(file, "  cache %s, %s\n", scan_cache_name(scan, b->cache_id), state_of(scan, &o));
	fputs("  hex dump:\n", file);
	report_hex(file, scan->image.mirror + o.offset, b->bytes);
	fputs("  referenced by:\n", file);
	if (!refs_find(scan, o.number, print_ref, &printer))
		fputs("    nothing\n", file);
	if (printer.nr > SHOWN_REFS)
		fprintf(file, "    (%zu more)\n", printer.nr - SHOWN_REFS);
	return 0;
}
