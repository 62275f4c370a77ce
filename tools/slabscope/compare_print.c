/* SPDX-License-Identifier: BSD-2-Clause */
/* compare_print.c - the figures of a comparison as a table, JSON lines or CSV. */
#include "slabscope/compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t parked(const struct kmem_cache_info *row)
{
	return row->cpu_free + row->cpu_partial_free + row->sheaf_main + row->sheaf_spare + row->barn_objects;
}

static uint64_t slab_bytes(const struct kmem_cache_info *row)
{
	return UINT64_C(4096) << row->order;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void compare_figures(const struct comparison *c, unsigned int side, unsigned int cache, struct compare_figures *f)
{
	const struct script *script = c->script;
	const struct compare_side *s = &c->side[side];
	const struct kmem_cache_info *row = &s->row[(script->nr_checks - 1) * script->nr_caches + cache];
	const struct compare_work *work = &c->work[cache];
	uint64_t steps = 0;

	*f = (struct compare_figures){
		.object_size = script->cache[cache].size, .size = row->size, .order = row->order,
		.objects_per_slab = row->objects_per_slab, .slabs = row->slabs, .objects = row->objects_total,
		.in_use = row->in_use, .partial = row->node_partial, .partial_free = row->partial_free,
		.parked = parked(row),
		.use_milli = row->objects_total ? row->in_use * 1000 / row->objects_total : 0,
		.slab_waste = less(slab_bytes(row), (uint64_t)row->objects_per_slab * row->size),
		.held = row->slabs * slab_bytes(row),
		.asked_milli = row->size ? script->cache[cache].size * UINT64_C(1000) / row->size : 0,
		.residue = (int64_t)(row->in_use - work->live),
	};
	f->waste = less(f->held, work->live * f->object_size);
	for (unsigned int i = 0; i < script->nr_checks; i++) {
		uint64_t slabs = s->row[i * script->nr_caches + cache].slabs;

		f->peak_slabs = slabs > f->peak_slabs ? slabs : f->peak_slabs;
	}
	f->peak_held = f->peak_slabs * slab_bytes(row);
	for (unsigned int i = 0; i < script->nr_caches; i++)
		steps += c->work[i].allocs + c->work[i].frees;
	if (s->work_ns)
		f->calls_per_second = (uint64_t)((double)steps * 1e9 / (double)s->work_ns);
}

/* ---- text ---- */

struct line {
	const char *name;
	char text[COMPARE_SIDES][32];
};

static void print_line(const struct comparison *c, FILE *file, const struct line *line)
{
	bool both = c->side[0].known && c->side[1].known;

	fprintf(file, "  %-34s", line->name);
	for (unsigned int i = 0; i < COMPARE_SIDES; i++)
		fprintf(file, " %20s", c->side[i].known ? line->text[i] : "-");
	fprintf(file, "%s\n", both && strcmp(line->text[0], line->text[1]) != 0 ? "  *" : "");
}

enum { NUMBER, BYTES, MILLI, RATE };

static void print_figure(const struct comparison *c, FILE *file, const char *name, const uint64_t value[], int kind)
{
	struct line line = { .name = name };
	char human[OUTPUT_HUMAN_BYTES];

	for (unsigned int i = 0; i < COMPARE_SIDES; i++) {
		if (kind == NUMBER)
			snprintf(line.text[i], sizeof(line.text[i]), "%" PRIu64, value[i]);
		else if (kind == MILLI)
			snprintf(line.text[i], sizeof(line.text[i]), "%" PRIu64 ".%" PRIu64 " %%", value[i] / 10, value[i] % 10);
		else
			snprintf(line.text[i], sizeof(line.text[i]), "%s",
				 kind == BYTES ? output_human(human, value[i]) : output_count(human, value[i]));
	}
	print_line(c, file, &line);
}

#define FIGURE(text, field, kind) print_figure(c, file, text, (const uint64_t[]){ f[0].field, f[1].field }, kind)

static void print_cache(const struct comparison *c, FILE *file, unsigned int cache)
{
	const struct compare_work *work = &c->work[cache];
	struct compare_figures f[COMPARE_SIDES] = { 0 };
	struct line line = { .name = "objects that are nobody's (residue)" };

	for (unsigned int i = 0; i < COMPARE_SIDES; i++)
		if (c->side[i].known)
			compare_figures(c, i, cache, &f[i]);
	fprintf(file, "\n%s: %u bytes; %" PRIu64 " allocations, %" PRIu64 " frees, %" PRIu64 " live at the end, %" PRIu64
		" at most, each for %" PRIu64 " steps\n", c->script->cache[cache].name, c->script->cache[cache].size,
		work->allocs, work->frees, work->live, work->peak_live, work->life_steps);
	fprintf(file, "  %-34s %20s %20s\n", "", c->side[0].label, c->side[1].label);
	FIGURE("object with its padding, bytes", size, NUMBER);
	FIGURE("asked for of it", asked_milli, MILLI);
	FIGURE("order of a slab", order, NUMBER);
	FIGURE("objects in a slab", objects_per_slab, NUMBER);
	FIGURE("bytes of a slab in no object", slab_waste, NUMBER);
	FIGURE("slabs", slabs, NUMBER);
	FIGURE("slabs at the peak", peak_slabs, NUMBER);
	FIGURE("objects in use", in_use, NUMBER);
	FIGURE("in use of those in slabs", use_milli, MILLI);
	FIGURE("partial slabs", partial, NUMBER);
	FIGURE("free objects in them", partial_free, NUMBER);
	FIGURE("free objects parked per CPU", parked, NUMBER);
	FIGURE("memory", held, BYTES);
	FIGURE("memory at the peak", peak_held, BYTES);
	FIGURE("memory that no live object asked for", waste, BYTES);
	FIGURE("calls per second, with their way there", calls_per_second, RATE);
	for (unsigned int i = 0; i < COMPARE_SIDES; i++)
		snprintf(line.text[i], sizeof(line.text[i]), "%" PRId64, f[i].residue);
	print_line(c, file, &line);
}

static void print_text(const struct comparison *c, FILE *file)
{
	fprintf(file, "%s: %zu steps, %u checks\n", c->title, c->script->nr_ops - c->script->nr_checks,
		c->script->nr_checks);
	for (unsigned int i = 0; i < COMPARE_SIDES; i++)
		if (!c->side[i].known)
			fprintf(file, "%s: %s\n", c->side[i].label, c->side[i].why);
	for (unsigned int i = 0; i < c->script->nr_caches; i++)
		print_cache(c, file, i);
	fprintf(file, "\n*: they differ. Reached by system calls in the kernel, by calls in libkmem: the rates are no measure of either.\n");
}

/* ---- records ---- */

static void print_record(const struct comparison *c, struct output *o, unsigned int side, unsigned int cache)
{
	struct compare_figures f;

	compare_figures(c, side, cache, &f);
	output_begin(o);
	output_string(o, "side", side == COMPARE_KERNEL ? "kernel" : "libkmem");
	output_string(o, "release", c->side[side].label);
	output_string(o, "work", c->title);
	output_string(o, "cache", c->script->cache[cache].name);
	output_number(o, "object_size_bytes", f.object_size);
	output_number(o, "size_bytes", f.size);
	output_milli(o, "asked_of_size", f.asked_milli);
	output_number(o, "order", f.order);
	output_number(o, "objects_per_slab", f.objects_per_slab);
	output_number(o, "slab_waste_bytes", f.slab_waste);
	output_number(o, "slabs", f.slabs);
	output_number(o, "peak_slabs", f.peak_slabs);
	output_number(o, "objects", f.objects);
	output_number(o, "in_use", f.in_use);
	output_milli(o, "utilisation", f.use_milli);
	output_number(o, "partial_slabs", f.partial);
	output_number(o, "partial_free", f.partial_free);
	output_number(o, "parked", f.parked);
	output_number(o, "held_bytes", f.held);
	output_number(o, "peak_held_bytes", f.peak_held);
	output_number(o, "waste_bytes", f.waste);
	output_number(o, "allocs", c->work[cache].allocs);
	output_number(o, "frees", c->work[cache].frees);
	output_number(o, "mean_life_steps", c->work[cache].life_steps);
	output_number(o, "calls_per_second", f.calls_per_second);
	output_number(o, "residue", (uint64_t)llabs((long long)f.residue));
	output_end(o);
}

int compare_print(const struct comparison *c, FILE *file, enum output_format format)
{
	struct output o;

	if (format == OUTPUT_TEXT) {
		print_text(c, file);
		return output_flush_file(file);
	}
	output_init(&o, file, format);
	for (unsigned int cache = 0; cache < c->script->nr_caches; cache++)
		for (unsigned int side = 0; side < COMPARE_SIDES; side++)
			if (c->side[side].known)
				print_record(c, &o, side, cache);
	return output_flush(&o);
}
