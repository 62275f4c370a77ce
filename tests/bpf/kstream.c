/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kstream.c - the kernel's event stream has every event of what we do once, in order, or counts it as lost.
 *
 * usage: kstream [NR]    exit 0 pass, 1 fail, 77 no BPF here
 *
 * With NR the first of three tests only. Sends and receives messages, each a kmalloc(64) and a kfree, and follows their objects through the stream.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include "common/kstream.h"

#define HEADER   48
#define BODY     16
#define RING     (16u << 20)
#define NR_SLOTS 65536

struct tally {
	uint64_t type[KMEM_EV_NR];
	uint64_t allocs, frees;    /* of messages */
	uint64_t wrong;            /* freed but not live, live but allocated */
	uint64_t backwards, other; /* in time; of other processes */
	uint64_t live[NR_SLOTS];   /* addresses of messages, by hash */
	uint64_t cache, site, last[1024];
	bool one_cache;
};

static char err[256];
static int queue;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t *slot_of(struct tally *t, uint64_t address)
{
	size_t i = (size_t)(address >> 3) * 0x9e3779b1u % NR_SLOTS;

	while (t->live[i] && t->live[i] != address)
		i = (i + 1) % NR_SLOTS;
	return &t->live[i];
}

/* Addresses stay in the table with the lowest bit set when they are free: chains must not break. */
static uint64_t *find(struct tally *t, uint64_t address, bool *live)
{
	uint64_t *slot = slot_of(t, address | 1);

	*live = false;
	if (!*slot) {
		slot = slot_of(t, address);
		*live = *slot != 0;
	}
	return slot;
}

static void on_message(struct tally *t, const struct kmem_kernel_event *e)
{
	bool live;
	uint64_t *slot = find(t, e->address, &live);

	if (e->type == KMEM_EV_KMALLOC) {
		t->wrong += live;
		*slot = e->address;
		t->allocs++;
	} else if (live) {
		*slot = e->address | 1;
		t->frees++;
	}
}

static void on_event(void *context, const struct kmem_kernel_event *e)
{
	struct tally *t = context;

	if (e->type >= KMEM_EV_NR || e->cpu >= 1024)
		exit(1);
	t->type[e->type]++;
	t->other += e->tgid != (uint32_t)getpid();
	t->backwards += e->time_ns < t->last[e->cpu];
	t->last[e->cpu] = e->time_ns;
	if (e->type == KMEM_EV_KMALLOC && e->bytes_req == HEADER + BODY && !t->site) {
		t->site = e->call_site;
		t->cache = e->cache;
	}
	if ((e->type == KMEM_EV_KMALLOC && e->call_site == t->site && e->bytes_req == HEADER + BODY) ||
	    e->type == KMEM_EV_KFREE) {
		if (e->type == KMEM_EV_KMALLOC)
			t->one_cache = e->cache == t->cache && e->bytes_alloc >= HEADER + BODY;
		on_message(t, e);
	}
}

static void message(bool send)
{
	struct {
		long type;
		char body[BODY];
	} msg = { .type = 1 };

	if (send ? msgsnd(queue, &msg, BODY, IPC_NOWAIT) : msgrcv(queue, &msg, BODY, 0, IPC_NOWAIT) != BODY)
		die("message");
}

static struct kstream *open_stream(const struct kstream_options *options)
{
	struct kstream *s;
	int ret = kstream_open(&s, options, err, sizeof(err));

	if (!ret)
		ret = kstream_attach(s, err, sizeof(err));
	if (ret) {
		printf("kstream: %s\n", err);
		exit(ret == -EPERM || ret == -EACCES ? 77 : 1);
	}
	return s;
}

static void totals_of(struct kstream *s, struct kstream_totals *totals)
{
	if (kstream_read_totals(s, totals, err, sizeof(err))) {
		printf("kstream: %s\n", err);
		exit(1);
	}
}

/* Eight at a time are held, so that they are different objects. */
static int all_there(unsigned int nr)
{
	const struct kstream_options options = { .pid = getpid(), .ring_bytes = RING };
	struct kstream *s = open_stream(&options);
	static struct tally t;
	struct kstream_totals totals;
	unsigned int i, k;
	bool good;

	for (i = 0; i < nr; i += 8) {
		for (k = 0; k < 8; k++)
			message(true);
		for (k = 0; k < 8; k++)
			message(false);
		kstream_poll(s, on_event, &t);
	}
	kstream_detach(s, on_event, &t);
	totals_of(s, &totals);
	/* An interrupt may cost single events, which are counted then, and come between an event and its time. */
	good = t.allocs <= nr && t.allocs + totals.missed >= nr && t.frees <= nr && t.frees + totals.missed >= nr &&
	       t.wrong <= totals.missed && t.backwards <= 1 + nr / 1000 && !t.other && t.one_cache && !totals.lost &&
	       totals.delivered == totals.events[0] + totals.events[1] + totals.events[2] + totals.events[3];
	printf("stream: %" PRIu64 " allocations and %" PRIu64 " frees of %u, %" PRIu64 " wrong, %" PRIu64 " backwards, %" PRIu64
	       " of others, lost %" PRIu64 ", missed %" PRIu64 ", %s\n",
	       t.allocs, t.frees, nr, t.wrong, t.backwards, t.other, totals.lost, totals.missed,
	       kstream_names_kmalloc(s) ? "caches known" : "caches unknown");
	if (kstream_names_kmalloc(s) && t.cache <= KMEM_KEY_LARGE)
		good = false;
	kstream_close(s);
	return !good;
}

/* Nobody reads: what did not fit is counted. */
static int overflow(void)
{
	const struct kstream_options options = { .pid = getpid(), .ring_bytes = (uint32_t)getpagesize() };
	struct kstream *s = open_stream(&options);
	static struct tally t;
	struct kstream_totals totals;
	uint64_t seen, messages = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		message(true);
		message(false);
		messages += 2;
	}
	kstream_detach(s, on_event, &t);
	totals_of(s, &totals);
	seen = t.type[0] + t.type[1] + t.type[2] + t.type[3];
	printf("small ring: %" PRIu64 " delivered, %" PRIu64 " lost\n", seen, totals.lost);
	kstream_close(s);
	return !(totals.lost && seen == totals.delivered && seen + totals.lost + totals.missed >= messages);
}

/* Pages, by request only. */
static int pages(void)
{
	const struct kstream_options options = { .pid = getpid(), .events = 1u << KMEM_EV_PAGE_ALLOC };
	struct kstream *s = open_stream(&options);
	static struct tally t;
	char *memory = malloc(4 << 20);
	int i;

	for (i = 0; memory && i < 4 << 20; i += 4096)
		((volatile char *)memory)[i] = 1;
	free(memory);
	kstream_detach(s, on_event, &t);
	printf("pages: %" PRIu64 " allocations\n", t.type[KMEM_EV_PAGE_ALLOC]);
	kstream_close(s);
	/* One huge page would do for half of it. */
	return t.type[KMEM_EV_PAGE_ALLOC] < 2 || t.type[KMEM_EV_KMALLOC] || t.type[KMEM_EV_PAGE_FREE];
}

int main(int argc, char **argv)
{
	int bad;

	/* It goes with this process, however that ends. */
	if (unshare(CLONE_NEWIPC))
		die("unshare");
	queue = msgget(IPC_PRIVATE, 0600);
	if (queue < 0)
		die("msgget");
	bad = all_there(argc > 1 ? (unsigned int)atoi(argv[1]) : 20000);
	if (argc == 1) {
		bad |= overflow();
		bad |= pages();
	}
	msgctl(queue, IPC_RMID, NULL);
	return bad;
}
