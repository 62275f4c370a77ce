/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.c - a table per update on stdout, in the format that was asked for.
 */
#include "slabtop/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/args.h"
#include "common/output.h"
#include "slabtop/columns.h"
#include "slabtop/header.h"
#include "slabtop/pooltable.h"

#define MEASURE_MS 1000 /* what -o --rates measures over */
#define SCHEMA     1 /* of the JSON lines; grows when a key changes its meaning */

static void print_text(struct session *s)
{
	struct layout_needs needs = {
		.width = COLUMNS_NO_LIMIT,
		.several_sources = session_nr_sources(s) > 1,
		.counters = s->nr_processes > 0 || s->options->rates,
		.human = s->options->human,
	};
	char buf[COLUMNS_LINE_BYTES];
	struct layout layout;
	struct header header;

	header_make(&header, s, s->options->human);
	layout_choose(&layout, &needs, &s->rows);
	for (unsigned int i = 0; i < header.nr; i++)
		puts(header.line[i]);
	printf("\n%s\n", layout_heading(&layout, buf));
	for (size_t i = 0; i < s->rows.nr; i++)
		puts(layout_row(&layout, &s->rows.row[i], buf));
}

static void print_pool_text(struct session *s)
{
	char buf[COLUMNS_LINE_BYTES];
	struct pooltable table;
	struct header header;

	pooltable_header(&header, &s->pools);
	pooltable_choose(&table, COLUMNS_NO_LIMIT, session_nr_sources(s) > 1);
	for (unsigned int i = 0; i < header.nr; i++)
		puts(header.line[i]);
	printf("\n%s\n", pooltable_heading(&table, buf));
	for (size_t i = 0; i < s->pools.nr; i++)
		puts(pooltable_row(&table, &s->pools.pool[i], buf));
}

/* One string with blanks between: a cache name has none. */
static void print_aliases(struct output *out, const struct row *row)
{
	char text[8192];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < row->nr_aliases && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "", row->aliases[i]);
	output_string(out, "aliases", text);
}

/* What every record begins with: when and where. */
static void print_origin(struct session *s, struct output *out, const struct row_source *source, uint64_t wall_ms)
{
	output_begin(out);
	output_number(out, "schema", SCHEMA);
	output_milli(out, "time", wall_ms);
	output_number(out, "monotonic_ns", s->rows.ns);
	output_string(out, "source", source->kind == ROW_KERNEL ? "kernel" : "process");
	if (source->pid)
		output_number(out, "pid", (uint64_t)source->pid);
	else
		output_unknown(out, "pid");
	output_string(out, "label", source->label);
}

static void print_pool(struct session *s, struct output *out, const struct pool *pool, uint64_t wall_ms)
{
	char address[32];

	print_origin(s, out, pool->source, wall_ms);
	snprintf(address, sizeof(address), "0x%" PRIx64, pool->address);
	output_string(out, "pool", pool->name);
	output_string(out, "kind", pool_kind_name(pool->kind));
	output_string(out, "backend", pool->below);
	output_string(out, "address", address);
	for (unsigned int f = 0; f < POOL_NR_FIELDS; f++) {
		if (pool_known(pool, f))
			output_number(out, pool_field_key(f), pool->value[f]);
		else
			output_unknown(out, pool_field_key(f));
	}
	output_end(out);
}

static void print_record(struct session *s, struct output *out, const struct row *row, uint64_t wall_ms)
{
	uint64_t percent;

	print_origin(s, out, row->source, wall_ms);
	output_string(out, "cache", row->name);
	print_aliases(out, row);
	for (unsigned int f = 0; f < ROW_NR_FIELDS; f++) {
		if (row_known(row, f))
			output_number(out, row_field_key(f), row->value[f]);
		else
			output_unknown(out, row_field_key(f));
	}
	if (row_use_percent(row, &percent))
		output_number(out, "use_percent", percent);
	else
		output_unknown(out, "use_percent");
	output_bool(out, "true_active", row->source->kind == ROW_PROCESS || s->kernel_true);
	output_bool(out, "torn", row->torn);
	output_bool(out, "destroyed", row->dead);
	output_end(out);
}

static void print_records(struct session *s, struct output *out)
{
	struct timespec now;
	uint64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	for (size_t i = 0; s->with_pools && i < s->pools.nr; i++)
		print_pool(s, out, &s->pools.pool[i], ms);
	for (size_t i = 0; !s->with_pools && i < s->rows.nr; i++)
		print_record(s, out, &s->rows.row[i], ms);
}

static void print_table(struct session *s, bool first)
{
	if (!first)
		putchar('\n');
	if (s->with_pools)
		print_pool_text(s);
	else
		print_text(s);
}

static int complain(const char *what)
{
	fprintf(stderr, "slabtop: %s\n", what);
	return ARGS_EXIT_RUNTIME;
}

static void wait_for_next(uint32_t ms)
{
	struct timespec delay = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&delay, &delay) && errno == EINTR)
		;
}

/* What the numbers lack belongs beside them, but not between them. */
static void print_note(struct session *s)
{
	if (s->options->kernel && s->options->active == ACTIVE_AUTO && !s->kernel_true)
		fprintf(stderr, "slabtop: %s\n", session_note(s));
}

int batch_run(struct session *s)
{
	struct output out;
	bool first = true;

	output_init(&out, stdout, s->options->format);
	for (;;) {
		int err = session_read(s);

		if (!err && s->options->once && s->options->rates) {
			wait_for_next(MEASURE_MS);
			err = session_read(s);
		}
		if (err)
			return complain(s->message);
		if (first)
			print_note(s);
		rows_sort(&s->rows, s->options->sort, false);
		pools_sort(&s->pools, s->options->sort, false);
		if (s->options->format == OUTPUT_TEXT)
			print_table(s, first);
		else
			print_records(s, &out);
		err = output_flush(&out);
		if (err) {
			fprintf(stderr, "slabtop: write error: %s\n", strerror(-err));
			return ARGS_EXIT_RUNTIME;
		}
		if (s->options->once)
			return ARGS_EXIT_OK;
		first = false;
		wait_for_next(s->options->delay_ms);
	}
}
