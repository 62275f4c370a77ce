/* SPDX-License-Identifier: BSD-2-Clause */
/* moment.c - see moment.h. A process is stopped while the tables of its heap are copied: milliseconds. */
#include "kmemtrace/moment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/target.h"
#include "kmemleak/stop.h"
#include "kmemtrace/snapshot.h"

struct naming {
	const struct trace *trace;
	uint32_t pid;
};

/* The recording's number of the process's cache; 0, unknown, of one made since. */
static uint32_t cache_number(void *context, uint32_t id)
{
	const struct naming *n = context;

	for (uint32_t i = 1; i < trace_nr_caches(n->trace); i++) {
		const struct trace_cache *cache = trace_cache(n->trace, i);

		if (cache->pid == n->pid && cache->id == id)
			return i;
	}
	return 0;
}

static bool is_recorded(struct analysis *an, pid_t pid)
{
	const struct trace_process *process;
	size_t nr = trace_processes(an->trace, &process);

	for (size_t i = 0; i < nr; i++)
		if (process[i].pid == (uint32_t)pid)
			return true;
	return false;
}

static int capture(struct target *t, struct snapshot_copy **copy)
{
	struct stop stop;
	int ret = stop_all(&stop, t->pid, t->comm);

	if (ret)
		target_fail(t, ret, "%s", stop.message);
	else
		ret = snapshot_capture(copy, t, t->roots[0].addr);
	stop_resume(&stop);
	return ret;
}

static int take_process(struct moment *m, struct analysis *an, pid_t pid, char *err, size_t len)
{
	struct naming naming = { an->trace, (uint32_t)pid };
	struct snapshot_copy *copy = NULL;
	struct snapshot s = { 0 };
	struct target t;
	int ret = target_open(&t, pid);

	if (!ret)
		ret = target_find_roots(&t);
	if (!ret)
		ret = capture(&t, &copy);
	if (!ret) {
		ret = snapshot_digest(copy, naming.pid, cache_number, &naming, &s);
		if (ret)
			target_fail(&t, ret, "out of memory");
	}
	if (ret)
		snprintf(err, len, "%s", t.message);
	target_close(&t);
	m->objects = s.objects;
	m->blocks = s.blocks;
	m->snapshot = (struct trace_snapshot){ .objects = s.objects, .nr_objects = s.nr_objects, .blocks = s.blocks,
					       .nr_blocks = s.nr_blocks, .exact = true };
	return ret;
}

int moment_take(struct moment *m, struct analysis *an, pid_t pid, char *err, size_t len)
{
	m->pid = pid;
	if (pid && !is_recorded(an, pid)) {
		snprintf(err, len, "PID %d is not in %s: give the recording of that process", pid, an->path);
		return -ENOENT;
	}
	if (pid)
		return take_process(m, an, pid, err, len);
	if (trace_read_snapshot(an->trace, TRACE_END, &m->snapshot))
		return 0;
	snprintf(err, len, "%s has no list of what lived at its end: give the process with -p PID if it is still there",
		 an->path);
	return -ENOENT;
}

void moment_free(struct moment *m)
{
	free(m->objects);
	free(m->blocks);
	memset(m, 0, sizeof(*m));
}
