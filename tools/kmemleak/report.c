/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - see report.h. The hidden leaks of a scan are neither shown nor counted here. */
#include "kmemleak/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEX_BYTES 32u
#define HEX_ROW   16u

/* ---- call sites ---------------------------------------------------------------------------- */

/* "function+0x12/0x40 [module]", or the bare address. */
static const char *frame_of(const struct scan *scan, uint64_t call_site, char buf[SYMBOLS_NAME_BYTES])
{
	if (scan->trace && scan->trace->symbols)
		return symbols_frame(scan->trace->symbols, call_site, buf, SYMBOLS_NAME_BYTES);
	snprintf(buf, SYMBOLS_NAME_BYTES, "0x%" PRIx64, call_site);
	return buf;
}

/* Why a call site is not known. */
static const char *not_recorded(const struct scan *scan)
{
	if (!scan->trace)
		return "not recorded; --trace SECS records call sites from now on";
	if (scan->trace->nr_lost)
		return "not recorded (allocated before the trace, or the event was lost)";
	return "not recorded (allocated before the trace)";
}

static void print_age(FILE *file, const struct leak *leak)
{
	if (leak->call_site)
		fprintf(file, "age %" PRIu64 ".%03" PRIu64 " s\n", leak->age_ns / 1000000000,
			leak->age_ns / 1000000 % 1000);
	else
		fputs("age unknown\n", file);
}

static void print_backtrace(FILE *file, const struct scan *scan, const struct leak *leak)
{
	char frame[SYMBOLS_NAME_BYTES];

	fprintf(file, "  backtrace (crc %08" PRIx32 "):\n", report_crc(scan, leak));
	if (leak->call_site)
		fprintf(file, "    [<%016" PRIx64 ">] %s\n", leak->call_site, frame_of(scan, leak->call_site, frame));
	else
		fprintf(file, "    %s\n", not_recorded(scan));
}

/* ---- one object --------------------------------------------------------------------------- */

uint32_t report_crc(const struct scan *scan, const struct leak *leak)
{
	return (uint32_t)crc32_z(0, scan_content(scan, leak), leak->bytes);
}

void report_hex(FILE *file, const uint8_t *data, size_t bytes)
{
	if (bytes > HEX_BYTES)
		bytes = HEX_BYTES;
	for (size_t row = 0; row < bytes; row += HEX_ROW) {
		char ascii[HEX_ROW + 1] = "";

		fputs("    ", file);
		for (size_t i = 0; i < HEX_ROW; i++) {
			if (row + i >= bytes) {
				fputs("   ", file);
				continue;
			}
			fprintf(file, "%02x ", data[row + i]);
			ascii[i] = data[row + i] >= ' ' && data[row + i] < 127 ? (char)data[row + i] : '.';
		}
		fprintf(file, " %s\n", ascii);
	}
}

static const struct leak *leader_of(const struct scan *scan, const struct leak *leak)
{
	return &scan->leaks.list[leak->leader];
}

/* Where the object lies, and whose fault it is. */
static void print_place(FILE *file, const struct scan *scan, const struct leak *leak)
{
	const struct model_block *b = &scan->model.blocks[leak->block];
	uint64_t start = scan->model.base + ((uint64_t)b->first_page << KMEM_PAGE_SHIFT);

	fprintf(file, "  cache %s, ", scan_cache_name(scan, b->cache_id));
	if (!b->stride && b->cache_id != KMEM_ID_LARGE)
		fputs("between guard pages, ", file);
	else if (b->stride)
		fprintf(file, "offset in slab 0x%" PRIx64 ", ", leak->address - start);
	if (!leak_is_direct(&scan->leaks, leak))
		fprintf(file, "indirect leak, held by 0x%" PRIx64 "\n", leader_of(scan, leak)->address);
	else if (leak->held_objects)
		fprintf(file, "direct leak, holds %" PRIu64 " more (%" PRIu64 " bytes)\n", leak->held_objects,
			leak->held_bytes);
	else
		fputs("direct leak\n", file);
}

void report_object(FILE *file, const struct scan *scan, const struct leak *leak)
{
	fprintf(file, "unreferenced object 0x%" PRIx64 " (size %" PRIu64 "):\n", leak->address, leak->bytes);
	fprintf(file, "  comm \"%s\", pid %d, ", scan->target->comm, scan->target->pid);
	print_age(file, leak);
	print_place(file, scan, leak);
	fprintf(file, "  hex dump (first %" PRIu64 " bytes):\n", leak->bytes < HEX_BYTES ? leak->bytes : HEX_BYTES);
	report_hex(file, scan_content(scan, leak), leak->bytes);
	print_backtrace(file, scan, leak);
}

static void put_address(struct output *o, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	output_string(o, key, text);
}

/* Where and when it was allocated, as far as known. */
static void put_call_site(struct output *o, const struct scan *scan, uint64_t call_site)
{
	char frame[SYMBOLS_NAME_BYTES];

	if (call_site) {
		put_address(o, "call_site", call_site);
		output_string(o, "symbol", frame_of(scan, call_site, frame));
	} else {
		output_unknown(o, "call_site");
		output_unknown(o, "symbol");
	}
}

static void put_hex(struct output *o, const uint8_t *data, size_t bytes)
{
	char text[2 * HEX_BYTES + 1] = "";

	for (size_t i = 0; i < bytes && i < HEX_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	output_string(o, "hex", text);
}

static void record_object(struct output *o, const struct scan *scan, const struct leak *leak)
{
	const struct model_block *b = &scan->model.blocks[leak->block];
	char crc[9];

	snprintf(crc, sizeof(crc), "%08" PRIx32, report_crc(scan, leak));
	output_begin(o);
	output_string(o, "record", "leak");
	output_number(o, "pid", (uint64_t)scan->target->pid);
	output_string(o, "comm", scan->target->comm);
	put_address(o, "address", leak->address);
	output_number(o, "size", leak->bytes);
	output_string(o, "cache", scan_cache_name(scan, b->cache_id));
	output_number(o, "offset_in_slab", leak->address - scan->model.base - ((uint64_t)b->first_page << KMEM_PAGE_SHIFT));
	output_bool(o, "direct", leak_is_direct(&scan->leaks, leak));
	put_address(o, "leader", leader_of(scan, leak)->address);
	output_number(o, "held_objects", leak->held_objects);
	output_number(o, "held_bytes", leak->held_bytes);
	if (leak->call_site)
		output_number(o, "age_ns", leak->age_ns);
	else
		output_unknown(o, "age_ns");
	put_call_site(o, scan, leak->call_site);
	output_string(o, "crc", crc);
	put_hex(o, scan_content(scan, leak), leak->bytes);
	output_end(o);
}

/* ---- order ------------------------------------------------------------------------------- */

struct order {
	uint64_t held; /* by the leader, itself included */
	const struct leak *leak;
	bool direct;
};

/* What one mistake costs comes first; behind a leader what hangs off it. */
static int by_cost(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->held != y->held)
		return x->held < y->held ? 1 : -1;
	if (x->leak->leader != y->leak->leader)
		return x->leak->leader < y->leak->leader ? -1 : 1;
	if (x->direct != y->direct)
		return x->direct ? -1 : 1;
	return x->leak->address < y->leak->address ? -1 : 1;
}

/* The leaks to be shown, in order. NULL when out of memory. */
static struct order *sort_leaks(const struct scan *scan, size_t *nr)
{
	struct order *order = calloc(scan->leaks.nr + 1, sizeof(*order));

	*nr = 0;
	for (size_t i = 0; order && i < scan->leaks.nr; i++) {
		const struct leak *leak = &scan->leaks.list[i], *leader = leader_of(scan, leak);

		if (leak->hidden)
			continue;
		order[*nr].held = leader->bytes + leader->held_bytes;
		order[*nr].direct = leak == leader;
		order[(*nr)++].leak = leak;
	}
	if (order)
		qsort(order, *nr, sizeof(*order), by_cost);
	return order;
}

/* ---- summary ----------------------------------------------------------------------------- */

/* The last columns: the cache, and who allocated if a trace can tell. */
static void print_group_name(FILE *file, const struct scan *scan, const struct leak_group *g)
{
	const char *cache = scan_cache_name(scan, g->cache_id);
	char frame[SYMBOLS_NAME_BYTES];

	if (!scan->trace)
		fprintf(file, "  %s\n", cache);
	else
		fprintf(file, "  %-20s  %s\n", cache,
			g->call_site ? frame_of(scan, g->call_site, frame) : "not recorded");
}

static void print_groups(FILE *file, const struct scan *scan)
{
	fprintf(file, "%8s %9s %12s %12s  ", "DIRECT", "INDIRECT", "BYTES", "HELD BYTES");
	fputs(scan->trace ? "CACHE                 ALLOCATED BY\n" : "CACHE\n", file);
	for (size_t i = 0; i < scan->leaks.nr_groups; i++) {
		const struct leak_group *g = &scan->leaks.groups[i];

		fprintf(file, "%8" PRIu64 " %9" PRIu64 " %12" PRIu64 " %12" PRIu64, g->direct, g->indirect,
			g->direct_bytes + g->indirect_bytes, g->held_bytes);
		print_group_name(file, scan, g);
	}
}

static size_t count_hidden(const struct scan *scan)
{
	size_t nr = 0;

	for (size_t i = 0; i < scan->leaks.nr; i++)
		nr += scan->leaks.list[i].hidden;
	return nr;
}

static void print_coverage(FILE *file, const struct scan *scan)
{
	const struct image *image = &scan->image;
	char heap[OUTPUT_HUMAN_BYTES], roots[OUTPUT_HUMAN_BYTES], skipped[OUTPUT_HUMAN_BYTES];

	fprintf(file, "scanned %" PRIu64 " object%s (%s), roots %s in %zu ranges, %zu thread%s\n",
		scan->model.nr_objects, scan->model.nr_objects == 1 ? "" : "s", output_human(heap, image->heap_bytes), output_human(roots, image->root_bytes),
		image->roots.nr, scan->nr_threads, scan->nr_threads == 1 ? "" : "s");
	if (count_hidden(scan))
		fprintf(file, "left out: %zu unreferenced objects that were reported or cleared before, or are not asked for\n",
			count_hidden(scan));
	if (scan->trace && scan->trace->nr_lost)
		fprintf(file, "lost during the trace: %" PRIu64 " event%s: call sites may be missing\n",
			scan->trace->nr_lost, scan->trace->nr_lost == 1 ? "" : "s");
	if (image->nr_unreadable)
		fprintf(file, "unreadable: %zu ranges, %" PRIu64 " bytes: what only they point to is reported falsely\n",
			image->nr_unreadable, image->unreadable_bytes);
	if (image->roots.nr_skipped)
		fprintf(file, "not scanned: %zu shared mapping%s (%s); --all-mappings scans them\n",
			image->roots.nr_skipped, image->roots.nr_skipped == 1 ? "" : "s",
			output_human(skipped, image->roots.skipped_bytes));
	if (scan->model.nr_damaged)
		fprintf(file, "in flux or damaged: %" PRIu64 " descriptors or parked addresses, left out\n",
			scan->model.nr_damaged);
	fprintf(file, "stopped for %.1f ms, marked in %.1f ms, %.1f ms in all\n", (double)scan->pause_ns / 1e6,
		(double)scan->mark_ns / 1e6, (double)scan->total_ns / 1e6);
}

static void print_summary(FILE *file, const struct scan *scan, size_t nr)
{
	const struct leaks *leaks = &scan->leaks;

	fprintf(file, "PID %d (%s): ", scan->target->pid, scan->target->comm);
	if (!nr) {
		fputs("no leaks\n", file);
	} else {
		fprintf(file, "%zu unreferenced object%s, %" PRIu64 " bytes: %" PRIu64 " direct, %" PRIu64 " indirect\n",
			nr, nr == 1 ? "" : "s", leaks->bytes, leaks->nr_direct, nr - leaks->nr_direct);
		print_groups(file, scan);
	}
	print_coverage(file, scan);
}

static void record_group(struct output *o, const struct scan *scan, const struct leak_group *g)
{
	output_begin(o);
	output_string(o, "record", "group");
	output_number(o, "pid", (uint64_t)scan->target->pid);
	output_string(o, "cache", scan_cache_name(scan, g->cache_id));
	put_call_site(o, scan, g->call_site);
	output_number(o, "direct", g->direct);
	output_number(o, "indirect", g->indirect);
	output_number(o, "bytes", g->direct_bytes + g->indirect_bytes);
	output_number(o, "held_bytes", g->held_bytes);
	output_end(o);
}

static void record_summary(struct output *o, const struct scan *scan, size_t nr)
{
	const struct image *image = &scan->image;

	output_begin(o);
	output_string(o, "record", "scan");
	output_number(o, "pid", (uint64_t)scan->target->pid);
	output_string(o, "comm", scan->target->comm);
	output_number(o, "leaks", nr);
	output_number(o, "direct", scan->leaks.nr_direct);
	output_number(o, "leaked_bytes", scan->leaks.bytes);
	output_number(o, "left_out", count_hidden(scan));
	output_number(o, "objects", scan->model.nr_objects);
	output_number(o, "object_bytes", scan->model.object_bytes);
	output_number(o, "reached", scan->nr_marked);
	output_number(o, "parked", scan->model.nr_parked);
	output_number(o, "heap_bytes", image->heap_bytes);
	output_number(o, "root_bytes", image->root_bytes);
	output_number(o, "root_ranges", image->roots.nr);
	output_number(o, "threads", scan->nr_threads);
	output_number(o, "unreadable_ranges", image->nr_unreadable);
	output_number(o, "unreadable_bytes", image->unreadable_bytes);
	output_number(o, "skipped_mappings", image->roots.nr_skipped);
	output_number(o, "skipped_bytes", image->roots.skipped_bytes);
	output_number(o, "in_flux", scan->model.nr_damaged);
	if (scan->trace)
		output_number(o, "trace_lost", scan->trace->nr_lost);
	else
		output_unknown(o, "trace_lost");
	output_milli(o, "pause_ms", scan->pause_ns / 1000);
	output_milli(o, "mark_ms", scan->mark_ns / 1000);
	output_milli(o, "total_ms", scan->total_ns / 1000);
	output_end(o);
}

/* ---- the whole --------------------------------------------------------------------------- */

int report_scan(struct output *o, const struct scan *scan, const struct report_options *options)
{
	size_t nr, shown;
	struct order *order = sort_leaks(scan, &nr);

	if (!order)
		return -ENOMEM;
	shown = options->summary_only ? 0 : nr < options->limit ? nr : options->limit;
	for (size_t i = 0; i < shown; i++) {
		if (o->format == OUTPUT_TEXT)
			report_object(o->file, scan, order[i].leak);
		else
			record_object(o, scan, order[i].leak);
	}
	free(order);
	if (o->format == OUTPUT_TEXT) {
		if (shown < nr && !options->summary_only)
			fprintf(o->file, "(%zu more objects not shown; --limit changes that)\n", nr - shown);
		if (shown)
			fputc('\n', o->file);
		print_summary(o->file, scan, nr);
	} else if (o->format == OUTPUT_JSON) {
		for (size_t i = 0; i < scan->leaks.nr_groups; i++)
			record_group(o, scan, &scan->leaks.groups[i]);
		record_summary(o, scan, nr);
	}
	return 0;
}
