/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watched.c - what watching the kernel costs: nanoseconds that each allocation event of a loop of system calls takes
 * longer while a collector is attached. usage: watched
 *
 * Prints lines "@watched COLLECTOR LOOP NS EVENTS": nanoseconds per event, events per round of the loop. Off and on are
 * measured in turn; of each the fastest of many short batches counts, so that interrupts and other programs drop out.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <time.h>
#include <unistd.h>

#include "common/collect.h"
#include "common/kobjects.h"
#include "common/kstream.h"

#define ROUNDS  200 /* of the loop in a batch */
#define BATCHES 60
#define TURNS   5

static char err[256];
static int queue;

static void check(int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "watched: %s\n", err);
	exit(1);
}

/* ---- the loops ---- */

static void messages(void)
{
	struct {
		long type;
		char data[16];
	} message = { .type = 1 };

	if (msgsnd(queue, &message, sizeof(message.data), IPC_NOWAIT) ||
	    msgrcv(queue, &message, sizeof(message.data), 0, IPC_NOWAIT) < 0)
		exit(1);
}

static void opening(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		exit(1);
	close(fd);
}

static const struct loop {
	const char *name;
	void (*run)(void);
} loops[] = { { "message", messages }, { "open", opening } };

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Nanoseconds of one round. */
static double fastest(const struct loop *loop, double best)
{
	for (int batch = 0; batch < BATCHES; batch++) {
		double start = now_ns(), took;

		for (int i = 0; i < ROUNDS; i++)
			loop->run();
		took = (now_ns() - start) / ROUNDS;
		if (took < best)
			best = took;
	}
	return best;
}

/* ---- the collectors, attached and detached ---- */

static struct collect *collect;
static struct kstream *stream;
static struct kobjects *objects;

static void count_on(void)
{
	check(collect_open(&collect, NULL, err, sizeof(err)));
	check(collect_attach_kernel(collect, err, sizeof(err)));
}

static void count_off(void)
{
	collect_close(collect);
}

static void ignore(void *context, const struct kmem_kernel_event *event)
{
	(void)context;
	(void)event;
}

static void stream_on(void)
{
	check(kstream_open(&stream, NULL, err, sizeof(err)));
	check(kstream_attach(stream, err, sizeof(err)));
}

static void stream_off(void)
{
	kstream_detach(stream, ignore, NULL);
	kstream_close(stream);
}

static void objects_on(void)
{
	check(kobjects_open(&objects, NULL, err, sizeof(err)));
	check(kobjects_attach(objects, err, sizeof(err)));
}

static void objects_off(void)
{
	kobjects_close(objects);
}

static const struct collector {
	const char *name;
	void (*on)(void), (*off)(void);
} collectors[] = { { "count", count_on, count_off }, { "stream", stream_on, stream_off }, { "objects", objects_on, objects_off } };

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Allocation events that one round causes. */
static double events_of(const struct loop *loop)
{
	const struct collect_options options = { .kernel_pid = getpid() };
	struct collect_totals totals;
	uint64_t sum = 0;

	check(collect_open(&collect, &options, err, sizeof(err)));
	check(collect_attach_kernel(collect, err, sizeof(err)));
	for (int i = 0; i < ROUNDS; i++)
		loop->run();
	collect_detach(collect);
	check(collect_read_totals(collect, KMEM_SOURCE_KERNEL, &totals, err, sizeof(err)));
	for (unsigned int type = 0; type < KMEM_EV_NR; type++)
		sum += totals.sum.events[type];
	collect_close(collect);
	return (double)((sum + ROUNDS / 2) / ROUNDS);
}

static void measure(const struct collector *collector)
{
	double off[NR(loops)], on[NR(loops)];
	size_t i;

	for (i = 0; i < NR(loops); i++)
		off[i] = on[i] = 1e12;
	for (int turn = 0; turn < TURNS; turn++) {
		for (i = 0; i < NR(loops); i++)
			off[i] = fastest(&loops[i], off[i]);
		collector->on();
		for (i = 0; i < NR(loops); i++)
			on[i] = fastest(&loops[i], on[i]);
		collector->off();
	}
	for (i = 0; i < NR(loops); i++) {
		double events = events_of(&loops[i]);

		if (events > 0)
			printf("@watched %s %s %.1f %.0f\n", collector->name, loops[i].name, (on[i] - off[i]) / events, events);
	}
}

int main(void)
{
	queue = msgget(IPC_PRIVATE, 0600);
	if (queue < 0)
		return 1;
	for (size_t i = 0; i < NR(collectors); i++)
		measure(&collectors[i]);
	msgctl(queue, IPC_RMID, NULL);
	return 0;
}
