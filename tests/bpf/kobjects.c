/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kobjects.c - the kernel's outstanding objects are exactly the messages that we have not received.
 *
 * usage: kobjects [short]    exit 0 pass, 1 fail, 77 no BPF here
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <time.h>
#include <unistd.h>

#include "common/kobjects.h"

#define NR     400
#define QUEUES 50
#define BODY   952 /* 1000 with its header */

static char err[256];
static int queues[QUEUES];

static void check(int ret)
{
	if (!ret)
		return;
	printf("kobjects: %s\n", err);
	exit(ret == -EPERM || ret == -EACCES ? 77 : 1);
}

static void message(unsigned int i, bool send)
{
	struct {
		long type;
		char body[BODY];
	} msg = { .type = 1 + (long)(i / QUEUES) };
	int queue = queues[i % QUEUES];

	if (send ? msgsnd(queue, &msg, BODY, IPC_NOWAIT) : msgrcv(queue, &msg, BODY, msg.type, IPC_NOWAIT) != BODY) {
		perror("message");
		exit(1);
	}
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct found {
	unsigned int nr, wrong, stacks;
	uint64_t cache;
};

/* Objects of the size of our messages: all must be ours in every respect. */
static struct found look(struct kobjects *ko, uint64_t since)
{
	const struct kobjects_row *rows;
	uint64_t frames[KOBJECTS_FRAMES], site = 0;
	struct found f = { 0 };
	size_t i, nr, k, depth;

	check(kobjects_read(ko, &rows, &nr, err, sizeof(err)));
	for (i = 0; i < nr; i++) {
		const struct kmem_kernel_object *o = &rows[i].object;
		bool in_stack = false;

		if (o->bytes_req != 48 + BODY)
			continue;
		f.nr++;
		f.cache = o->cache;
		site = site ? site : o->call_site;
		f.wrong += o->tgid != (uint32_t)getpid() || strncmp(o->comm, "kobjects", sizeof(o->comm)) ||
			   o->time_ns < since || o->time_ns > now_ns() || o->call_site != site;
		depth = kobjects_stack(ko, o->stack, frames);
		for (k = 0; k < depth; k++)
			in_stack |= frames[k] == o->call_site;
		f.stacks += in_stack;
	}
	return f;
}

static const struct kobjects_tally *tally_of(struct kobjects *ko, uint64_t cache)
{
	const struct kobjects_tally *tallies;
	size_t i, nr;

	check(kobjects_read_tallies(ko, &tallies, &nr, err, sizeof(err)));
	for (i = 0; i < nr; i++)
		if (tallies[i].cache == cache)
			return &tallies[i];
	printf("kobjects: no tally of the cache\n");
	exit(1);
}

static int run(uint32_t stack_every)
{
	const struct kobjects_options options = { .pid = getpid(), .stack_every = stack_every };
	struct kobjects *ko;
	struct found all, half, none;
	const struct kobjects_tally *tally;
	struct kobjects_totals totals;
	uint64_t since = now_ns();
	unsigned int i;
	bool good;

	check(kobjects_open(&ko, &options, err, sizeof(err)));
	check(kobjects_attach(ko, err, sizeof(err)));
	for (i = 0; i < NR; i++)
		message(i, true);
	all = look(ko, since);
	for (i = 0; i < NR; i += 2)
		message(i, false);
	half = look(ko, since);
	for (i = 1; i < NR; i += 2)
		message(i, false);
	none = look(ko, since);
	check(kobjects_read_totals(ko, &totals, err, sizeof(err)));
	tally = tally_of(ko, all.cache);
	printf("stack of one in %u: %u, %u, %u objects of %d, %u wrong, %u with a stack, tally %llu - %llu, missed %" PRIu64 "\n",
	       stack_every, all.nr, half.nr, none.nr, NR, all.wrong, all.stacks, tally->tally.allocs, tally->tally.frees,
	       totals.missed);
	/* An interrupt may cost single events; they are counted then. */
	good = all.nr + totals.missed >= NR && all.nr <= NR && half.nr + totals.missed >= NR / 2 && half.nr <= NR / 2 + totals.missed &&
	       none.nr <= totals.missed && !all.wrong && tally->tally.allocs + totals.missed >= NR &&
	       tally->tally.frees + totals.missed >= NR;
	if (stack_every == 1)
		good &= all.stacks + totals.sum.no_stack + totals.missed >= NR && all.stacks > NR / 2;
	else if (stack_every)
		good &= all.stacks > 0 && all.stacks < NR;
	else
		good &= !all.stacks;
	kobjects_close(ko);
	return !good;
}

/* With room for few: what is lost is said. */
static int overflow(void)
{
	const struct kobjects_options options = { .pid = getpid(), .max_objects = 32 };
	struct kobjects_totals totals;
	struct kobjects *ko;
	unsigned int i;

	check(kobjects_open(&ko, &options, err, sizeof(err)));
	check(kobjects_attach(ko, err, sizeof(err)));
	for (i = 0; i < NR; i++)
		message(i, true);
	check(kobjects_read_totals(ko, &totals, err, sizeof(err)));
	for (i = 0; i < NR; i++)
		message(i, false);
	printf("room for 32: lost %" PRIu64 "\n", kobjects_lost(&totals));
	kobjects_close(ko);
	return totals.sum.lost < NR / 2;
}

int main(int argc, char **argv)
{
	int bad, i;

	(void)argv;
	for (i = 0; i < QUEUES; i++) {
		queues[i] = msgget(IPC_PRIVATE, 0600);
		if (queues[i] < 0) {
			perror("msgget");
			return 1;
		}
	}
	bad = run(1);
	if (argc == 1) {
		bad |= run(0);
		bad |= run(8);
		bad |= overflow();
	}
	for (i = 0; i < QUEUES; i++)
		msgctl(queues[i], IPC_RMID, NULL);
	return bad;
}
