/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder.c - see recorder.h.
 *
 * A process that runs already is attached to first, so that the probes' time is not
 * one in which it stands still; then it is held for as long as its tables take to
 * copy, and the recording of it begins at that moment. At the end the same again.
 * A program that is started here goes from system call to system call until its
 * libkmem is far enough to be attached to, which is before its first allocation.
 */
#include "kmemtrace/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/bpfenv.h"
#include "common/library.h"
#include "common/stream.h"
#include "kmemtrace/followed.h"
#include "kmemtrace/progress.h"
#include "kmemtrace/tracee.h"

#define FLUSH_NS     UINT64_C(1000000000)
#define MIN_SLEEP_US 500
#define MAX_SLEEP_US 5000
#define STEP_CALLS   2000 /* in which a program that carries libkmem has loaded it */
#define EXEC_CALLS   500  /* in which a child, or a program that only starts another, execs */
#define KEY_STEP     (1u << 23) /* larger than any process id */
#define PRIORITY     (-10)
#define HURRY        512  /* buffers in one go: the source is ahead */

struct follower {
	struct followed *f;
	unsigned int steps;      /* system calls that it is still watched at */
};

struct recorder {
	const struct record_options *options;
	struct stream *stream;
	struct trace_writer *writer;
	struct tracees tracees;
	struct follower *list;
	size_t nr, room;
	struct followed *last;   /* whose events came last */
	size_t buffers;          /* in this poll */
	struct progress progress;
	pid_t child;             /* -c */
	int child_status;
	bool child_ended;
	bool failed;             /* said already */
	uint64_t flushed_ns;
	char err[512];
};

/* ---- signals ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;
static sigset_t waiting_mask;

static void on_signal(int signal)
{
	if (signal != SIGCHLD)
		interrupted = 1;
}

bool recorder_interrupted(void)
{
	return interrupted;
}

void recorder_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGCHLD };
	struct sigaction action = { .sa_handler = on_signal };
	static bool done;
	sigset_t block;

	/* A second time the mask of before would be lost. */
	if (done)
		return;
	done = true;
	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &action, NULL);
		sigaddset(&block, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &block, &waiting_mask);
}

void recorder_sleep(uint32_t us)
{
	const struct timespec ts = { us / 1000000, (long)(us % 1000000) * 1000 };

	ppoll(NULL, 0, &ts, &waiting_mask);
}

/* ---- processes -------------------------------------------------------------------------------- */

static struct follower *find(struct recorder *r, pid_t pid)
{
	for (size_t i = 0; i < r->nr; i++)
		if (followed_pid(r->list[i].f) == pid)
			return &r->list[i];
	return NULL;
}

static struct follower *add(struct recorder *r, pid_t pid, uint32_t key, uint32_t parent)
{
	struct followed *f = followed_new(pid, key, parent, r->stream, r->writer);

	if (f && r->nr == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		void *more = realloc(r->list, room * sizeof(*r->list));

		if (!more) {
			followed_free(f);
			return NULL;
		}
		r->list = more;
		r->room = room;
	}
	if (!f)
		return NULL;
	r->list[r->nr] = (struct follower){ .f = f };
	return &r->list[r->nr++];
}

static void drop(struct recorder *r, struct follower *one)
{
	if (r->last == one->f)
		r->last = NULL;
	followed_free(one->f);
	*one = r->list[--r->nr];
}

static void on_batch(void *recorder, pid_t pid, const struct kmem_batch *b, uint32_t nr)
{
	struct recorder *r = recorder;

	if (!r->last || followed_pid(r->last) != pid) {
		struct follower *one = find(r, pid);

		r->last = one ? one->f : NULL;
	}
	if (!r->last)
		return;
	if (++r->buffers == HURRY)
		trace_hurry(r->writer, true);
	followed_put(r->last, b, nr);
}

static void warn(struct recorder *r)
{
	progress_clear(&r->progress);
	fprintf(stderr, "kmemtrace: %s\n", r->err);
}

/* All of its threads stand still. */
static int begin_held(struct recorder *r, struct follower *one, bool exact)
{
	int ret;

	followed_sync(one->f, on_batch, r);
	ret = followed_begin(one->f, exact, r->err, sizeof(r->err));
	return ret;
}

/* A process that has libkmem by now and stands still: record it. */
static bool attach_held(struct recorder *r, struct follower *one)
{
	int ret = followed_find(one->f, r->err, sizeof(r->err));

	if (ret == -EAGAIN || ret == -ENOENT)
		return false;
	if (!ret)
		ret = followed_attach(one->f, r->err, sizeof(r->err));
	if (!ret)
		ret = begin_held(r, one, true);
	if (!ret)
		followed_write(one->f);
	else
		warn(r);
	r->failed |= ret != 0;
	return true;
}

/* ---- what happens to them --------------------------------------------------------------------- */

static void on_forked(void *recorder, pid_t pid, pid_t parent, bool borrowed)
{
	struct recorder *r = recorder;
	struct follower *from = find(r, parent), *one = add(r, pid, (uint32_t)pid, from ? followed_key(from->f) : 0);

	if (!one)
		return;
	/* With its parent's memory it has no heap of its own, but will exec. */
	if (!borrowed)
		attach_held(r, one);
	if (followed_state(one->f) != FOLLOWED_RECORDS)
		return;
	one->steps = EXEC_CALLS;
	tracees_step(&r->tracees, pid, true);
}

static void on_execed(void *recorder, pid_t pid)
{
	struct recorder *r = recorder;
	struct follower *one = find(r, pid);
	uint32_t key = (uint32_t)pid, parent = 0;

	if (one) {
		bool recorded = followed_state(one->f) == FOLLOWED_RECORDS;

		parent = followed_parent(one->f);
		/* Its objects are not those of the program that follows. */
		key = followed_key(one->f) + (recorded ? KEY_STEP : 0);
		followed_end(one->f, on_batch, r, false, false, true);
		if (recorded)
			followed_write(one->f);
		drop(r, one);
	}
	one = add(r, pid, key, parent);
	if (!one)
		return;
	one->steps = STEP_CALLS;
	tracees_step(&r->tracees, pid, true);
}

static void on_stepped(void *recorder, pid_t pid, uint64_t call)
{
	struct recorder *r = recorder;
	struct follower *one = find(r, pid);

	if (!one || !one->steps)
		return;
	one->steps--;
	if (followed_state(one->f) == FOLLOWED_WAITS) {
		if (attach_held(r, one))
			one->steps = EXEC_CALLS;
	} else if (call == SYS_execve || call == SYS_execveat) {
		followed_checkpoint(one->f, on_batch, r);
	}
	if (!one->steps)
		tracees_step(&r->tracees, pid, false);
}

static void on_exiting(void *recorder, pid_t pid, bool quiet)
{
	struct recorder *r = recorder;
	struct follower *one = find(r, pid);

	if (!one || followed_state(one->f) != FOLLOWED_RECORDS)
		return;
	followed_end(one->f, on_batch, r, true, quiet, true);
	followed_write(one->f);
}

static void on_ended(void *recorder, pid_t pid, int status)
{
	struct recorder *r = recorder;
	struct follower *one = find(r, pid);

	if (pid == r->child) {
		r->child_ended = true;
		r->child_status = status;
	}
	if (!one)
		return;
	if (followed_state(one->f) == FOLLOWED_RECORDS) {
		followed_end(one->f, on_batch, r, false, false, true);
		followed_write(one->f);
	}
	drop(r, one);
}

static bool is_busy(void *recorder, pid_t pid, const struct tracee_regs *regs)
{
	struct follower *one = find(recorder, pid);

	return one && followed_is_busy(one->f, regs->ip, regs->sp, regs->fp);
}

static const struct tracee_handlers handlers = {
	.forked = on_forked, .execed = on_execed, .stepped = on_stepped, .exiting = on_exiting, .ended = on_ended,
	.busy = is_busy,
};

/* ---- begin ------------------------------------------------------------------------------------ */

const char *recorder_machine(char *buf, size_t len)
{
	struct utsname u;

	if (uname(&u))
		memset(&u, 0, sizeof(u));
	snprintf(buf, len, "%s, %s %s %s, %ld CPUs", u.nodename, u.sysname, u.release, u.machine,
		 sysconf(_SC_NPROCESSORS_CONF));
	return buf;
}

/* Ticks per second, to a few parts in a thousand; the file's clocks say it better. */
static uint64_t measure_ticks(void)
{
	struct trace_clock a = followed_clock(), b;

	do {
		b = followed_clock();
	} while (b.ns - a.ns < 5000000);
	return (b.ticks - a.ticks) * UINT64_C(1000000000) / (b.ns - a.ns);
}

static int open_writer(struct recorder *r)
{
	const struct record_options *o = r->options;
	char machine[512];
	const struct trace_writer_options options = {
		.source = TRACE_LIBRARY, .command = o->line, .machine = recorder_machine(machine, sizeof(machine)),
		.nr_cpus = bpfenv_nr_cpus(), .ticks_hz = measure_ticks(), .timed = !o->no_time, .stacks = o->stacks,
		.force = o->force,
	};
	int ret = trace_create(&r->writer, o->output, &options, r->err, sizeof(r->err));

	return ret ? ret : trace_put_clock(r->writer, followed_clock(), 0);
}

static int open_stream(struct recorder *r)
{
	const struct stream_options options = {
		.mode = (r->options->no_time ? KMEM_BATCH_NO_TIME : 0u) | (r->options->stacks ? KMEM_BATCH_STACKS : 0u),
		.ring_bytes = r->options->ring_bytes,
	};

	return stream_open(&r->stream, &options, r->err, sizeof(r->err));
}

/* Before anything is written. */
static int check_pids(struct recorder *r)
{
	int ret = 0;

	for (size_t i = 0; i < r->options->nr_pids && !ret; i++) {
		struct followed *f = followed_new(r->options->pids[i], 0, 0, r->stream, NULL);

		ret = f ? followed_find(f, r->err, sizeof(r->err)) : -ENOMEM;
		followed_free(f);
	}
	return ret;
}

static int begin_pid(struct recorder *r, pid_t pid)
{
	struct follower *one = add(r, pid, (uint32_t)pid, 0);
	char why[256];
	bool held, quiet;
	int ret = one ? followed_find(one->f, r->err, sizeof(r->err)) : -ENOMEM;

	if (!ret)
		ret = followed_attach(one->f, r->err, sizeof(r->err));
	if (ret)
		return ret;
	held = !tracees_seize(&r->tracees, pid, why, sizeof(why));
	if (!held) {
		snprintf(r->err, sizeof(r->err), "%s; its children are not recorded, and what lives is not exact", why);
		warn(r);
	}
	quiet = held && tracees_hold(&r->tracees, pid);
	one = find(r, pid);
	if (!one) {
		snprintf(r->err, sizeof(r->err), "PID %d has ended", pid);
		return -ESRCH;
	}
	ret = begin_held(r, one, quiet);
	if (held)
		tracees_release(&r->tracees, pid);
	return ret ? ret : followed_write(one->f);
}

static int begin_command(struct recorder *r)
{
	char library[4096];

	library_find(library, sizeof(library));
	r->child = tracees_launch(&r->tracees, r->options->command, r->options->preload ? library : NULL, r->err,
				  sizeof(r->err));
	if (r->child < 0) {
		int ret = r->child;

		r->child = 0;
		return ret;
	}
	tracees_release(&r->tracees, r->child);
	return 0;
}

static int begin(struct recorder *r)
{
	int ret = 0;

	for (size_t i = 0; i < r->options->nr_pids && !ret; i++)
		ret = begin_pid(r, r->options->pids[i]);
	if (!ret && r->options->command)
		ret = begin_command(r);
	return ret;
}

/* ---- the loop --------------------------------------------------------------------------------- */

static uint64_t lost_so_far(struct recorder *r, struct trace_totals *out)
{
	struct stream_totals totals = { 0 };

	if (stream_read_totals(r->stream, &totals, r->err, sizeof(r->err)))
		return 0;
	*out = (struct trace_totals){
		.lost = totals.lost, .unreadable = totals.unreadable, .no_buffer = totals.no_buffer,
		.tails_lost = totals.tails_lost,
	};
	return totals.lost + totals.unreadable;
}

static void flush(struct recorder *r, struct trace_clock now)
{
	struct trace_totals totals = { 0 };

	trace_flush(r->writer);
	trace_put_clock(r->writer, now, lost_so_far(r, &totals));
	for (size_t i = 0; i < r->nr; i++)
		followed_refresh(r->list[i].f);
	r->flushed_ns = now.ns;
}

static void show(struct recorder *r, uint64_t now_ns)
{
	struct trace_totals totals = { 0 };

	if (!progress_due(&r->progress, now_ns))
		return;
	lost_so_far(r, &totals);
	progress_show(&r->progress, now_ns, trace_written_events(r->writer), trace_written_bytes(r->writer),
		      totals.lost + totals.unreadable);
}

/* Without ptrace the end of a process is not told. */
static void look_for_ended(struct recorder *r)
{
	for (size_t i = r->nr; i--;) {
		pid_t pid = followed_pid(r->list[i].f);

		if (!tracees_has(&r->tracees, pid) && kill(pid, 0) && errno == ESRCH)
			on_ended(r, pid, 0);
	}
}

static void loop(struct recorder *r)
{
	uint64_t start = followed_clock().ns, end = UINT64_MAX;
	uint32_t sleep_us = MIN_SLEEP_US;

	if (r->options->duration_ms)
		end = start + r->options->duration_ms * UINT64_C(1000000);
	r->flushed_ns = start;
	/* On a busy machine it must not come too late; who may not have that has a larger --ring. */
	setpriority(PRIO_PROCESS, 0, PRIORITY);
	while (!interrupted && r->nr && !trace_write_error(r->writer)) {
		struct trace_clock now;

		tracees_poll(&r->tracees);
		r->buffers = 0;
		stream_poll(r->stream, on_batch, r);
		trace_hurry(r->writer, false);
		now = followed_clock();
		if (now.ns >= end)
			break;
		if (now.ns - r->flushed_ns >= FLUSH_NS) {
			flush(r, now);
			look_for_ended(r);
		}
		show(r, now.ns);
		sleep_us = r->buffers ? MIN_SLEEP_US : sleep_us < MAX_SLEEP_US ? sleep_us + sleep_us / 4 : MAX_SLEEP_US;
		recorder_sleep(sleep_us);
	}
}

/* ---- end -------------------------------------------------------------------------------------- */

static void end_pid(struct recorder *r, pid_t pid)
{
	struct follower *one = find(r, pid);
	bool has = tracees_has(&r->tracees, pid), quiet;

	if (!one || followed_state(one->f) != FOLLOWED_RECORDS)
		return;
	quiet = has && tracees_hold(&r->tracees, pid);
	one = find(r, pid);
	if (!one)
		return;
	followed_end(one->f, on_batch, r, true, quiet, false);
	if (has)
		tracees_release(&r->tracees, pid);
	followed_write(one->f);
}

static void end_all(struct recorder *r)
{
	size_t nr = r->nr;
	pid_t *pids = calloc(nr + 1, sizeof(*pids));

	for (size_t i = 0; pids && i < nr; i++)
		pids[i] = followed_pid(r->list[i].f);
	for (size_t i = 0; pids && i < nr; i++)
		end_pid(r, pids[i]);
	free(pids);
	tracees_detach(&r->tracees);
	stream_detach(r->stream, on_batch, r);
}

static int exit_code(const struct recorder *r)
{
	if (!r->child_ended)
		return 0;
	return WIFSIGNALED(r->child_status) ? 128 + WTERMSIG(r->child_status) : WEXITSTATUS(r->child_status);
}

static int fail(const char *message)
{
	fprintf(stderr, "kmemtrace: %s\n", message);
	return 1;
}

static int finish(struct recorder *r)
{
	struct trace_totals totals = { 0 };
	int ret;

	lost_so_far(r, &totals);
	trace_flush(r->writer);
	trace_put_clock(r->writer, followed_clock(), totals.lost);
	trace_finish(r->writer, &totals);
	progress_end(&r->progress, r->options->output, trace_written_events(r->writer), trace_written_bytes(r->writer),
		     &totals);
	ret = trace_write_error(r->writer);
	if (!ret)
		return 0;
	snprintf(r->err, sizeof(r->err), "%s cannot be written: %s; what was written until then can be read",
		 r->options->output, strerror(-ret));
	return fail(r->err);
}

static void close_all(struct recorder *r)
{
	tracees_detach(&r->tracees);
	while (r->nr)
		drop(r, &r->list[r->nr - 1]);
	free(r->list);
	stream_close(r->stream);
	trace_end(r->writer);
}

int recorder_run(const struct record_options *options)
{
	struct recorder r = { .options = options };
	int code = 1, ret;

	tracees_init(&r.tracees, &handlers, &r);
	progress_init(&r.progress, options->quiet);
	recorder_signals();
	snprintf(r.err, sizeof(r.err), "out of memory");
	ret = open_stream(&r);
	if (!ret)
		ret = check_pids(&r);
	if (!ret)
		ret = open_writer(&r);
	if (!ret) {
		ret = begin(&r);
		if (ret)
			trace_discard(r.writer);
	}
	if (ret) {
		fail(r.err);
	} else {
		loop(&r);
		end_all(&r);
		code = finish(&r);
		if (!code)
			code = r.failed ? 1 : exit_code(&r);
	}
	close_all(&r);
	return code;
}
