/* SPDX-License-Identifier: BSD-2-Clause */
/* predict.c - kmemtrace predict: record the kernel, replay, tell how exact the model is; see predict.h. */
#include "kmemtrace/predict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/args.h"
#include "common/output.h"
#include "kmemtrace/replay.h"

struct options {
	uint32_t duration_ms;
	enum output_format format;
	bool all;
};

enum { OPT_DURATION, OPT_ALL, OPT_JSON, OPT_CSV };

static const struct args_option options[] = {
	{ 'd', "duration", "SECS", "record for so long (default 5; with a COMMAND: as long as it runs)", OPT_DURATION },
	{ 'a', "all", NULL, "show the caches that are exact, too", OPT_ALL },
	{ 0, "json", NULL, "one JSON object per cache", OPT_JSON },
	{ 0, "csv", NULL, "the same as CSV", OPT_CSV },
	{ 0, NULL, NULL, NULL, 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemtrace predict",
	.synopsis = "[OPTION]... [--] [COMMAND [ARGUMENT]...]",
	.summary = "Record the kernel's slab caches, replay the events in a model, and compare it with what the caches became.",
	.options = options,
	.epilog = "A cache is exact when slabs and partial lists are as predicted. Residue is the number of objects that came or\n"
		  "went without an event: bulk calls and kfree_rcu() have none, and the model cannot know of them. Caches with\n"
		  "sheaves (6.18) are not modelled. Exit code: 0 when 95 % of the other caches with events are exact.\n",
	.handle = handle,
	.operands = true,
	.stop_at_operand = true,
};

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct options *o = context;

	if (!option)
		return ARGS_CONTINUE;
	switch (option->id) {
	case OPT_DURATION:
		if (!args_seconds(value, 10, &o->duration_ms))
			return args_error(&tool, "bad --duration '%s': use seconds", value);
		break;
	case OPT_ALL:
		o->all = true;
		break;
	default:
		o->format = option->id == OPT_JSON ? OUTPUT_JSON : OUTPUT_CSV;
	}
	return ARGS_CONTINUE;
}

/* ---- recording ---- */

struct recording {
	pid_t pid;      /* of the command; 0: none */
	int go;         /* it begins when this is closed */
	uint64_t end_ns;
	int status;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool more(void *context)
{
	struct recording *r = context;

	if (!r->pid) {
		if (!r->end_ns)
			r->end_ns = now_ns() + (uint64_t)r->status * 1000000;
		return now_ns() < r->end_ns;
	}
	if (r->go >= 0)
		close(r->go);
	r->go = -1;
	if (!waitpid(r->pid, &r->status, WNOHANG))
		return true;
	r->pid = -1;
	return false;
}

static pid_t launch(char **command, int *go)
{
	int fd[2];
	char byte;
	pid_t pid;

	if (pipe(fd))
		return -1;
	pid = fork();
	if (!pid) {
		close(fd[1]);
		if (read(fd[0], &byte, 1) < 0)
			_exit(127);
		close(fd[0]);
		execvp(command[0], command);
		fprintf(stderr, "kmemtrace: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	close(fd[0]);
	*go = fd[1];
	return pid;
}

int predict_record(struct window *w, char **command, uint64_t duration_ms, int *code, char *err, size_t len)
{
	struct recording r = { .go = -1, .status = (int)duration_ms };
	int rc;

	memset(w, 0, sizeof(*w));
	*code = 0;
	if (command) {
		r.pid = launch(command, &r.go);
		if (r.pid < 0) {
			rc = -errno;
			snprintf(err, len, "cannot start a process: %s", strerror(-rc));
			return rc;
		}
	}
	rc = window_record(w, more, &r, err, len);
	if (command && r.pid > 0) {
		close(r.go);
		waitpid(r.pid, &r.status, 0);
	}
	if (command)
		*code = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : 128 + WTERMSIG(r.status);
	return rc;
}

/* ---- telling ---- */

struct tally {
	unsigned int touched, exact, explained, sheaves;
};

static bool touched(const struct replay_result *r)
{
	return r->allocs + r->frees;
}

static const char *verdict(const struct replay_result *r)
{
	if (r->sheaves)
		return r->exact ? "exact, has sheaves" : "has sheaves: not modelled";
	if (r->exact)
		return "exact";
	if (r->residue || r->implicit_frees || r->impossible_frees)
		return "events are missing";
	return r->torn ? "moved while it was read" : "DIFFERS";
}

static struct tally count(const struct window *w, const struct replay_result *result)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < w->nr_caches; i++) {
		const struct replay_result *r = &result[i];

		if (!touched(r))
			continue;
		if (r->sheaves) {
			t.sheaves++;
			continue;
		}
		t.touched++;
		t.exact += r->exact;
		t.explained += !r->exact && (r->residue || r->implicit_frees || r->impossible_frees || r->torn);
	}
	return t;
}

static void print_row(const struct window_cache *c, const struct replay_result *r)
{
	printf("%-24.24s %9" PRIu64 " %9" PRIu64 " %7llu %7llu %7llu %7llu %7llu %6llu %6llu %7" PRId64 "  %s\n", c->row.name,
	       r->allocs, r->frees, (unsigned long long)r->begin.slabs, (unsigned long long)r->predicted.slabs,
	       (unsigned long long)r->real.slabs, (unsigned long long)r->predicted.node_partial,
	       (unsigned long long)r->real.node_partial, (unsigned long long)r->predicted.cpu_partial_slabs,
	       (unsigned long long)r->real.cpu_partial_slabs, r->residue, verdict(r));
}

static void print_text(const struct window *w, const struct replay_result *result, const struct tally *t, bool all)
{
	printf("Linux %s: %zu events of %u caches, %" PRIu64 " lost, %" PRIu64 " missed in interrupts\n", w->release, w->nr_events,
	       t->touched + t->sheaves, w->lost, w->missed);
	printf("%-24s %9s %9s %7s %15s %15s %13s %7s\n%-24s %9s %9s %7s %7s %7s %7s %7s %6s %6s\n", "", "", "", "slabs", "slabs  ",
	       "node partial  ", "CPU partial ", "", "cache", "allocs", "frees", "before", "model", "real", "model", "real", "model",
	       "real");
	for (size_t i = 0; i < w->nr_caches; i++)
		if (touched(&result[i]) && (all || !result[i].exact))
			print_row(&w->cache[i], &result[i]);
	printf("%u of %u caches exact (%.1f %%), %u with events missing or read in motion, %u unexplained; %u with sheaves left out\n",
	       t->exact, t->touched, t->touched ? 100.0 * t->exact / t->touched : 100.0, t->explained,
	       t->touched - t->exact - t->explained, t->sheaves);
}

static void print_records(const struct window *w, const struct replay_result *result, struct output *o, bool all)
{
	for (size_t i = 0; i < w->nr_caches; i++) {
		const struct replay_result *r = &result[i];

		if (!touched(r) || (!all && r->exact))
			continue;
		output_begin(o);
		output_string(o, "cache", w->cache[i].row.name);
		output_number(o, "allocs", r->allocs);
		output_number(o, "frees", r->frees);
		output_number(o, "slabs_before", r->begin.slabs);
		output_number(o, "slabs_predicted", r->predicted.slabs);
		output_number(o, "slabs", r->real.slabs);
		output_number(o, "partial_predicted", r->predicted.node_partial);
		output_number(o, "partial", r->real.node_partial);
		output_number(o, "cpu_partial_predicted", r->predicted.cpu_partial_slabs);
		output_number(o, "cpu_partial", r->real.cpu_partial_slabs);
		output_number(o, "implicit_frees", r->implicit_frees);
		output_number(o, "residue", (uint64_t)llabs((long long)r->residue));
		output_bool(o, "exact", r->exact);
		output_string(o, "verdict", verdict(r));
		output_end(o);
	}
}

static int tell(const struct window *w, const struct options *o)
{
	struct replay_result *result = calloc(w->nr_caches + 1, sizeof(*result));
	struct tally t;
	struct output out;
	int rc = result ? replay_window(w, result) : -ENOMEM;

	if (rc) {
		fprintf(stderr, "kmemtrace: out of memory\n");
		free(result);
		return 1;
	}
	t = count(w, result);
	if (o->format == OUTPUT_TEXT) {
		print_text(w, result, &t, o->all);
	} else {
		output_init(&out, stdout, o->format);
		print_records(w, result, &out, o->all);
		rc = output_flush(&out);
	}
	free(result);
	return rc || w->lost || 100 * t.exact < 95 * t.touched;
}

int predict_run(int argc, char **argv)
{
	struct options o = { .duration_ms = 5000 };
	int rest, code, rc = args_parse(&tool, argc, argv, &o, &rest);
	struct window w;
	char err[320];

	if (rc != ARGS_CONTINUE)
		return rc;
	rc = predict_record(&w, rest < argc ? argv + rest : NULL, o.duration_ms, &code, err, sizeof(err));
	if (rc) {
		fprintf(stderr, "kmemtrace: %s\n", err);
		rc = 1;
	} else if (w.no_memory) {
		fprintf(stderr, "kmemtrace: more events than fit into memory: record a shorter time\n");
		rc = 1;
	} else {
		rc = tell(&w, &o);
		if (code)
			fprintf(stderr, "kmemtrace: the command ended with exit code %d\n", code);
	}
	window_close(&w);
	return rc;
}
