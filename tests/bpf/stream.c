/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - records a process's event stream and compares it with what the process says it did.
 *
 * usage: stream WORKER ROUNDS THREADS [MODE [live|exit|kill|exec|fork|tiny|again]]
 *
 * MODE as in enum kmem_batch_mode. live: detach while it lives; exit: after it
 * ended; kill, exec: after it was killed or became another program, which loses buffers that were not full;
 * fork: it has children meanwhile; tiny: into a ring that holds two buffers, unread until the end;
 * again: another recorder was killed before.
 * Exit 0 equal, 1 not, 77 no BPF here.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/stream.h"

#define MAX_CPUS  256

struct tally {
	uint64_t op[KMEM_BATCH_NR_OPS];
	uint64_t records, bad, backwards;
	uint64_t last[MAX_CPUS];
};

static void on_batch(void *context, pid_t pid, const struct kmem_batch *b, uint32_t nr)
{
	struct tally *tally = context;
	uint32_t i;

	(void)pid;
	for (i = 0; i < nr; i++) {
		const struct kmem_batch_record *r = &b->record[i];

		if (r->op >= KMEM_BATCH_NR_OPS || !r->ptr || !r->site) {
			tally->bad++;
			continue;
		}
		tally->op[r->op]++;
		if (r->tsc && b->cpu < MAX_CPUS) {
			/* An interrupted append may be a little older than the one before it. */
			tally->backwards += r->tsc < tally->last[b->cpu];
			tally->last[b->cpu] = r->tsc;
		}
	}
	tally->records += nr;
}

static pid_t start(char *const argv[], FILE **to, FILE **from)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe(in) || pipe(out))
		exit(1);
	pid = fork();
	if (pid < 0)
		exit(1);
	if (!pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execv(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	*to = fdopen(in[1], "w");
	*from = fdopen(out[0], "r");
	return pid;
}

static void say(FILE *to, const char *line)
{
	fprintf(to, "%s\n", line);
	fflush(to);
}

/* Poll until the worker has printed a line. */
static void poll_until_line(struct stream *s, struct tally *tally, FILE *from, char *line, size_t bytes)
{
	struct timespec ms = { 0, 1000000 };
	fd_set set;
	struct timeval none;

	for (;;) {
		stream_poll(s, on_batch, tally);
		FD_ZERO(&set);
		FD_SET(fileno(from), &set);
		none = (struct timeval){ 0, 0 };
		if (select(fileno(from) + 1, &set, NULL, NULL, &none) > 0)
			break;
		nanosleep(&ms, NULL);
	}
	if (!fgets(line, (int)bytes, from))
		line[0] = '\0';
}

static int refuse(const char *err, pid_t pid)
{
	printf("%s\n", err);
	kill(pid, SIGKILL);
	return strstr(err, "need") || strstr(err, "permitted") ? 77 : 1;
}

static int expect(const char *what, uint64_t got, uint64_t want)
{
	if (got == want)
		return 0;
	printf("%s: %llu, expected %llu\n", what, (unsigned long long)got, (unsigned long long)want);
	return 1;
}

/* Nothing of a recorder that is killed stays: the probes' semaphores are as before. */
static int let_another_be_killed(struct target *t, const struct stream_options *options)
{
	uint64_t semaphore = t->roots[0].observe.attention[1] + 2;
	uint16_t count = 0;
	char err[320];
	struct stream *s;
	int ready[2], tries;
	pid_t pid;

	if (pipe(ready))
		return 1;
	pid = fork();
	if (!pid) {
		if (!stream_open(&s, options, err, sizeof(err)) && !stream_attach(s, t, &t->roots[0], err, sizeof(err)) &&
		    write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], err, 1) != 1)
		return expect("attached", 0, 1);
	close(ready[0]);
	if (target_read(t, semaphore, &count, sizeof(count)) || !count)
		return expect("semaphore while it records", count, 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (tries = 0; count && tries < 3000; tries++) {
		const struct timespec pause = { 0, 10000000 };

		nanosleep(&pause, NULL);
		if (target_read(t, semaphore, &count, sizeof(count)))
			return 1;
	}
	return expect("semaphore of a recorder that was killed", count, 0);
}

/* What could not be read in time is counted: with it, all that was recorded is there. */
static int compare_lost(struct target *t, const struct kmem_batches *before, const struct tally *tally,
			const struct stream_totals *totals)
{
	struct kmem_batches now;

	if (target_read(t, t->roots[0].observe.batches, &now, sizeof(now)))
		return 1;
	printf("lost %llu\n", (unsigned long long)totals->lost);
	return expect("delivered", totals->delivered, tally->records) | (totals->lost == 0) |
	       expect("whole buffers", (totals->lost + totals->delivered) / KMEM_BATCH_RECORDS >= now.delivered - before->delivered, 1) |
	       expect("lost buffers", totals->lost % KMEM_BATCH_RECORDS, 0) |
	       expect("lost in the process", now.lost, 0);
}

static int compare(const struct tally *tally, const struct stream_totals *totals, const char *counts, const char *how)
{
	unsigned long long cache = 0, kmalloc = 0;
	int bad = sscanf(counts, "%llu %llu", &cache, &kmalloc) != 2;

	printf("records %llu\n", (unsigned long long)tally->records);
	bad |= expect("delivered", totals->delivered, tally->records);
	bad |= expect("lost", totals->lost + totals->unreadable + totals->no_buffer, 0);
	bad |= expect("records that make no sense", tally->bad, 0);
	if (!strcmp(how, "kill") || !strcmp(how, "exec")) {
		/* Whole buffers only, and it is said. */
		bad |= expect("rest of a buffer", tally->records % KMEM_BATCH_RECORDS, 0);
		return bad | (totals->tails_lost == 0);
	}
	bad |= expect("tails lost", strcmp(how, "exit") ? totals->tails_lost : 0, 0);
	bad |= expect("kmem_cache_alloc", tally->op[KMEM_BATCH_CACHE_ALLOC], cache);
	bad |= expect("kmem_cache_free", tally->op[KMEM_BATCH_CACHE_FREE], cache);
	bad |= expect("kmalloc", tally->op[KMEM_BATCH_KMALLOC], kmalloc);
	bad |= expect("kfree", tally->op[KMEM_BATCH_KFREE], kmalloc);
	/* Those of the workers; slabs and large objects come on top. */
	bad |= tally->op[KMEM_BATCH_PAGE_ALLOC] < (kmalloc + 16) / 17;
	return bad;
}

/* Until what it was cannot be read any more. */
static void become_another(struct target *t, FILE *to)
{
	const struct timespec moment = { 0, 10000000 };
	struct kmem_batches now;
	int tries;

	say(to, "exec");
	for (tries = 0; tries < 3000 && !target_read(t, t->roots[0].observe.batches, &now, sizeof(now)); tries++)
		nanosleep(&moment, NULL);
}

int main(int argc, char **argv)
{
	char *worker[] = { argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL, NULL };
	const char *how = argc > 5 ? argv[5] : "live";
	struct stream_options options = { .mode = argc > 4 ? (uint32_t)atoi(argv[4]) : 0 };
	static struct tally tally;
	struct stream_totals totals;
	struct kmem_batches before;
	struct stream *s;
	struct target t;
	char err[320], line[80], counts[80];
	FILE *to, *from;
	int status, bad, ends;
	pid_t pid;

	if (argc < 4)
		return 2;
	pid = start(worker, &to, &from);
	if (!fgets(line, sizeof(line), from))
		return 1;
	if (target_open(&t, pid) || target_find_roots(&t))
		return refuse(t.message, pid);
	if (target_read(&t, t.roots[0].observe.batches, &before, sizeof(before)))
		return 1;
	if (!strcmp(how, "tiny"))
		options.ring_bytes = 131072;
	if (!strcmp(how, "again") && let_another_be_killed(&t, &options))
		return 1;
	if (stream_open(&s, &options, err, sizeof(err)) || stream_attach(s, &t, &t.roots[0], err, sizeof(err)))
		return refuse(err, pid);
	say(to, strcmp(how, "fork") ? "go" : how);
	if (strcmp(how, "tiny"))
		poll_until_line(s, &tally, from, counts, sizeof(counts));
	else if (!fgets(counts, sizeof(counts), from))
		return 1;
	ends = !strcmp(how, "exit") || !strcmp(how, "kill");
	if (!strcmp(how, "exec"))
		become_another(&t, to);
	if (ends) {
		say(to, how);
		poll_until_line(s, &tally, from, line, sizeof(line));
	}
	stream_detach(s, on_batch, &tally);
	if (stream_read_totals(s, &totals, err, sizeof(err)))
		return refuse(err, pid);
	bad = strcmp(how, "tiny") ? compare(&tally, &totals, counts, how) : compare_lost(&t, &before, &tally, &totals);
	if (!ends)
		say(to, "end");
	fclose(to);
	waitpid(pid, &status, 0);
	stream_close(s);
	target_close(&t);
	return bad ? 1 : 0;
}
