/* SPDX-License-Identifier: BSD-2-Clause */
/* stat_counts.c - see stat_counts.h. A command's processes are read when they stand still in their exit: exact. */
#include "kmemtrace/stat_counts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/collect.h"
#include "common/library.h"
#include "kmemtrace/recorder.h"
#include "kmemtrace/tracee.h"

#define NS_PER_MS  UINT64_C(1000000)
#define SLEEP_US   10000
#define STEP_CALLS 2000 /* in which a program has loaded libkmem, or executed another */

struct one {
	struct counted *c;
	unsigned int steps;
};

struct run {
	const struct stat_options *options;
	struct tracees tracees;
	struct one *list;
	size_t nr, room;
	struct counters ended;   /* of processes that are no more */
	struct stat_result *result;
	struct collect *collect; /* the kernel */
	struct counters kernel_base;
	pid_t child;
	bool child_ended;
	char *err;
	size_t len;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * NS_PER_MS + (uint64_t)ts.tv_nsec;
}

/* ---- processes -------------------------------------------------------------------------------- */

static struct one *find(struct run *r, pid_t pid)
{
	for (size_t i = 0; i < r->nr; i++)
		if (counted_pid(r->list[i].c) == pid)
			return &r->list[i];
	return NULL;
}

static struct one *add(struct run *r, pid_t pid)
{
	struct counted *c = counted_new(pid);

	if (c && r->nr == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		void *more = realloc(r->list, room * sizeof(*r->list));

		if (!more) {
			counted_free(c);
			return NULL;
		}
		r->list = more;
		r->room = room;
	}
	if (!c)
		return NULL;
	r->list[r->nr] = (struct one){ .c = c };
	return &r->list[r->nr++];
}

static bool read_one(struct run *r, struct one *one)
{
	return !counted_find(one->c, r->err, r->len) && !counted_read(one->c, r->err, r->len);
}

static void drop(struct run *r, struct one *one)
{
	struct counters last = counted_since(one->c);

	r->result->processes += last.value[COUNTER_ALLOCS] || last.value[COUNTER_PAGES_ALLOC];
	counters_add(&r->ended, &last);
	counted_free(one->c);
	*one = r->list[--r->nr];
}

static void on_forked(void *run, pid_t pid, pid_t parent, bool borrowed)
{
	struct run *r = run;
	struct one *one = add(r, pid);

	(void)parent;
	if (!one)
		return;
	/* What its parent has counted came with the memory. */
	if (!borrowed && read_one(r, one))
		counted_rebase(one->c);
	one->steps = STEP_CALLS;
	tracees_step(&r->tracees, pid, true);
}

static void on_execed(void *run, pid_t pid)
{
	struct run *r = run;
	struct one *one = find(r, pid);

	if (one)
		drop(r, one);
	one = add(r, pid);
	if (!one)
		return;
	one->steps = STEP_CALLS;
	tracees_step(&r->tracees, pid, true);
}

static void on_stepped(void *run, pid_t pid, uint64_t call)
{
	struct run *r = run;
	struct one *one = find(r, pid);

	if (!one || !one->steps)
		return;
	if (call == SYS_execve || call == SYS_execveat)
		read_one(r, one);
	if (!--one->steps)
		tracees_step(&r->tracees, pid, false);
}

static void on_exiting(void *run, pid_t pid, bool quiet)
{
	struct run *r = run;
	struct one *one = find(r, pid);

	(void)quiet;
	if (one)
		read_one(r, one);
}

static void on_ended(void *run, pid_t pid, int status)
{
	struct run *r = run;
	struct one *one = find(r, pid);

	if (pid == r->child) {
		r->child_ended = true;
		r->result->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	if (one)
		drop(r, one);
}

static bool is_busy(void *run, pid_t pid, const struct tracee_regs *regs)
{
	(void)run;
	(void)pid;
	(void)regs;
	return false;
}

static const struct tracee_handlers handlers = {
	.forked = on_forked, .execed = on_execed, .stepped = on_stepped, .exiting = on_exiting, .ended = on_ended,
	.busy = is_busy,
};

/* ---- sums ------------------------------------------------------------------------------------- */

static int read_kernel(struct run *r, struct counters *sum)
{
	const struct collect_count *rows;
	struct collect_totals totals;
	size_t nr;
	int ret = collect_read_totals(r->collect, KMEM_SOURCE_KERNEL, &totals, r->err, r->len);

	if (!ret)
		ret = collect_read_counts(r->collect, &rows, &nr, r->err, r->len);
	if (ret)
		return ret;
	sum->value[COUNTER_ALLOCS] = totals.sum.events[KMEM_EV_CACHE_ALLOC] + totals.sum.events[KMEM_EV_KMALLOC];
	sum->value[COUNTER_FREES] = totals.sum.events[KMEM_EV_CACHE_FREE] + totals.sum.events[KMEM_EV_KFREE];
	sum->value[COUNTER_FAILED] = totals.sum.failed;
	for (size_t i = 0; i < nr; i++) {
		uint64_t bytes = rows[i].count.bytes_req;

		if (rows[i].key.type == KMEM_EV_CACHE_ALLOC || rows[i].key.type == KMEM_EV_KMALLOC)
			sum->value[COUNTER_ALLOC_BYTES] += bytes;
		else if (rows[i].key.type == KMEM_EV_PAGE_ALLOC)
			sum->value[COUNTER_PAGES_ALLOC] += bytes / KMEM_PAGE_BYTES;
		else if (rows[i].key.type == KMEM_EV_PAGE_FREE)
			sum->value[COUNTER_PAGES_FREE] += bytes / KMEM_PAGE_BYTES;
	}
	return 0;
}

/* Everything until now. A process that has ended since counts with what it said last. */
static int sum_up(struct run *r, struct counters *sum)
{
	*sum = r->ended;
	if (r->collect)
		return read_kernel(r, sum);
	for (size_t i = r->nr; i--;) {
		struct counters c;

		if (!read_one(r, &r->list[i]) && r->options->nr_pids) {
			drop(r, &r->list[i]);
			*sum = r->ended;
			i = r->nr;
			continue;
		}
		c = counted_since(r->list[i].c);
		counters_add(sum, &c);
	}
	return 0;
}

/* ---- begin, wait, end ------------------------------------------------------------------------- */

static int begin_kernel(struct run *r)
{
	const struct collect_options options = { .events = COLLECT_ALL };
	int ret = collect_open(&r->collect, &options, r->err, r->len);

	return ret ? ret : collect_attach_kernel(r->collect, r->err, r->len);
}

static int begin(struct run *r)
{
	char library[4096];

	for (size_t i = 0; i < r->options->nr_pids; i++) {
		struct one *one = add(r, r->options->pids[i]);
		int ret = one ? counted_find(one->c, r->err, r->len) : -ENOMEM;

		if (!ret)
			ret = counted_read(one->c, r->err, r->len);
		if (ret)
			return ret;
		counted_rebase(one->c);
	}
	if (r->options->kernel)
		return begin_kernel(r);
	if (!r->options->command)
		return 0;
	library_find(library, sizeof(library));
	r->child = tracees_launch(&r->tracees, r->options->command, r->options->preload ? library : NULL, r->err, r->len);
	if (r->child < 0)
		return r->child;
	tracees_release(&r->tracees, r->child);
	return 0;
}

static void count(struct run *r, stat_tick *tick, void *context)
{
	uint64_t start = now_ns(), last = start, interval = r->options->interval_ms * NS_PER_MS, ns = start;
	struct counters before = { 0 }, sum;

	while (!recorder_interrupted() && (r->collect || r->nr) &&
	       (!r->options->duration_ms || ns - start < r->options->duration_ms * NS_PER_MS)) {
		recorder_sleep(SLEEP_US);
		tracees_poll(&r->tracees);
		ns = now_ns();
		if (interval && ns - last >= interval && !sum_up(r, &sum)) {
			struct counters delta = counters_since(&sum, &before);

			tick(context, ns - start, ns - last, &delta);
			before = sum;
			last = ns;
		}
		/* Who is only looked at must be looked at to be seen ending. */
		for (size_t i = r->nr; !r->child && i--;)
			if (kill(counted_pid(r->list[i].c), 0) && errno == ESRCH)
				drop(r, &r->list[i]);
	}
	r->result->ns = ns - start;
	if (!sum_up(r, &sum))
		r->result->counters = sum;
}

int stat_count(const struct stat_options *options, stat_tick *tick, void *context, struct stat_result *result, char *err,
	       size_t len)
{
	struct run r = { .options = options, .result = result, .err = err, .len = len };
	int ret;

	*result = (struct stat_result){ 0 };
	*err = '\0';
	tracees_init(&r.tracees, &handlers, &r);
	recorder_signals();
	ret = begin(&r);
	if (!ret)
		count(&r, tick, context);
	tracees_detach(&r.tracees);
	while (r.nr)
		drop(&r, &r.list[r.nr - 1]);
	free(r.list);
	collect_close(r.collect);
	return ret;
}
