/* SPDX-License-Identifier: BSD-2-Clause */
/* report_text.c - a report as text. */
#include "kmemtrace/report.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "kmemtrace/units.h"

#define SPARK_COLUMNS   24u
#define COMMAND_BYTES   48u
#define BAR_COLUMNS     40u
#define OVERVIEW_ROWS   5u
#define OVERVIEW_LINES  26u /* without the rows of its three tables */
#define TABLE_ROWS      20u

/* ---- the header ------------------------------------------------------------------------ */

static const char *heading(const struct report_options *o, bool begin)
{
	return !o->colour ? "" : begin ? "\033[1m" : "\033[0m";
}

/* A command without the folder of its program, and without the blanks that some leave behind their status. */
static const char *short_command(const char *command, char *buf, size_t len)
{
	const char *slash = memrchr(command, '/', strcspn(command, " "));
	size_t end;

	snprintf(buf, len, "%s", slash ? slash + 1 : command);
	for (end = strlen(buf); end && buf[end - 1] == ' '; end--)
		buf[end - 1] = '\0';
	return buf;
}

static void print_processes(const struct analysis *an, const struct report_options *o, FILE *file)
{
	const struct trace_process *process;
	size_t nr = trace_processes(an->trace, &process), i;
	char command[COMMAND_BYTES];

	fprintf(file, "%s%s%s", heading(o, true), an->path, heading(o, false));
	if (an->info->source == TRACE_KERNEL)
		fputs(": the kernel", file);
	for (i = 0; i < nr && i < 2; i++)
		fprintf(file, "%s %s (PID %u)", i ? "," : ":", short_command(process[i].command, command, sizeof(command)),
			process[i].pid);
	if (nr > 2)
		fprintf(file, " and %zu more processes", nr - 2);
	putc('\n', file);
}

static void print_missing(const struct analysis *an, FILE *file)
{
	const struct trace_info *info = an->info;
	char count[OUTPUT_HUMAN_BYTES];
	uint64_t lost = info->lost + info->unreadable + info->no_buffer + info->damaged_events;

	if (lost)
		fprintf(file, ", %s LOST", output_count(count, lost));
	if (!info->complete)
		fputs(", recorder did not finish", file);
	else if (info->damaged || info->truncated)
		fputs(", DAMAGED", file);
	else if (!analysis_missing(an))
		fputs(", complete", file);
	else if (!lost)
		fputs(", NOT complete", file);
}

static void print_recorded(const struct analysis *an, const struct report_options *o, FILE *file)
{
	const struct trace_info *info = an->info;
	time_t start = (time_t)(info->start_unix_ns / 1000000000);
	char when[32] = "", duration[UNITS_BYTES], events[OUTPUT_HUMAN_BYTES], rate[OUTPUT_HUMAN_BYTES];
	struct tm tm;

	if (localtime_r(&start, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(file, "recorded %s, %s, %s events (%s/s)", when, units_duration(duration, info->duration_ns),
		output_count(events, info->events), output_count(rate, units_rate(info->events, info->duration_ns)));
	print_missing(an, file);
	if (!info->timed)
		fputs(", no time stamps (durations are good to about a buffer)", file);
	if (!info->stacks)
		fputs(", no stacks", file);
	/* A narrow screen can do without. */
	if (!o->columns || o->columns >= 120)
		fprintf(file, "; %s", info->machine);
	putc('\n', file);
}

/* ---- what happened over time ----------------------------------------------------------- */

enum series { SERIES_LIVE, SERIES_ALLOCS };

static void resample(const struct timeline *t, enum series series, uint64_t *value, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		size_t from = i * t->nr / nr, to = (i + 1) * t->nr / nr;

		value[i] = 0;
		for (size_t k = from; k < to || k == from; k++) {
			if (series == SERIES_ALLOCS)
				value[i] += t->bin[k].allocs;
			else if (t->bin[k].high_bytes > value[i])
				value[i] = t->bin[k].high_bytes;
		}
	}
}

static uint64_t print_spark(const struct analysis *an, enum series series, FILE *file)
{
	uint64_t value[SPARK_COLUMNS] = { 0 }, top = 0;
	size_t nr = an->aggregate.timeline.nr < SPARK_COLUMNS ? an->aggregate.timeline.nr : SPARK_COLUMNS;

	resample(&an->aggregate.timeline, series, value, nr);
	for (size_t i = 0; i < nr; i++)
		if (value[i] > top)
			top = value[i];
	units_spark(file, value, nr, top);
	for (; nr < SPARK_COLUMNS; nr++)
		putc(' ', file);
	/* Per second, of a column of the graph. */
	return units_rate(top, an->aggregate.timeline.nr * an->aggregate.timeline.width_ns / SPARK_COLUMNS);
}

static void print_distribution(const struct histogram *h, FILE *file)
{
	uint64_t octave[HISTOGRAM_OCTAVES], top = 0;
	size_t first = HISTOGRAM_OCTAVES, last = 0, i;

	histogram_octaves(h, octave);
	for (i = 0; i < HISTOGRAM_OCTAVES; i++) {
		if (!octave[i])
			continue;
		if (first == HISTOGRAM_OCTAVES)
			first = i;
		last = i;
		if (octave[i] > top)
			top = octave[i];
	}
	i = 0;
	if (first < HISTOGRAM_OCTAVES) {
		i = last - first + 1 < SPARK_COLUMNS ? last - first + 1 : SPARK_COLUMNS;
		units_spark(file, octave + first, i, top);
	}
	for (; i < SPARK_COLUMNS; i++)
		putc(' ', file);
}

static void print_memory(const struct analysis *an, FILE *file)
{
	const struct stats *t = &an->aggregate.total;
	char live[OUTPUT_HUMAN_BYTES], objects[OUTPUT_HUMAN_BYTES], peak[OUTPUT_HUMAN_BYTES], start[OUTPUT_HUMAN_BYTES];
	char when[UNITS_BYTES], allocs[OUTPUT_HUMAN_BYTES], frees[OUTPUT_HUMAN_BYTES], rate[OUTPUT_HUMAN_BYTES];
	char most[OUTPUT_HUMAN_BYTES];
	uint64_t top;

	fputs("  live      ", file);
	print_spark(an, SERIES_LIVE, file);
	fprintf(file, "  %s at first, peak %s at %s; %s in %s objects\n", output_human(start, t->start_bytes),
		output_human(peak, t->peak_bytes), units_duration(when, an->aggregate.peak_ns),
		output_human(live, t->live_bytes), output_count(objects, t->live_objects));
	fputs("  allocs    ", file);
	top = print_spark(an, SERIES_ALLOCS, file);
	fprintf(file, "  %s (%s/s, at most %s/s), %s frees", output_count(allocs, t->allocs),
		output_count(rate, units_rate(t->allocs, an->window_ns)), output_count(most, top),
		output_count(frees, t->frees));
	if (an->failed)
		fprintf(file, "; %s FAILED", output_count(rate, an->failed));
	putc('\n', file);
}

static void print_shapes(const struct analysis *an, FILE *file)
{
	const struct stats *t = &an->aggregate.total;
	const struct histogram *sizes = &an->aggregate.sizes;
	char half[OUTPUT_HUMAN_BYTES], most[OUTPUT_HUMAN_BYTES], max[OUTPUT_HUMAN_BYTES];
	char p50[UNITS_BYTES], p99[UNITS_BYTES], temporary[UNITS_BYTES], remote[UNITS_BYTES];

	fputs("  sizes     ", file);
	print_distribution(sizes, file);
	fprintf(file, "  half up to %s, 99%% up to %s; largest %s\n", output_human(half, histogram_quantile(sizes, 500)),
		output_human(most, histogram_quantile(sizes, 990)), output_human(max, sizes->max));
	fputs("  lifetimes ", file);
	print_distribution(&t->lifetime, file);
	fprintf(file, "  half up to %s, 99%% up to %s; temporary %s, remote %s\n",
		units_duration(p50, histogram_quantile(&t->lifetime, 500)),
		units_duration(p99, histogram_quantile(&t->lifetime, 990)),
		units_percent(temporary, t->temporary, t->allocs), units_percent(remote, t->remote, t->frees));
}

static void print_notes(const struct analysis *an, FILE *file)
{
	const struct aggregate_errors *errors = &an->aggregate.errors;
	char first[OUTPUT_HUMAN_BYTES], second[OUTPUT_HUMAN_BYTES];

	if (an->early_frees)
		fprintf(file, "  %s frees of objects older than the recording, whose list it does not have\n",
			output_count(first, an->early_frees));
	if (an->inherited)
		fprintf(file, "  %s frees in forked processes of what their parents had allocated\n",
			output_count(first, an->inherited));
	if ((errors->double_allocs || errors->unknown_frees) && analysis_missing(an))
		fprintf(file, "  %s allocations of live addresses and %s frees of dead ones: explained by what is missing\n",
			output_count(first, errors->double_allocs), output_count(second, errors->unknown_frees));
}

void report_header(const struct analysis *an, const struct report_options *o, FILE *file)
{
	char from[UNITS_BYTES], window[UNITS_BYTES];

	print_processes(an, o, file);
	print_recorded(an, o, file);
	if (o->analysis.from_ns || o->analysis.to_ns)
		fprintf(file, "from %s on, for %s\n", units_duration(from, an->aggregate.timeline.start_ns),
			units_duration(window, an->window_ns));
	if (o->analysis.filter)
		fprintf(file, "only what matches '%s'\n", o->analysis.filter);
	if (o->analysis.pages)
		fputs("blocks of pages, slabs among them\n", file);
	putc('\n', file);
	print_memory(an, file);
	print_shapes(an, file);
	print_notes(an, file);
}

void report_findings(const struct findings *f, const struct report_options *o, FILE *file)
{
	putc('\n', file);
	for (size_t i = 0; i < f->nr; i++) {
		size_t len = strlen(f->finding[i].text), room = o->columns > 40 ? o->columns - 8 : SIZE_MAX;

		fprintf(file, "%s%-8s%s%.*s%s\n", heading(o, true), finding_name(f->finding[i].kind), heading(o, false),
			(int)(len > room ? room - 2 : len), f->finding[i].text, len > room ? ".." : "");
	}
	if (!f->nr)
		fputs("Nothing stands out.\n", file);
}

/* ---- tables ---------------------------------------------------------------------------- */

enum column {
	COL_LIVE, COL_SHARE, COL_OBJECTS, COL_GROWTH, COL_PEAK, COL_AGE, COL_ALLOCS, COL_RATE, COL_FREES, COL_BYTES,
	COL_TEMPORARY, COL_REMOTE, COL_P50, COL_P99, COL_MAX, COL_WASTE, COL_WASTED, COL_ASKED, COL_TAKES, COL_END
};

static const struct {
	const char *title;
	int width;
} columns[] = {
	[COL_LIVE] = { "LIVE", 6 }, [COL_SHARE] = { "OF IT", 5 }, [COL_OBJECTS] = { "OBJECTS", 7 },
	[COL_GROWTH] = { "GROWTH/s", 8 }, [COL_PEAK] = { "PEAK%", 5 }, [COL_AGE] = { "AGE", 6 },
	[COL_ALLOCS] = { "ALLOCS", 6 }, [COL_RATE] = { "ALLOC/s", 7 }, [COL_FREES] = { "FREES", 6 },
	[COL_BYTES] = { "BYTES", 6 }, [COL_TEMPORARY] = { "TEMP", 4 }, [COL_REMOTE] = { "REMOTE", 6 },
	[COL_P50] = { "P50", 6 }, [COL_P99] = { "P99", 6 }, [COL_MAX] = { "MAX", 6 }, [COL_WASTE] = { "WASTE", 6 },
	[COL_WASTED] = { "WASTED", 6 }, [COL_ASKED] = { "ASKED", 6 }, [COL_TAKES] = { "TAKES", 6 },
};

static void duration_of(char *text, const struct histogram *h, unsigned int permille)
{
	if (h->nr)
		units_duration(text, histogram_quantile(h, permille));
	else
		strcpy(text, "-");
}

static void growth_of(char *text, const struct stats *s, uint64_t window_ns)
{
	char rate[OUTPUT_HUMAN_BYTES];
	uint64_t lost = s->start_bytes > s->live_bytes ? s->start_bytes - s->live_bytes : 0;

	snprintf(text, UNITS_BYTES, "%s%s", lost ? "-" : s->live_bytes > s->start_bytes ? "+" : "",
		 output_human(rate, units_rate(lost ? lost : rank_growth(s), window_ns)));
}

static void cell(char text[UNITS_BYTES], enum column column, const struct analysis *an, const struct stats *s)
{
	const struct stats *total = &an->aggregate.total;
	uint64_t objects = s->live_objects ? s->live_objects : s->allocs;

	switch (column) {
	case COL_LIVE: output_human(text, s->live_bytes); break;
	case COL_SHARE: units_percent(text, s->live_bytes, total->live_bytes); break;
	case COL_OBJECTS: output_count(text, s->live_objects); break;
	case COL_GROWTH: growth_of(text, s, an->window_ns); break;
	case COL_PEAK: units_percent(text, s->peak_bytes, total->peak_bytes); break;
	case COL_AGE: duration_of(text, &s->age, 500); break;
	case COL_ALLOCS: output_count(text, s->allocs); break;
	case COL_RATE: output_count(text, units_rate(s->allocs, an->window_ns)); break;
	case COL_FREES: output_count(text, s->frees); break;
	case COL_BYTES: output_human(text, s->bytes); break;
	case COL_TEMPORARY: units_percent(text, s->temporary, s->allocs); break;
	case COL_REMOTE: units_percent(text, s->remote, s->frees); break;
	case COL_P50: duration_of(text, &s->lifetime, 500); break;
	case COL_P99: duration_of(text, &s->lifetime, 990); break;
	case COL_MAX: duration_of(text, &s->lifetime, 1000); break;
	case COL_WASTE: output_human(text, s->live_waste); break;
	case COL_WASTED: units_percent(text, s->live_waste, s->live_bytes + s->live_waste); break;
	case COL_ASKED: output_human(text, objects ? (s->live_objects ? s->live_bytes : s->bytes) / objects : 0); break;
	case COL_TAKES:
		output_human(text, objects ? (s->live_objects ? s->live_bytes + s->live_waste : s->bytes + s->waste) /
				   objects : 0);
		break;
	case COL_END: break;
	}
}

static void print_label(const struct analysis *an, const struct report_options *o, enum rank_by by,
			const struct rank_row *row, unsigned int used, FILE *file)
{
	char text[1024];
	unsigned int room = o->columns > used + 24 ? o->columns - used : o->columns ? 24 : sizeof(text) - 1;

	if (by == RANK_CACHE || by == RANK_PID || by == RANK_SIZE)
		snprintf(text, sizeof(text), "%s", row->label);
	else
		snprintf(text, sizeof(text), "%s  (%s%s)", row->label, trace_cache(an->trace, row->cache)->name,
			 row->caches ? ", ..." : "");
	if (strlen(text) > room)
		strcpy(text + room - 2, "..");
	fprintf(file, "%s\n", text);
}

static void print_table(const struct analysis *an, const struct report_options *o, enum rank_by by,
			const struct rank *rank, const enum column *shown, size_t nr, size_t rows, FILE *file)
{
	char text[UNITS_BYTES];
	unsigned int used = 1;

	fputs(heading(o, true), file);
	for (size_t i = 0; shown[i] != COL_END; i++) {
		fprintf(file, " %*s", columns[shown[i]].width, columns[shown[i]].title);
		used += (unsigned int)columns[shown[i]].width + 1;
	}
	fprintf(file, "  %s%s\n", rank_title(by), heading(o, false));
	for (size_t r = 0; r < nr && r < rows; r++) {
		for (size_t i = 0; shown[i] != COL_END; i++) {
			cell(text, shown[i], an, &rank->row[r].stats);
			fprintf(file, " %*s", columns[shown[i]].width, text);
		}
		fputs("  ", file);
		print_label(an, o, by, &rank->row[r], used + 1, file);
	}
	if (nr > rows)
		fprintf(file, "%*s and %zu more\n", (int)used, "", nr - rows);
}

static const enum column holds[] = { COL_LIVE, COL_SHARE, COL_OBJECTS, COL_GROWTH, COL_PEAK, COL_AGE, COL_END };
static const enum column allocates[] = { COL_ALLOCS, COL_RATE, COL_BYTES, COL_TEMPORARY, COL_REMOTE, COL_P50, COL_P99, COL_END };
static const enum column wastes[] = { COL_WASTE, COL_WASTED, COL_LIVE, COL_OBJECTS, COL_ASKED, COL_TAKES, COL_END };
static const enum column all[] = { COL_ALLOCS, COL_RATE, COL_FREES, COL_BYTES, COL_LIVE, COL_OBJECTS, COL_GROWTH, COL_PEAK,
				   COL_P50, COL_P99, COL_MAX, COL_TEMPORARY, COL_REMOTE, COL_WASTE, COL_WASTED, COL_END };

static size_t overview_rows(const struct report_options *o)
{
	if (o->limit)
		return o->limit;
	if (!o->lines)
		return OVERVIEW_ROWS;
	if (o->lines < OVERVIEW_LINES + 9)
		return 3;
	return (o->lines - OVERVIEW_LINES) / 3 < 10 ? (o->lines - OVERVIEW_LINES) / 3 : 10;
}

/* Rows that are no answer to the question are left out. */
static size_t nr_above_zero(const struct rank *rank, enum rank_sort sort)
{
	size_t nr = rank->nr;

	while (nr && !rank_value(&rank->row[nr - 1].stats, sort))
		nr--;
	return nr;
}

bool report_overview(struct analysis *an, const struct report_options *o, FILE *file)
{
	static const struct {
		const char *question;
		enum rank_by by;
		enum rank_sort sort;
		const enum column *columns;
	} parts[] = {
		{ "Who holds memory", RANK_SITE, RANK_LIVE, holds },
		{ "Who allocates", RANK_SITE, RANK_ALLOCS, allocates },
		{ "What is wasted", RANK_CACHE, RANK_WASTE, wastes },
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && ok; i++) {
		struct rank rank;

		ok = rank_build(&rank, an, parts[i].by);
		if (ok) {
			rank_sort(&rank, parts[i].sort);
			fprintf(file, "\n%s%s%s\n", heading(o, true), parts[i].question, heading(o, false));
			print_table(an, o, parts[i].by, &rank, parts[i].columns, nr_above_zero(&rank, parts[i].sort),
				    overview_rows(o), file);
		}
		rank_free(&rank);
	}
	return ok;
}

/* A stack as a row is too long: its functions go below it, one per line. */
static void print_stacks(struct analysis *an, const struct report_options *o, const struct rank *rank, size_t rows,
			 FILE *file)
{
	struct trace_frame frame[SITES_FRAMES];
	char live[OUTPUT_HUMAN_BYTES], objects[OUTPUT_HUMAN_BYTES], allocs[OUTPUT_HUMAN_BYTES], bytes[OUTPUT_HUMAN_BYTES];
	char frees[OUTPUT_HUMAN_BYTES], peak[UNITS_BYTES], name[512];

	for (size_t r = 0; r < rank->nr && r < rows; r++) {
		const struct rank_row *row = &rank->row[r];
		const struct stats *s = &row->stats;
		size_t nr = sites_frames(&an->sites, row->stack, frame, SITES_FRAMES);

		fprintf(file, "%s%s live in %s objects%s, %s of the peak; %s allocations of %s, %s frees; %s%s\n",
			heading(o, true), output_human(live, s->live_bytes), output_count(objects, s->live_objects),
			heading(o, false), units_percent(peak, s->peak_bytes, an->aggregate.total.peak_bytes),
			output_count(allocs, s->allocs), output_human(bytes, s->bytes), output_count(frees, s->frees),
			trace_cache(an->trace, row->cache)->name, row->caches ? ", ..." : "");
		for (size_t i = 0; i < nr; i++)
			fprintf(file, "    %s%s\n", sites_long(&frame[i], name, sizeof(name)),
				frame[i].inlined ? " (inlined)" : "");
		if (!nr)
			fprintf(file, "    %s\n", row->label);
		putc('\n', file);
	}
	if (rank->nr > rows)
		fprintf(file, "and %zu more stacks\n", rank->nr - rows);
}

bool report_table(struct analysis *an, const struct report_options *o, FILE *file)
{
	enum rank_by by = o->by < 0 ? RANK_SITE : (enum rank_by)o->by;
	size_t rows = o->limit ? o->limit : TABLE_ROWS;
	struct rank rank;
	bool ok = rank_build(&rank, an, by);

	if (ok) {
		rank_sort(&rank, o->sort < 0 ? RANK_LIVE : (enum rank_sort)o->sort);
		putc('\n', file);
		if (by == RANK_STACK)
			print_stacks(an, o, &rank, rows, file);
		else
			print_table(an, o, by, &rank, all, rank.nr, rows, file);
	}
	rank_free(&rank);
	return ok;
}

/* ---- histograms ------------------------------------------------------------------------ */

static void print_histogram(const struct histogram *h, bool durations, FILE *file)
{
	uint64_t octave[HISTOGRAM_OCTAVES], top = 0;
	char low[UNITS_BYTES], count[OUTPUT_HUMAN_BYTES], percent[UNITS_BYTES];
	size_t first = 0, last = HISTOGRAM_OCTAVES;

	histogram_octaves(h, octave);
	while (first < last && !octave[first])
		first++;
	while (last > first && !octave[last - 1])
		last--;
	for (size_t i = first; i < last; i++)
		if (octave[i] > top)
			top = octave[i];
	for (size_t i = first; i < last; i++) {
		if (durations)
			units_duration(low, UINT64_C(1) << i);
		else
			output_human(low, UINT64_C(1) << i);
		fprintf(file, "  %6s.. %6s %4s  ", low, output_count(count, octave[i]),
			units_percent(percent, octave[i], h->nr));
		units_bar(file, octave[i], top, BAR_COLUMNS);
		putc('\n', file);
	}
}

void report_histograms(const struct analysis *an, FILE *file)
{
	fputs("\nLifetimes of what was freed\n", file);
	print_histogram(&an->aggregate.total.lifetime, true, file);
	fputs("\nSizes asked for, bytes\n", file);
	print_histogram(&an->aggregate.sizes, false, file);
}
