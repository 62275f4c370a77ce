/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder.c - records all events of a process until it is stopped. recorder PID batch|untimed|stacks|event
 *
 * batch, untimed, stacks: the probe kmem:batch; event: a probe for each event, counted by call site. Prints
 * "attached", and at SIGINT "events N lost N".
 */
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "bench.h"
#include "common/collect.h"
#include "common/stream.h"
#include "common/target.h"

static volatile sig_atomic_t stop;
static uint64_t records;
static char err[320];

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void on_batch(void *context, pid_t pid, const struct kmem_batch *b, uint32_t nr)
{
	(void)context;
	(void)pid;
	(void)b;
	records += nr;
}

static int fail(const char *why)
{
	fprintf(stderr, "recorder: %s\n", why);
	return 1;
}

static int record_stream(struct target *t, uint32_t mode)
{
	const struct stream_options options = { .mode = mode };
	const struct timespec ms = { 0, 1000000 };
	struct stream_totals totals;
	struct stream *s;

	if (stream_open(&s, &options, err, sizeof(err)) || stream_attach(s, t, &t->roots[0], err, sizeof(err)))
		return fail(err);
	printf("attached\n");
	while (!stop) {
		stream_poll(s, on_batch, NULL);
		nanosleep(&ms, NULL);
	}
	stream_detach(s, on_batch, NULL);
	if (stream_read_totals(s, &totals, err, sizeof(err)))
		return fail(err);
	printf("events %lu lost %lu\n", records, totals.lost + totals.unreadable + totals.no_buffer + totals.tails_lost);
	stream_close(s);
	return 0;
}

static int record_events(const struct target *t)
{
	const struct kmem_observe *o = &t->roots[0].observe;
	struct collect_target who = { t->pid, t->roots[0].addr, o->arena_base, o->arena_limit, o->idmap, o->pages };
	const struct timespec ms = { 0, 1000000 };
	const struct collect_count *row;
	struct collect_totals totals;
	struct collect *c;
	size_t nr, i;

	if (collect_open(&c, NULL, err, sizeof(err)) || collect_attach_library(c, &who, err, sizeof(err)))
		return fail(err);
	printf("attached\n");
	while (!stop)
		nanosleep(&ms, NULL);
	if (collect_read_counts(c, &row, &nr, err, sizeof(err)) ||
	    collect_read_totals(c, KMEM_SOURCE_LIBRARY, &totals, err, sizeof(err)))
		return fail(err);
	for (i = 0; i < nr; i++)
		records += row[i].count.events;
	printf("events %lu lost %lu\n", records, collect_lost(&totals));
	collect_close(c);
	return 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "";
	struct target t;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, on_signal);
	if (argc != 3)
		return fail("usage: recorder PID batch|untimed|stacks|event");
	if (target_open(&t, atoi(argv[1])) || target_find_roots(&t))
		return fail(t.message);
	if (!strcmp(how, "event"))
		rc = record_events(&t);
	else
		rc = record_stream(&t, !strcmp(how, "stacks") ? KMEM_BATCH_STACKS : !strcmp(how, "untimed") ? KMEM_BATCH_NO_TIME : 0);
	target_close(&t);
	return rc;
}
