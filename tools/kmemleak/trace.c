/* SPDX-License-Identifier: BSD-2-Clause */
/* trace.c - see trace.h. */
#include "kmemleak/trace.h"

#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS UINT64_C(1000000)
#define LOOK_MS   100 /* a signal just before the wait is seen this much later */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * NS_PER_MS + (uint64_t)ts.tv_nsec;
}

static int start_root(struct trace *trace, struct target *t, const struct target_root *root)
{
	const struct collect_options options = { .events = COLLECT_SLAB, .max_objects = TRACE_MAX_OBJECTS };
	const struct collect_target target = {
		.pid = t->pid,
		.root = root->addr,
		.arena_base = root->observe.arena_base,
		.arena_limit = root->observe.arena_limit,
		.idmap = root->observe.idmap,
		.pages = root->observe.pages,
	};
	struct collect **collect = &trace->collect[trace->nr];
	char err[256];
	int ret = collect_open(collect, &options, err, sizeof(err));

	if (!ret) {
		trace->nr++;
		ret = collect_attach_library(*collect, &target, err, sizeof(err));
	}
	return ret ? target_fail(t, ret, "PID %d (%s): %s", t->pid, t->comm, err) : 0;
}

int trace_start(struct trace *trace, struct target *t)
{
	int err = 0;

	trace->pid = t->pid;
	for (unsigned int i = 0; i < t->nr_roots && !err; i++)
		err = start_root(trace, t, &t->roots[i]);
	trace->since_ns = now_ns();
	return err;
}

void trace_wait(const struct trace *trace, uint32_t ms, const volatile sig_atomic_t *interrupted)
{
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, trace->pid, 0), .events = POLLIN };
	uint64_t now = now_ns(), deadline = now + ms * NS_PER_MS;

	for (; now < deadline && !*interrupted; now = now_ns()) {
		uint64_t left = (deadline - now + NS_PER_MS - 1) / NS_PER_MS;

		if (poll(&ended, 1, left < LOOK_MS ? (int)left : LOOK_MS) > 0)
			break;
	}
	if (ended.fd >= 0)
		close(ended.fd);
}

static void explain_leak(const struct trace *trace, unsigned int root, const struct scan *scan, struct leak *leak)
{
	struct collect_object object;

	if (collect_find_object(trace->collect[root], trace->pid, leak->address, &object))
		return;
	/* Younger than the scan: the leak was none, and another object is there now. */
	if (object.time_ns < trace->since_ns || object.time_ns > scan->stopped_ns)
		return;
	leak->call_site = object.call_site;
	leak->age_ns = scan->stopped_ns - object.time_ns;
}

/* Code may have been loaded since. Without symbols, addresses must do. */
static void refresh_symbols(struct trace *trace)
{
	char err[256];

	if (trace->known.symbols)
		symbols_refresh(trace->known.symbols);
	else
		symbols_open(&trace->known.symbols, trace->pid, err, sizeof(err));
}

void trace_explain(struct trace *trace, unsigned int root, struct scan *scan)
{
	struct collect_totals totals;
	char err[256];

	if (root >= trace->nr)
		return;
	for (size_t i = 0; i < scan->leaks.nr; i++)
		explain_leak(trace, root, scan, &scan->leaks.list[i]);
	trace->known.nr_lost = 0;
	if (!collect_read_totals(trace->collect[root], KMEM_SOURCE_LIBRARY, &totals, err, sizeof(err)))
		trace->known.nr_lost = collect_lost_objects(&totals);
	refresh_symbols(trace);
	scan->trace = &trace->known;
}

void trace_end(struct trace *trace)
{
	for (unsigned int i = 0; i < trace->nr; i++)
		collect_close(trace->collect[i]);
	symbols_close(trace->known.symbols);
	memset(trace, 0, sizeof(*trace));
}
