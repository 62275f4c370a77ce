/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel_report.c - see kernel_report.h. */
#include "kmemleak/kernel_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_RESIDUES 8

/* "function+0x12/0x40 [module]", or the bare address. */
static const char *frame_of(const struct kernel_scan *scan, uint64_t address, char buf[SYMBOLS_NAME_BYTES])
{
	if (scan->symbols)
		return symbols_frame(scan->symbols, address, buf, SYMBOLS_NAME_BYTES);
	snprintf(buf, SYMBOLS_NAME_BYTES, "0x%" PRIx64, address);
	return buf;
}

/* ---- one object ---- */

/* From the call site outwards: what is inside it is the allocator and the tracepoint. */
static void print_backtrace(FILE *file, const struct kernel_scan *scan, const struct kernel_leak *leak)
{
	uint64_t frames[KOBJECTS_FRAMES], site = leak->row->object.call_site;
	size_t nr = kobjects_stack(scan->objects, leak->row->object.stack, frames), first = 0;
	char name[SYMBOLS_NAME_BYTES];

	while (first < nr && frames[first] != site)
		first++;
	fputs("  backtrace:\n", file);
	if (first == nr) {
		frames[0] = site;
		first = 0;
		nr = 1;
	}
	for (size_t i = first; i < nr; i++)
		fprintf(file, "    [<%016" PRIx64 ">] %s\n", frames[i], frame_of(scan, frames[i], name));
}

static void print_object(FILE *file, const struct kernel_scan *scan, const struct kernel_leak *leak)
{
	const struct kmem_kernel_object *object = &leak->row->object;

	fprintf(file, "unfreed object 0x%" PRIx64 " (size %" PRIu64 "):\n", leak->row->address, leak->bytes);
	fprintf(file, "  comm \"%.16s\", pid %u, age %" PRIu64 ".%03" PRIu64 " s\n", object->comm, object->tgid,
		leak->age_ns / 1000000000, leak->age_ns / 1000000 % 1000);
	fprintf(file, "  cache %s%s\n", leak->cache, leak->unsure ? ", which allocates without events, too: not sure" : "");
	print_backtrace(file, scan, leak);
}

static void put_address(struct output *o, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	output_string(o, key, text);
}

static void put_site(struct output *o, const struct kernel_scan *scan, uint64_t site)
{
	char name[SYMBOLS_NAME_BYTES];

	put_address(o, "call_site", site);
	output_string(o, "symbol", frame_of(scan, site, name));
}

static void record_object(struct output *o, const struct kernel_scan *scan, const struct kernel_leak *leak)
{
	const struct kmem_kernel_object *object = &leak->row->object;
	char comm[sizeof(object->comm) + 1];

	snprintf(comm, sizeof(comm), "%.16s", object->comm);
	output_begin(o);
	output_string(o, "record", "leak");
	output_number(o, "pid", object->tgid);
	output_string(o, "comm", comm);
	put_address(o, "address", leak->row->address);
	output_number(o, "size", leak->bytes);
	output_string(o, "cache", leak->cache);
	output_number(o, "age_ns", leak->age_ns);
	put_site(o, scan, object->call_site);
	output_bool(o, "sure", !leak->unsure);
	output_end(o);
}

/* Shows at most `limit`; returns how many there are. */
static size_t show_objects(struct output *o, const struct kernel_scan *scan, size_t limit)
{
	size_t nr = 0;

	for (size_t i = 0; i < scan->list.nr; i++) {
		const struct kernel_leak *leak = &scan->list.leaks[i];

		if (leak->known || nr++ >= limit)
			continue;
		if (o->format == OUTPUT_TEXT)
			print_object(o->file, scan, leak);
		else
			record_object(o, scan, leak);
	}
	return nr;
}

/* ---- summary ---- */

static const char *growth_of(const struct kernel_group *group)
{
	if (group->unsure)
		return "unsure";
	return kernel_group_is_steady(group) ? "steady" : "once";
}

static void print_groups(FILE *file, const struct kernel_scan *scan)
{
	char name[SYMBOLS_NAME_BYTES];

	fprintf(file, "%8s %12s %8s %8s %8s %7s  %-20s  %s\n", "OBJECTS", "BYTES", "OLDEST", "YOUNGEST", "NEW", "GROWTH",
		"CACHE", "ALLOCATED BY");
	for (size_t i = 0; i < scan->list.nr_groups; i++) {
		const struct kernel_group *g = &scan->list.groups[i];

		fprintf(file, "%8" PRIu64 " %12" PRIu64 " %7.1fs %7.1fs %+8" PRId64 " %7s  %-20s  %s\n", g->nr, g->bytes,
			(double)g->oldest_ns / 1e9, (double)g->youngest_ns / 1e9, g->growth, growth_of(g), g->cache,
			frame_of(scan, g->call_site, name));
	}
}

static const char *plural(uint64_t nr)
{
	return nr == 1 ? "" : "s";
}

static void print_left_out(FILE *file, const struct kernel_scan *scan)
{
	const struct kernel_list *l = &scan->list;

	fprintf(file, "left out: %" PRIu64 " younger than %g s, %" PRIu64 " free without an event, %" PRIu64
		" given to kfree_rcu(), %" PRIu64 " freed just now",
		l->young, scan->min_age_ms / 1e3, l->silent, l->waiting, scan->freed_meanwhile);
	if (l->outside)
		fprintf(file, ", %" PRIu64 " allocated before or after", l->outside);
	if (l->unknown)
		fprintf(file, ", %" PRIu64 " of which this kernel does not tell", l->unknown);
	if (l->not_asked)
		fprintf(file, ", %" PRIu64 " not asked for", l->not_asked);
	fputc('\n', file);
}

static void print_residues(FILE *file, const struct kernel_scan *scan)
{
	if (!scan->nr_residues) {
		fprintf(file, "complete: the events account for the objects of all %zu caches\n", scan->nr_caches);
		return;
	}
	fprintf(file, "without events (came - went): ");
	for (size_t i = 0; i < scan->nr_residues && i < MAX_RESIDUES; i++)
		fprintf(file, "%s%s %+" PRId64, i ? ", " : "", scan->residues[i].cache, scan->residues[i].objects);
	if (scan->nr_residues > MAX_RESIDUES)
		fprintf(file, ", %zu more caches", scan->nr_residues - MAX_RESIDUES);
	fprintf(file, "; none in %zu caches\n", scan->nr_caches - scan->nr_residues);
}

/* A free that was lost does no harm: the allocator is asked in any case. */
static uint64_t lost_allocs(const struct kernel_scan *scan)
{
	return scan->totals.sum.lost + scan->totals.missed_allocs;
}

static void print_coverage(FILE *file, const struct kernel_scan *scan)
{
	uint64_t lost = lost_allocs(scan);

	fprintf(file, "watched %.1f s: tracked %" PRIu64 " of %" PRIu64 " allocations, %" PRIu64 " frees\n",
		(double)scan->watched_ns / 1e9, scan->allocs + scan->totals.missed_allocs - lost,
		scan->allocs + scan->totals.missed_allocs, scan->frees);
	if (lost)
		fprintf(file, "lost: %" PRIu64 " allocation%s: as many leaks may be missing\n", lost, plural(lost));
	print_left_out(file, scan);
	print_residues(file, scan);
	fputs("Whether anything still refers to an object is not known: what the kernel keeps on purpose is listed, too.\n", file);
}

static void print_summary(FILE *file, const struct kernel_scan *scan)
{
	const struct kernel_list *l = &scan->list;

	if (!l->nr) {
		fputs("kernel: no object is left unfreed\n", file);
	} else {
		fprintf(file, "kernel: %zu object%s not freed, %" PRIu64 " bytes, of %zu place%s", l->nr, plural(l->nr),
			l->bytes, l->nr_groups, plural(l->nr_groups));
		if (l->nr_unsure)
			fprintf(file, "; %" PRIu64 " of these not sure", l->nr_unsure);
		fputc('\n', file);
		print_groups(file, scan);
	}
	print_coverage(file, scan);
}

static void record_group(struct output *o, const struct kernel_scan *scan, const struct kernel_group *g)
{
	char growth[24];

	snprintf(growth, sizeof(growth), "%" PRId64, g->growth);
	output_begin(o);
	output_string(o, "record", "group");
	output_string(o, "cache", g->cache);
	put_site(o, scan, g->call_site);
	output_number(o, "objects", g->nr);
	output_number(o, "bytes", g->bytes);
	output_number(o, "oldest_ns", g->oldest_ns);
	output_number(o, "youngest_ns", g->youngest_ns);
	output_string(o, "new", growth);
	output_string(o, "growth", growth_of(g));
	output_end(o);
}

static void record_residue(struct output *o, const struct kernel_residue *residue)
{
	char objects[24];

	snprintf(objects, sizeof(objects), "%" PRId64, residue->objects);
	output_begin(o);
	output_string(o, "record", "residue");
	output_string(o, "cache", residue->cache);
	output_string(o, "objects", objects);
	output_end(o);
}

static void record_summary(struct output *o, const struct kernel_scan *scan)
{
	const struct kernel_list *l = &scan->list;

	output_begin(o);
	output_string(o, "record", "scan");
	output_number(o, "leaks", l->nr);
	output_number(o, "leaked_bytes", l->bytes);
	output_number(o, "known", l->nr_known);
	output_number(o, "unsure", l->nr_unsure);
	output_number(o, "watched_ns", scan->watched_ns);
	output_number(o, "allocations", scan->allocs);
	output_number(o, "frees", scan->frees);
	output_number(o, "lost_allocations", lost_allocs(scan));
	output_number(o, "young", l->young);
	output_number(o, "free_without_event", l->silent);
	output_number(o, "waiting", l->waiting);
	output_number(o, "freed_meanwhile", scan->freed_meanwhile);
	output_number(o, "outside", l->outside);
	output_number(o, "unknown", l->unknown);
	output_number(o, "left_out", l->not_asked);
	output_number(o, "caches", scan->nr_caches);
	output_number(o, "caches_with_residue", scan->nr_residues);
	output_end(o);
}

void kernel_report(struct output *o, const struct kernel_scan *scan, const struct report_options *options)
{
	size_t limit = options->summary_only ? 0 : options->limit;
	size_t nr = show_objects(o, scan, limit);

	if (o->format == OUTPUT_TEXT) {
		if (nr > limit && !options->summary_only)
			fprintf(o->file, "(%zu more objects not shown; --limit changes that)\n", nr - limit);
		if (nr && limit)
			fputc('\n', o->file);
		print_summary(o->file, scan);
		return;
	}
	if (o->format != OUTPUT_JSON)
		return;
	for (size_t i = 0; i < scan->list.nr_groups; i++)
		record_group(o, scan, &scan->list.groups[i]);
	for (size_t i = 0; i < scan->nr_residues; i++)
		record_residue(o, &scan->residues[i]);
	record_summary(o, scan);
}
