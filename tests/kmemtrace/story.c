/* SPDX-License-Identifier: BSD-2-Clause */
/* story.c - see story.h. */
#include "kmemtrace/story.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtrace/sample.h"

#define START UINT64_C(1000000000)

/* Code with names; it never runs. */
__attribute__((noinline, noclone)) void story_zmalloc(volatile int *p) { *p += 1; }
__attribute__((noinline, noclone)) void story_load(volatile int *p) { *p += 2; story_zmalloc(p); *p += 2; }
__attribute__((noinline, noclone)) void story_serve(volatile int *p) { *p += 3; story_zmalloc(p); *p += 3; }
__attribute__((noinline, noclone)) void story_main(volatile int *p) { *p += 4; story_load(p); story_serve(p); *p += 4; }

static void (*const functions[STORY_NR_FUNCTIONS])(volatile int *) = {
	[STORY_MAIN] = story_main, [STORY_LOAD] = story_load, [STORY_SERVE] = story_serve, [STORY_ZMALLOC] = story_zmalloc,
};

/* The build-id of this program, and its code's address as its symbols have it. */
static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
	struct trace_module *m = context;

	(void)size;
	m->vaddr = m->start - info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const char *at = (const char *)(info->dlpi_addr + p->p_vaddr), *end = at + p->p_memsz;

		while (p->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) < end) {
			const ElfW(Nhdr) *n = (const void *)at;
			const char *data = at + sizeof(*n) + ((n->n_namesz + 3) & ~3u);

			if (n->n_type == NT_GNU_BUILD_ID && n->n_descsz <= sizeof(m->build_id)) {
				m->build_id_len = n->n_descsz;
				memcpy(m->build_id, data, n->n_descsz);
				return 1;
			}
			at = data + ((n->n_descsz + 3) & ~3u);
		}
	}
	return 1; /* the first is the program */
}

static void add_this_program(struct trace_writer *w)
{
	static char path[512];
	struct trace_module m = { .path = path, .pid = STORY_PID };
	unsigned long start, end, offset, code = (unsigned long)story_main;
	char line[1024];
	FILE *f = fopen("/proc/self/maps", "re");

	cr_assert(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 && code >= start && code < end) {
			m.start = start;
			m.end = end;
			m.offset = offset;
		}
	fclose(f);
	cr_assert(m.start);
	dl_iterate_phdr(find_program, &m);
	trace_add_module(w, &m);
}

uint32_t story_stack(struct story *s, const enum story_function *function, uint32_t nr)
{
	uint64_t address[16];

	for (uint32_t i = 0; i < nr; i++)
		address[i] = (uintptr_t)functions[function[i]] + 4;
	return trace_add_stack(s->w, STORY_PID, address, nr);
}

struct story story_begin(const char *path)
{
	static const enum story_function load[] = { STORY_ZMALLOC, STORY_LOAD, STORY_MAIN };
	static const enum story_function serve[] = { STORY_ZMALLOC, STORY_SERVE, STORY_MAIN };
	const struct trace_writer_options options = {
		.source = TRACE_LIBRARY, .command = "kmemtrace record -c story", .machine = "a machine", .nr_cpus = 2,
		.ticks_hz = 1000000000, .timed = true, .stacks = true, .force = true,
	};
	const struct trace_cache small = {
		.name = "story-64", .kind = TRACE_CACHE_SLAB, .pid = STORY_PID, .id = 5, .object_size = 64, .size = 64,
		.align = 8, .objects = 64,
	};
	const struct trace_cache middle = { .name = "(large)", .kind = TRACE_CACHE_LARGE, .pid = STORY_PID, .id = 0xffff };
	const struct trace_cache pages = { .name = "(pages)", .kind = TRACE_CACHE_PAGES, .pid = STORY_PID, .id = 0xfffe };
	const struct trace_process process = { .pid = STORY_PID, .command = "story --teller", .begin_ns = START };
	struct story s;
	char err[256];

	cr_assert_eq(trace_create(&s.w, path, &options, err, sizeof(err)), 0, "%s", err);
	cr_assert_eq(trace_put_clock(s.w, (struct trace_clock){ START, START }, 0), 0);
	trace_put_process(s.w, &process);
	add_this_program(s.w);
	s.small = trace_add_cache(s.w, &small);
	s.large = trace_add_cache(s.w, &middle);
	s.pages = trace_add_cache(s.w, &pages);
	s.load = story_stack(&s, load, 3);
	s.serve = story_stack(&s, serve, 3);
	return s;
}

/* Records carry the trace's own numbers. */
static struct pack_names name(void *context, const struct pack_event *e)
{
	(void)context;
	return (struct pack_names){ .stack = (uint32_t)e->site, .cache = e->cache };
}

static void put(struct story *s, uint32_t cpu, const struct kmem_batch_record *r)
{
	static struct kmem_batch b;

	b.cpu = cpu;
	b.count = 1;
	b.tsc_first = b.tsc_last = r->tsc;
	b.record[0] = *r;
	cr_assert_eq(trace_put_batch(s->w, STORY_PID, &b, 1, name, NULL), 0);
}

void story_alloc(struct story *s, uint32_t cpu, uint64_t ns, uint64_t ptr, uint32_t size, uint32_t cache, uint32_t stack)
{
	const struct kmem_batch_record r = {
		.tsc = START + ns, .ptr = ptr, .site = stack, .size = size, .cache = (uint16_t)cache, .flags = KMEM_BATCH_STACK,
		.op = cache == s->pages ? KMEM_BATCH_PAGE_ALLOC : KMEM_BATCH_KMALLOC,
	};

	put(s, cpu, &r);
}

void story_free(struct story *s, uint32_t cpu, uint64_t ns, uint64_t ptr, uint32_t cache)
{
	const struct kmem_batch_record r = {
		.tsc = START + ns, .ptr = ptr, .cache = (uint16_t)cache,
		.op = cache == s->pages ? KMEM_BATCH_PAGE_FREE : KMEM_BATCH_KFREE,
	};

	put(s, cpu, &r);
}

void story_snapshot(struct story *s, enum trace_moment moment, uint64_t ns, const struct trace_object *objects, size_t nr,
		    const struct trace_block *blocks, size_t nr_blocks)
{
	trace_put_snapshot(s->w, moment, STORY_PID, START + ns, true, objects, nr, blocks, nr_blocks);
}

void story_end(struct story *s, uint64_t ns, uint64_t lost)
{
	cr_assert_eq(trace_flush(s->w), 0);
	trace_put_clock(s->w, (struct trace_clock){ START + ns, START + ns }, lost);
	cr_assert_eq(trace_finish(s->w, &(struct trace_totals){ .lost = lost }), 0);
	cr_assert_eq(trace_end(s->w), 0);
}

static void tell_usual(struct story *s)
{
	for (uint32_t i = 0; i < STORY_SERVED; i++) {
		uint64_t ns = 10000 + i * 90000ull;

		if (i % (STORY_SERVED / STORY_LOADED) == 0)
			story_alloc(s, 0, ns, 0x10000000 + i / (STORY_SERVED / STORY_LOADED) * 64, 48, s->small, s->load);
		story_alloc(s, 0, ns + 1000, 0x20000000, 100, s->small, s->serve);
		if (i == STORY_SERVED / 2)
			story_alloc(s, 1, ns + 1001, 0x30000000, 1 << 20, s->large, s->load);
		story_free(s, i < STORY_REMOTE, ns + 2000, 0x20000000, s->small);
		if (i == STORY_SERVED / 10 * 6)
			story_free(s, 1, ns + 2001, 0x30000000, s->large);
	}
	story_free(s, 0, 950000000, 0x40000000, s->small);
	story_free(s, 0, 950000001, 0x40000040, s->small);
}

const char *story_usual(void)
{
	struct trace_object begin[STORY_OLD], end[STORY_LOADED + STORY_OLD - 2];
	struct trace_block block = { 0x10000000, STORY_LOADED * 64, 0, STORY_PID, STORY_LOADED, STORY_LOADED };
	const char *path = sample_path("story");
	struct story s = story_begin(path);

	for (uint32_t i = 0; i < STORY_OLD; i++)
		begin[i] = (struct trace_object){ 0x40000000 + i * 64, 64, s.small, STORY_PID };
	for (uint32_t i = 0; i < STORY_LOADED; i++)
		end[i] = (struct trace_object){ 0x10000000 + i * 64, 64, s.small, STORY_PID };
	memcpy(end + STORY_LOADED, begin + 2, sizeof(begin) - 2 * sizeof(begin[0]));
	block.cache = s.small;
	story_snapshot(&s, TRACE_BEGIN, 0, begin, STORY_OLD, NULL, 0);
	tell_usual(&s);
	story_snapshot(&s, TRACE_END, 990000000, end, STORY_LOADED + STORY_OLD - 2, &block, 1);
	story_end(&s, 1000000000, 0);
	return path;
}

struct analysis *story_analysis(const char *path, const struct analysis_options *options)
{
	static const struct analysis_options all = { 0 };
	struct analysis *an = malloc(sizeof(*an));
	char err[256];

	cr_assert_eq(analysis_run(an, path, options ? options : &all, err, sizeof(err)), 0, "%s", err);
	return an;
}

void story_close(struct analysis *an)
{
	analysis_close(an);
	free(an);
}
