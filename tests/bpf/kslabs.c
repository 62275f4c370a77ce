/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kslabs.c - which objects are live, against objects that we hold; single slabs, against the walker's sums.
 *
 * usage: kslabs [-v]     exit 0 pass, 1 fail, 77 no BPF here
 *
 * Sends and receives messages (kmalloc) in a random pattern; the event stream tells their addresses, hence which are
 * live. Timers are freed by kfree_rcu(), of which no event tells: they must be seen to go all the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/bpfenv.h"
#include "common/kslabs.h"
#include "common/kstream.h"

#define NR       600
#define QUEUES   100 /* a queue holds 16 KiB only */
#define BODY     952 /* 1000 with its header */
#define STEPS    20
#define NR_TIMER 100
#define NR_LARGE 8
#define MAX_SEEN (1 << 16)
#define TRIES    100

struct object {
	uint64_t address, cache;
	bool live;
};

static char err[256];
static struct kcaches *kc;
static struct kslabs *ks;
static struct kstream *stream;
static struct object seen[MAX_SEEN];
static size_t nr_seen;
static uint32_t want_bytes; /* follow allocations of so many bytes */
static bool want_large;     /* or all of whole pages */
static int queues[QUEUES];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void check(int ret)
{
	if (!ret)
		return;
	printf("kslabs: %s\n", err);
	exit(ret == -EPERM || ret == -EACCES || ret == -ENOTSUP ? 77 : 1);
}

static struct object *find(uint64_t address)
{
	size_t i;

	for (i = 0; i < nr_seen; i++)
		if (seen[i].address == address)
			return &seen[i];
	return NULL;
}

static void on_event(void *context, const struct kmem_kernel_event *e)
{
	struct object *o = find(e->address);

	(void)context;
	if (e->type == KMEM_EV_KFREE || e->type == KMEM_EV_CACHE_FREE) {
		if (o)
			o->live = false;
		return;
	}
	if (want_large ? e->cache != KMEM_KEY_LARGE : e->bytes_req != want_bytes) {
		if (o) /* somebody else's now */
			*o = seen[--nr_seen];
		return;
	}
	if (!o && nr_seen < MAX_SEEN)
		o = &seen[nr_seen++];
	if (o)
		*o = (struct object){ e->address, e->cache, true };
}

static void message(unsigned int i, bool hold)
{
	struct {
		long type;
		char body[BODY];
	} msg = { .type = 1 + (long)(i / QUEUES) };
	int queue = queues[i % QUEUES];

	if (hold ? msgsnd(queue, &msg, BODY, IPC_NOWAIT) : msgrcv(queue, &msg, BODY, msg.type, IPC_NOWAIT) != BODY)
		die("message");
}

static const char *const verdicts[] = { "unknown", "live", "free", "gone", "waiting" };

/* All objects that were followed; returns how many verdicts are wrong. Free is right, and gone, for what is not live. */
static unsigned int compare(bool print)
{
	static struct kmem_object_check checks[MAX_SEEN];
	unsigned int wrong = 0;
	size_t i;

	for (i = 0; i < nr_seen; i++)
		checks[i] = (struct kmem_object_check){ .address = seen[i].address, .cache = seen[i].cache };
	check(kslabs_check(ks, checks, nr_seen, err, sizeof(err)));
	for (i = 0; i < nr_seen; i++) {
		bool live = checks[i].verdict == KMEM_OBJECT_LIVE;

		if (checks[i].verdict == KMEM_OBJECT_UNKNOWN)
			exit(77);
		if (live == seen[i].live)
			continue;
		wrong++;
		if (print && wrong < 5)
			printf("kslabs: %#" PRIx64 " is %s, but %s\n", seen[i].address, seen[i].live ? "live" : "free",
			       verdicts[checks[i].verdict]);
	}
	return wrong;
}

/* From now on, allocations of so many bytes. */
static void follow(uint32_t bytes)
{
	kstream_poll(stream, on_event, NULL);
	nr_seen = 0;
	want_bytes = bytes;
}

static unsigned int settle(void)
{
	unsigned int wrong, try;

	kstream_poll(stream, on_event, NULL);
	/* Others allocate from this cache, too, and may have taken what we gave back. */
	for (try = 0; try < TRIES; try++) {
		wrong = compare(try == TRIES - 1);
		if (!wrong)
			break;
		usleep(5000);
	}
	return wrong;
}

static int check_messages(void)
{
	static bool held[NR];
	unsigned int step, i, wrong = 0;
	size_t live = 0;

	follow(48 + BODY);
	for (step = 0; step < STEPS; step++) {
		for (i = 0; i < NR; i++)
			if (rand() % 2) {
				held[i] = !held[i];
				message(i, held[i]);
			}
		wrong += settle();
	}
	for (i = 0; i < nr_seen; i++)
		live += seen[i].live;
	printf("messages: %zu objects followed, %zu live, %u verdicts wrong in %d steps\n", nr_seen, live, wrong, STEPS);
	for (i = 0; i < NR; i++)
		if (held[i])
			message(i, false);
	wrong += settle();
	return wrong || live < NR / 4 || !nr_seen;
}

/* No event tells of their end. */
static int check_timers(void)
{
	int fds[NR_TIMER], i, waited;
	unsigned int live = 0, before;

	/* 216 bytes on 6.1 to 6.18: what a new timer allocates besides goes by other sizes. */
	follow(0);
	for (i = 0; i < NR_TIMER; i++) {
		want_bytes = 0;
		kstream_poll(stream, on_event, NULL);
		want_bytes = 216;
		fds[i] = timerfd_create(CLOCK_MONOTONIC, 0);
		if (fds[i] < 0)
			die("timerfd_create");
		kstream_poll(stream, on_event, NULL);
	}
	before = compare(true);
	for (i = 0; i < NR_TIMER; i++)
		close(fds[i]);
	kstream_poll(stream, on_event, NULL);
	for (i = 0; i < (int)nr_seen; i++)
		live += seen[i].live;
	printf("timers: %zu followed, %u wrong while open, %u without an event of their end", nr_seen, before, live);
	for (i = 0; i < (int)nr_seen; i++)
		seen[i].live = false;
	/* kfree_rcu() takes seconds; its memory may be somebody else's by then. */
	for (waited = 0; waited < 60 && compare(false) > nr_seen / 10; waited++)
		sleep(1);
	printf(", %u live in the end\n", compare(false));
	if (nr_seen < NR_TIMER) {
		printf("timers: this kernel's are of another size\n");
		return 0;
	}
	return before || waited == 60;
}

static int check_large(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0), i;
	socklen_t len = sizeof(addr);
	static char data[9000];
	unsigned int wrong, nr, live = 0;

	if (in < 0 || out < 0 || bind(in, (void *)&addr, len) || getsockname(in, (void *)&addr, &len))
		die("socket");
	want_large = true;
	follow(0);
	for (i = 0; i < NR_LARGE; i++)
		if (sendto(out, data, sizeof(data), 0, (void *)&addr, len) < 0)
			die("sendto");
	kstream_poll(stream, on_event, NULL);
	wrong = compare(true);
	nr = (unsigned int)nr_seen;
	for (i = 0; i < NR_LARGE / 2; i++)
		if (recv(in, data, sizeof(data), 0) < 0)
			die("recv");
	kstream_poll(stream, on_event, NULL);
	for (i = 0; i < (int)nr_seen; i++)
		live += seen[i].live;
	printf("large: %u followed, %u wrong, %u left\n", nr, wrong, live);
	close(in);
	close(out);
	want_large = false;
	return wrong || nr < NR_LARGE || live >= nr;
}

/* The slabs of a cache add up to its row; what is free lies in one of them. Returns false if the cache moved meanwhile. */
static bool adds_up(const struct kmem_cache_info *row, const struct kmem_slab_info *slabs, size_t nr)
{
	uint64_t count[3] = { 0 }, free[3] = { 0 };
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct kmem_slab_info *s = &slabs[i];

		if (s->place > KMEM_SLAB_CPU_PARTIAL || s->inuse > s->objects || s->address & 4095 || !s->address)
			return false;
		count[s->place]++;
		free[s->place] += s->objects - s->inuse + s->cpu_free;
	}
	return count[KMEM_SLAB_NODE_PARTIAL] == row->node_partial && free[KMEM_SLAB_NODE_PARTIAL] == row->partial_free &&
	       count[KMEM_SLAB_CPU] == row->cpu_slabs && free[KMEM_SLAB_CPU] == row->cpu_free &&
	       count[KMEM_SLAB_CPU_PARTIAL] == row->cpu_partial_slabs &&
	       free[KMEM_SLAB_CPU_PARTIAL] == row->cpu_partial_free;
}

static int check_slabs(void)
{
	static bool done[4096];
	const struct kmem_cache_info *rows;
	const struct kmem_slab_info *slabs;
	size_t i, nr, nr_slabs, left = 1, total = 0;
	int try;

	for (try = 0; try < TRIES && left; try++) {
		check(kcaches_read(kc, &rows, &nr, err, sizeof(err)));
		for (i = 0, left = 0; i < nr && i < 4096; i++) {
			if (done[i])
				continue;
			check(kslabs_list(ks, rows[i].cache, &slabs, &nr_slabs, err, sizeof(err)));
			done[i] = adds_up(&rows[i], slabs, nr_slabs);
			left += !done[i];
			total += done[i] ? nr_slabs : 0;
			if (!done[i] && try == TRIES - 1)
				printf("kslabs: %s: %zu slabs do not add up\n", rows[i].name, nr_slabs);
		}
		usleep(left ? 5000 : 0);
	}
	printf("slabs: %zu of %zu caches add up, %zu slabs\n", nr - left, nr, total);
	/* Reading itself allocates from two; on a busy machine some others are never still. */
	return left > 12 || !total;
}

int main(int argc, char **argv)
{
	const struct kstream_options options = { .pid = getpid() };
	int i, bad;

	bpfenv_set_verbose(argc > 1 && !strcmp(argv[1], "-v"));
	check(kcaches_open(&kc, NULL, err, sizeof(err)));
	if (kcaches_source(kc) == KCACHES_SLABINFO) {
		printf("kslabs: %s\n", kcaches_why(kc));
		return 77;
	}
	check(kslabs_open(&ks, kc, err, sizeof(err)));
	check(kstream_open(&stream, &options, err, sizeof(err)));
	check(kstream_attach(stream, err, sizeof(err)));
	for (i = 0; i < QUEUES; i++) {
		queues[i] = msgget(IPC_PRIVATE, 0600);
		if (queues[i] < 0)
			die("msgget");
	}
	bad = check_slabs();
	bad |= check_messages();
	bad |= check_timers();
	bad |= check_large();
	for (i = 0; i < QUEUES; i++)
		msgctl(queues[i], IPC_RMID, NULL);
	kstream_close(stream);
	kslabs_close(ks);
	kcaches_close(kc);
	return bad;
}
