/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.c - counts the kernel's allocation events for some seconds, or while a
 * command runs, and says how complete the count is: per cache the residue, what
 * the objects in use changed beyond what the events tell (the walker says both).
 */
#include "slabscope/events.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/args.h"
#include "common/collect.h"
#include "common/kcaches.h"
#include "common/output.h"

#define DEFAULT_MS 5000
#define MAX_SIZES  16384
#define LOOK_MS    20

enum option_id { OPT_COMMAND, OPT_SIZES, OPT_LIMIT, OPT_JSON, OPT_CSV };

struct options {
	const char *command;
	uint32_t ms;
	uint64_t limit;
	bool sizes;
	enum output_format format;
};

/* One cache, or KMEM_KEY_*. */
struct line {
	uint64_t cache;
	const char *name;
	uint64_t allocs, frees, bytes_req, bytes_alloc;
	int64_t in_use, net; /* change of objects in use; allocations - frees in the same time */
	bool walked;
};

/* Objects in use and events at one moment. */
struct moment {
	struct kmem_cache_info *caches;
	size_t nr_caches;
	struct collect_count *counts;
	size_t nr_counts;
	uint64_t time_ns;
};

static char err[320];
static volatile sig_atomic_t interrupted;

static const struct args_option option_table[] = {
	{ 'c', "command", "CMD", "count while CMD runs", OPT_COMMAND },
	{ 's', "sizes", NULL, "the sizes that kmalloc() was asked for, too", OPT_SIZES },
	{ 'n', "limit", "N", "show the first N caches and sizes (default 30), 0: all", OPT_LIMIT },
	{ 'j', "json", NULL, "JSON lines: records cache, size, total", OPT_JSON },
	{ 0, "csv", NULL, "CSV: one line per cache", OPT_CSV },
	{ 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "slabscope events",
	.synopsis = "[OPTION]... [SECS]",
	.summary = "Count what the kernel allocates and frees for SECS (5) seconds, or while a command runs.",
	.options = option_table,
	.epilog = "RESIDUE: objects that came or, with a minus, went without an event. Needs CAP_BPF and CAP_PERFMON, or root.\n",
	.handle = handle,
	.operands = true,
};

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct options *o = context;

	if (!option) {
		if (!args_seconds(value, 10, &o->ms))
			return args_error(&tool, "'%s' is not a number of seconds", value);
		return ARGS_CONTINUE;
	}
	switch ((enum option_id)option->id) {
	case OPT_COMMAND:
		o->command = value;
		break;
	case OPT_SIZES:
		o->sizes = true;
		break;
	case OPT_LIMIT:
		if (!args_number(value, 0, INT32_MAX, &o->limit))
			return args_error(&tool, "--limit: '%s' is not a number", value);
		break;
	case OPT_JSON:
		o->format = OUTPUT_JSON;
		break;
	case OPT_CSV:
		o->format = OUTPUT_CSV;
		break;
	}
	return ARGS_CONTINUE;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ---- two moments ---- */

static void *copy_of(const void *from, size_t nr, size_t size)
{
	void *to = calloc(nr + 1, size);

	if (to && nr)
		memcpy(to, from, nr * size);
	return to;
}

static int take(struct moment *m, struct collect *c, struct kcaches *kc)
{
	const struct kmem_cache_info *caches;
	const struct collect_count *counts;

	if (kcaches_read(kc, &caches, &m->nr_caches, err, sizeof(err)) ||
	    collect_read_counts(c, &counts, &m->nr_counts, err, sizeof(err)))
		return -EIO;
	m->time_ns = now_ns();
	m->caches = copy_of(caches, m->nr_caches, sizeof(*caches));
	m->counts = copy_of(counts, m->nr_counts, sizeof(*counts));
	if (m->caches && m->counts)
		return 0;
	snprintf(err, sizeof(err), "out of memory");
	return -ENOMEM;
}

static void drop(struct moment *m)
{
	free(m->caches);
	free(m->counts);
}

static const struct kmem_cache_info *cache_in(const struct moment *m, uint64_t cache)
{
	for (size_t i = 0; i < m->nr_caches; i++)
		if (m->caches[i].cache == cache && cache)
			return &m->caches[i];
	return NULL;
}

static const char *name_of(const struct moment *m, uint64_t cache)
{
	const struct kmem_cache_info *row = cache_in(m, cache);

	if (cache == KMEM_KEY_LARGE)
		return "kmalloc-large";
	return row ? row->name : "unknown";
}

static struct line *line_of(struct line *lines, size_t *nr, uint64_t cache)
{
	for (size_t i = 0; i < *nr; i++)
		if (lines[i].cache == cache)
			return &lines[i];
	lines[*nr] = (struct line){ .cache = cache };
	return &lines[(*nr)++];
}

static void add_counts(struct line *lines, size_t *nr, const struct moment *m, bool after)
{
	for (size_t i = 0; i < m->nr_counts; i++) {
		const struct collect_count *count = &m->counts[i];
		struct line *line = line_of(lines, nr, count->key.cache);
		bool alloc = count->key.type == KMEM_EV_CACHE_ALLOC || count->key.type == KMEM_EV_KMALLOC;
		uint64_t n = after ? count->count.events : -count->count.events;

		*(alloc ? &line->allocs : &line->frees) += n;
		if (!alloc)
			continue;
		line->bytes_req += after ? count->count.bytes_req : -count->count.bytes_req;
		line->bytes_alloc += after ? count->count.bytes_alloc : -count->count.bytes_alloc;
	}
}

static int by_allocs(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->allocs + x->frees != y->allocs + y->frees)
		return x->allocs + x->frees < y->allocs + y->frees ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* NULL when out of memory. */
static struct line *make_lines(const struct moment *before, const struct moment *after, size_t *nr)
{
	struct line *lines = calloc(before->nr_counts + after->nr_counts + after->nr_caches + 1, sizeof(*lines));

	*nr = 0;
	if (!lines)
		return NULL;
	add_counts(lines, nr, before, false);
	add_counts(lines, nr, after, true);
	for (size_t i = 0; i < after->nr_caches; i++)
		if (after->caches[i].cache)
			line_of(lines, nr, after->caches[i].cache);
	for (size_t i = 0; i < *nr; i++) {
		const struct kmem_cache_info *then = cache_in(before, lines[i].cache), *now = cache_in(after, lines[i].cache);

		lines[i].name = name_of(after, lines[i].cache);
		lines[i].net = (int64_t)(lines[i].allocs - lines[i].frees);
		lines[i].walked = then && now && (now->have & KMEM_INFO_IN_USE);
		if (lines[i].walked)
			lines[i].in_use = (int64_t)(now->in_use - then->in_use);
	}
	qsort(lines, *nr, sizeof(*lines), by_allocs);
	return lines;
}

/* ---- printing ---- */

static double waste(const struct line *line)
{
	return line->bytes_alloc ? 100.0 - 100.0 * (double)line->bytes_req / (double)line->bytes_alloc : 0;
}

static void print_line(FILE *file, const struct line *line)
{
	char req[OUTPUT_HUMAN_BYTES], alloc[OUTPUT_HUMAN_BYTES], residue[24] = "-";

	if (line->walked)
		snprintf(residue, sizeof(residue), "%+" PRId64, line->in_use - line->net);
	fprintf(file, "%-24s %10" PRIu64 " %10" PRIu64 " %10s %10s %6.1f%% %8s\n", line->name, line->allocs, line->frees,
		output_human(req, line->bytes_req), output_human(alloc, line->bytes_alloc), waste(line), residue);
}

static void record_line(struct output *o, const struct line *line)
{
	char residue[24];

	output_begin(o);
	output_string(o, "record", "cache");
	output_string(o, "cache", line->name);
	output_number(o, "allocs", line->allocs);
	output_number(o, "frees", line->frees);
	output_number(o, "bytes_requested", line->bytes_req);
	output_number(o, "bytes_reserved", line->bytes_alloc);
	snprintf(residue, sizeof(residue), "%" PRId64, line->in_use - line->net);
	if (line->walked)
		output_string(o, "residue", residue);
	else
		output_unknown(o, "residue");
	output_end(o);
}

static void show_lines(struct output *o, const struct line *lines, size_t nr, uint64_t limit)
{
	if (o->format == OUTPUT_TEXT)
		fprintf(o->file, "%-24s %10s %10s %10s %10s %7s %8s\n", "CACHE", "ALLOCS", "FREES", "REQUESTED", "RESERVED",
			"WASTE", "RESIDUE");
	for (size_t i = 0; i < nr && (!limit || i < limit); i++) {
		if (!lines[i].allocs && !lines[i].frees && lines[i].in_use == lines[i].net)
			continue;
		if (o->format == OUTPUT_TEXT)
			print_line(o->file, &lines[i]);
		else
			record_line(o, &lines[i]);
	}
}

static int by_events(const void *a, const void *b)
{
	const struct collect_size *x = a, *y = b;

	if (x->events != y->events)
		return x->events < y->events ? 1 : -1;
	return x->key.bytes_req < y->key.bytes_req ? -1 : x->key.bytes_req > y->key.bytes_req;
}

static int show_sizes(struct output *o, struct collect *c, const struct moment *m, uint64_t limit)
{
	const struct collect_size *read;
	struct collect_size *sizes;
	size_t nr;

	if (collect_read_sizes(c, &read, &nr, err, sizeof(err)))
		return -EIO;
	sizes = copy_of(read, nr, sizeof(*sizes));
	if (!sizes) {
		snprintf(err, sizeof(err), "out of memory");
		return -ENOMEM;
	}
	qsort(sizes, nr, sizeof(*sizes), by_events);
	if (o->format == OUTPUT_TEXT)
		fprintf(o->file, "\n%-24s %10s %10s\n", "CACHE", "KMALLOC OF", "CALLS");
	for (size_t i = 0; i < nr && (!limit || i < limit) && sizes[i].events; i++) {
		const char *name = name_of(m, sizes[i].key.cache);

		if (o->format == OUTPUT_TEXT) {
			fprintf(o->file, "%-24s %10u %10" PRIu64 "\n", name, sizes[i].key.bytes_req, sizes[i].events);
			continue;
		}
		output_begin(o);
		output_string(o, "record", "size");
		output_string(o, "cache", name);
		output_number(o, "bytes", sizes[i].key.bytes_req);
		output_number(o, "calls", sizes[i].events);
		output_end(o);
	}
	free(sizes);
	return 0;
}

static int show_totals(struct output *o, struct collect *c, const struct line *lines, size_t nr, uint64_t time_ns)
{
	struct collect_totals t;
	uint64_t events = 0;
	size_t odd = 0;

	if (collect_read_totals(c, KMEM_SOURCE_KERNEL, &t, err, sizeof(err)))
		return -EIO;
	for (size_t i = 0; i < nr; i++) {
		events += lines[i].allocs + lines[i].frees;
		odd += lines[i].walked && lines[i].in_use != lines[i].net;
	}
	if (o->format == OUTPUT_TEXT) {
		fprintf(o->file, "\n%" PRIu64 " events in %.1f s, %llu frees of nothing, %llu allocations failed, %llu large ones told twice\n",
			events, (double)time_ns / 1e9, t.sum.null_frees, t.sum.failed, t.sum.duplicates);
		fprintf(o->file, "lost: %llu; of unknown caches: %llu; caches with a residue: %zu\n",
			(unsigned long long)collect_lost(&t) + t.sum.sizes_full, t.sum.unreadable, odd);
		return 0;
	}
	if (o->format == OUTPUT_CSV)
		return 0;
	output_begin(o);
	output_string(o, "record", "total");
	output_number(o, "events", events);
	output_number(o, "time_ns", time_ns);
	output_number(o, "null_frees", t.sum.null_frees);
	output_number(o, "failed", t.sum.failed);
	output_number(o, "duplicates", t.sum.duplicates);
	output_number(o, "lost", collect_lost(&t) + t.sum.sizes_full);
	output_number(o, "unknown", t.sum.unreadable);
	output_number(o, "caches_with_residue", odd);
	output_end(o);
	return 0;
}

/* ---- the verb ---- */

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void wait_ms(uint64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	if (!interrupted)
		nanosleep(&ts, NULL);
}

/* Returns 0, or -ENOENT with the line in err. */
static int run_command(const char *command)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0)
		wait_ms(LOOK_MS);
	if (pid > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 127))
		return 0;
	snprintf(err, sizeof(err), "cannot run '%s': %s", command, pid < 0 ? strerror(errno) : "no such command");
	return -ENOENT;
}

static int report(struct output *o, const struct options *options, struct collect *c, const struct moment *before,
		  const struct moment *after)
{
	size_t nr;
	struct line *lines = make_lines(before, after, &nr);
	int ret = 0;

	if (!lines) {
		snprintf(err, sizeof(err), "out of memory");
		return -ENOMEM;
	}
	show_lines(o, lines, nr, options->limit);
	if (options->sizes && o->format != OUTPUT_CSV)
		ret = show_sizes(o, c, after, options->limit);
	if (!ret)
		ret = show_totals(o, c, lines, nr, after->time_ns - before->time_ns);
	free(lines);
	return ret;
}

static int count(const struct options *options, struct output *o)
{
	const struct collect_options how = { .max_sizes = options->sizes ? MAX_SIZES : 0 };
	struct moment before = { 0 }, after = { 0 };
	struct collect *c = NULL;
	struct kcaches *kc = NULL;
	int ret = collect_open(&c, &how, err, sizeof(err));

	if (!ret)
		ret = collect_attach_kernel(c, err, sizeof(err));
	if (!ret)
		ret = kcaches_open(&kc, NULL, err, sizeof(err));
	if (!ret)
		ret = take(&before, c, kc);
	if (!ret && options->command)
		ret = run_command(options->command);
	else if (!ret)
		wait_ms(options->ms);
	if (!ret)
		ret = take(&after, c, kc);
	if (c)
		collect_detach(c);
	if (!ret)
		ret = report(o, options, c, &before, &after);
	drop(&before);
	drop(&after);
	kcaches_close(kc);
	collect_close(c);
	return ret;
}

int events_run(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct options options = { .ms = DEFAULT_MS, .limit = 30 };
	struct output o;
	int code = args_parse(&tool, argc, argv, &options, NULL);

	if (code != ARGS_CONTINUE)
		return code;
	sigaction(SIGINT, &action, NULL);
	output_init(&o, stdout, options.format);
	if (!count(&options, &o) && !output_flush(&o))
		return 0;
	fflush(stdout);
	fprintf(stderr, "slabscope: %s\n", *err ? err : "cannot write the report");
	return 1;
}
