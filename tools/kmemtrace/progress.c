/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.c - see progress.h. On stderr: stdout belongs to the recorded program. */
#include "kmemtrace/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/output.h"

#define PERIOD_NS UINT64_C(250000000)
#define NS_PER_S  UINT64_C(1000000000)

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void progress_init(struct progress *p, bool quiet)
{
	*p = (struct progress){ .terminal = isatty(STDERR_FILENO), .quiet = quiet, .begin_ns = now() };
	p->last_ns = p->begin_ns;
}

bool progress_due(struct progress *p, uint64_t now_ns)
{
	return p->terminal && !p->quiet && now_ns - p->last_ns >= PERIOD_NS;
}

void progress_show(struct progress *p, uint64_t now_ns, uint64_t events, uint64_t bytes, uint64_t lost)
{
	char count[OUTPUT_HUMAN_BYTES], rate[OUTPUT_HUMAN_BYTES], missing[OUTPUT_HUMAN_BYTES], size[OUTPUT_HUMAN_BYTES];
	uint64_t ns = now_ns - p->last_ns, seconds = (now_ns - p->begin_ns) / NS_PER_S;

	fprintf(stderr, "\r%s events  %s/s  lost %s  file %s  %02" PRIu64 ":%02" PRIu64 "\033[K",
		output_count(count, events),
		output_count(rate, (uint64_t)((double)(events - p->last_events) * 1e9 / (double)(ns ? ns : 1))),
		output_count(missing, lost), output_human(size, bytes), seconds / 60, seconds % 60);
	fflush(stderr);
	p->last_ns = now_ns;
	p->last_events = events;
	p->shown = true;
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fprintf(stderr, "\r\033[K");
	p->shown = false;
}

static void print_loss(uint64_t nr, const char *what)
{
	if (nr)
		fprintf(stderr, "kmemtrace: %" PRIu64 " %s\n", nr, what);
}

void progress_end(struct progress *p, const char *file, uint64_t events, uint64_t bytes,
		  const struct trace_totals *totals)
{
	char size[OUTPUT_HUMAN_BYTES];
	bool all = !totals->lost && !totals->unreadable && !totals->no_buffer && !totals->tails_lost;

	progress_clear(p);
	print_loss(totals->lost, "events lost: the recorder came too late; try a larger --ring");
	print_loss(totals->unreadable, "events lost: their buffers could not be read");
	print_loss(totals->no_buffer, "events lost: the process had no buffer for them");
	print_loss(totals->tails_lost, "buffers that were not full were lost with processes that were killed or replaced by exec");
	if (p->quiet)
		return;
	fprintf(stderr, "kmemtrace: %" PRIu64 " events%s in %.3f s, %sB in %s\n", events, all ? ", all there were," : "",
		(double)(now() - p->begin_ns) / 1e9, output_human(size, bytes), file);
}
