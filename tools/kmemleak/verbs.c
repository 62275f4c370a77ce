/* SPDX-License-Identifier: BSD-2-Clause */
/* verbs.c - scan, scan=SECS, clear and dump=ADDR on one process. */
#include "kmemleak/verbs.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/target.h"
#include "kmemleak/baseline.h"
#include "kmemleak/refs.h"
#include "kmemleak/trace.h"

int verb_worse(int a, int b)
{
	if (a == 1 || b == 1)
		return 1;
	return a > b ? a : b;
}

static int complain(const char *message)
{
	fflush(stdout);
	fprintf(stderr, "kmemleak: %s\n", message);
	return 1;
}

/* ---- finding the heaps --------------------------------------------------------------------- */

static bool is_32bit(pid_t pid)
{
	unsigned char ident[EI_NIDENT] = { 0 };
	char path[32];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, ident, sizeof(ident));
		close(fd);
	}
	return n == sizeof(ident) && !memcmp(ident, ELFMAG, SELFMAG) && ident[EI_CLASS] == ELFCLASS32;
}

static int find_heaps(struct target *t, pid_t pid)
{
	int err = target_open(t, pid);

	if (!err)
		err = target_find_roots(t);
	if (err == -ENOENT && is_32bit(pid))
		target_fail(t, err, "PID %d (%s) is a 32-bit program; libkmem exists for 64-bit programs only", pid,
			    t->comm);
	return err;
}

/* ---- one scan ------------------------------------------------------------------------------ */

static void filter(struct scan *scan, const struct settings *settings)
{
	for (size_t i = 0; i < scan->leaks.nr; i++) {
		struct leak *leak = &scan->leaks.list[i];
		uint16_t cache = scan->model.blocks[leak->block].cache_id;

		if (leak->bytes < settings->min_bytes ||
		    (settings->cache && fnmatch(settings->cache, scan_cache_name(scan, cache), 0)))
			leak->hidden = true;
	}
}

static bool any_leak(const struct scan *scan)
{
	for (size_t i = 0; i < scan->leaks.nr; i++)
		if (!scan->leaks.list[i].hidden)
			return true;
	return false;
}

/* The scan is done: leave out what is known or not asked for, and print. Return an exit code. */
static int report(struct scan *scan, const struct settings *settings, struct output *o, struct baseline *known)
{
	int err;

	baseline_hide(known, scan);
	filter(scan, settings);
	err = leaks_group(&scan->leaks, &scan->model);
	if (!err)
		err = report_scan(o, scan, &settings->report);
	if (!err && settings->period_ms)
		err = baseline_add(known, scan);
	if (err)
		return complain("out of memory");
	return any_leak(scan) ? EXIT_LEAKS : 0;
}

static int clear(const struct scan *scan, pid_t pid, struct baseline *known)
{
	size_t before = known->nr;
	char path[512], message[640];
	int err;

	err = baseline_add(known, scan);
	if (!err)
		err = baseline_save(known, pid, path, sizeof(path));
	if (err) {
		snprintf(message, sizeof(message), "cannot write %s: %s", path, strerror(-err));
		return complain(message);
	}
	printf("PID %d (%s): %zu unreferenced objects will not be reported again\n", pid, scan->target->comm,
	       known->nr - before);
	return 0;
}

static int act(struct scan *scan, const struct settings *settings, struct output *o, struct baseline *known)
{
	char message[128];

	switch (settings->verb) {
	case VERB_CLEAR:
		baseline_hide(known, scan);
		return clear(scan, scan->target->pid, known);
	case VERB_DUMP:
		if (!refs_dump(o->file, scan, settings->address))
			return 0;
		snprintf(message, sizeof(message), "0x%" PRIx64 " is no address in an object of PID %d",
			 settings->address, scan->target->pid);
		return complain(message);
	default:
		return report(scan, settings, o, known);
	}
}

/* ---- repetition ----------------------------------------------------------------------------- */

static void wait_period(uint32_t ms, const volatile sig_atomic_t *interrupted)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	/* A signal ends the sleep early. */
	if (!*interrupted)
		nanosleep(&ts, NULL);
}

/* What all scans of one process share. */
struct session {
	struct target target;
	const struct settings *settings;
	struct output *output;
	const volatile sig_atomic_t *interrupted;
	struct baseline known;
	struct trace trace;
};

/* Scan t->roots[root], once or until the end. */
static int scan_heap(struct session *s, unsigned int root)
{
	const struct settings *settings = s->settings;
	int code = 0;

	for (unsigned int round = 0;; round++) {
		struct scan scan;
		int err = scan_run(&scan, &s->target, s->target.roots[root].addr, &settings->scan);

		if (!err) {
			trace_explain(&s->trace, root, &scan);
			code = verb_worse(code, act(&scan, settings, s->output, &s->known));
		}
		scan_free(&scan);
		/* A process that ends while it is watched is no error. */
		if (err && !(round && err == -ESRCH))
			return complain(s->target.message);
		if (err || !settings->period_ms || code == 1)
			return code;
		/* Nobody reads any more: main() says so. */
		if (output_flush(s->output))
			return 1;
		wait_period(settings->period_ms, s->interrupted);
		if (*s->interrupted)
			return code;
	}
}

/* Record allocations for the time asked for, and go on doing so. Return 0 or -errno with the line in the target. */
static int trace_process(struct session *s)
{
	int err = trace_start(&s->trace, &s->target);

	if (err)
		return err;
	fflush(stdout);
	fprintf(stderr, "kmemleak: tracing PID %d (%s) for %g s\n", s->target.pid, s->target.comm,
		s->settings->trace_ms / 1e3);
	trace_wait(&s->trace, s->settings->trace_ms, s->interrupted);
	return 0;
}

int verb_run(pid_t pid, const struct settings *settings, struct output *o, const volatile sig_atomic_t *interrupted)
{
	struct session s = { .settings = settings, .output = o, .interrupted = interrupted };
	int err = find_heaps(&s.target, pid), code = 0;

	if (!err && baseline_load(&s.known, pid))
		err = target_fail(&s.target, -ENOMEM, "out of memory");
	if (!err && settings->trace_ms)
		err = trace_process(&s);
	if (err)
		code = complain(s.target.message);
	for (unsigned int i = 0; !err && i < s.target.nr_roots && code != 1; i++)
		code = verb_worse(code, scan_heap(&s, i));
	trace_end(&s.trace);
	baseline_free(&s.known);
	target_close(&s.target);
	return code;
}
