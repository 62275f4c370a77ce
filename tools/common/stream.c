// SPDX-License-Identifier: BSD-2-Clause
/*
 * stream.c - attaches to the batch probe, and reads buffers from the ring and,
 * at the end, those that are not full from the process's memory.
 *
 * A buffer is known by its address and the time it was begun. What was seen of it
 * before is skipped: records from before the attach, and those of a buffer that
 * was delivered in part at exit and filled up afterwards.
 */
#include "common/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/bpfenv.h"
#include "common/probe_file.h"
#include "kmem_event.h"

#pragma GCC diagnostic push /* generated code */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "batch.skel.h"
#pragma GCC diagnostic pop

#define RING_BYTES  (64u << 20)
#define MAX_PLACES  8
#define MAX_CPUS    4096
#define HEADER      offsetof(struct kmem_batch, record)
#define OFFSET_MASK ((uint64_t)KMEM_BATCH_BYTES - 1)

_Static_assert(KMEM_BATCH_BUFFER_BYTES == KMEM_BATCH_BYTES && KMEM_BATCH_HEADER_BYTES == HEADER &&
	       KMEM_BATCH_RECORD_BYTES == sizeof(struct kmem_batch_record), "the BPF side's copy of the sizes");

/* What was seen of a CPU's buffer that will come again. */
struct seen {
	uint64_t address, tsc_first;
	uint32_t records;
};

/* Of processes that have ended: taking one back waits for a tenth of a second. */
struct leftovers {
	struct bpf_link *links[MAX_PLACES];
	struct leftovers *next;
};

struct process {
	struct target *target;
	struct kmem_batches batches;
	uint64_t root;       /* address of those */
	unsigned int shift;  /* log2 of the distance of cursors */
	struct seen *seen;   /* by CPU */
	struct bpf_link *links[MAX_PLACES];
	bool attached;
};

struct stream {
	struct stream_options options;
	struct batch_bpf *skel;
	struct ring_buffer *ring;
	struct process process[KMEM_MAX_TARGETS];
	size_t nr_processes;
	struct stream_totals totals;
	stream_handler *handle; /* during a poll */
	void *context;
	struct kmem_batch scratch;
	pthread_t reaper;
	bool has_reaper;
	pthread_mutex_t lock;    /* of what follows */
	pthread_cond_t more;
	struct leftovers *leftovers;
	bool closing;
};

int stream_open(struct stream **stream, const struct stream_options *options, char *err, size_t len)
{
	struct stream *s = calloc(1, sizeof(*s));

	bpfenv_init();
	if (!s)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	if (options)
		s->options = *options;
	if (!s->options.ring_bytes)
		s->options.ring_bytes = RING_BYTES;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	*stream = s;
	return 0;
}

/* ---- buffers ---- */

/* Hand over the records of a buffer that were not seen yet. `again`: it will come once more, with more. */
static void take(struct stream *s, struct process *p, uint64_t address, const struct kmem_batch *b, uint32_t records,
		 bool again)
{
	struct seen *seen;
	uint32_t skip = 0;

	if (b->cpu >= p->batches.nr_cpus || records > KMEM_BATCH_RECORDS)
		return;
	seen = &p->seen[b->cpu];
	if (seen->address == address && seen->tsc_first == b->tsc_first)
		skip = seen->records < records ? seen->records : records;
	/* A whole one that was delivered later than its successor leaves alone what is known of that. */
	if (again || skip)
		*seen = (struct seen){ address, b->tsc_first, records };
	if (skip == records)
		return;
	s->totals.delivered += records - skip;
	if (!s->handle)
		return;
	/* Nearly all are whole, and are read where they are. */
	if (!skip && b->seq && b->count == records) {
		s->handle(s->context, p->target->pid, b, records);
		return;
	}
	memcpy(&s->scratch, b, HEADER);
	/* One that was not full does not say when it was. */
	if (!b->seq)
		s->scratch.tsc_last = __builtin_ia32_rdtsc();
	memcpy(s->scratch.record, b->record + skip, (records - skip) * sizeof(b->record[0]));
	s->scratch.count = records - skip;
	s->handle(s->context, p->target->pid, &s->scratch, records - skip);
}

static int on_chunk(void *stream, void *data, size_t len)
{
	const struct kmem_batch_chunk *chunk = data;
	struct stream *s = stream;

	if (len >= sizeof(*chunk) && chunk->target < s->nr_processes && s->process[chunk->target].target)
		take(s, &s->process[chunk->target], chunk->address, (const void *)chunk->bytes, chunk->records,
		     chunk->records < KMEM_BATCH_RECORDS);
	return 0;
}

/* The buffer that a CPU is filling, as it is now. Return: its records; -errno. */
static int read_current(struct process *p, unsigned int cpu, struct kmem_batch *b, uint64_t *address)
{
	uint64_t cursor;
	int err = target_read(p->target, p->batches.cursors + ((uint64_t)cpu << p->shift), &cursor, sizeof(cursor));

	if (err)
		return err;
	if (!cursor)
		return 0;
	/* At the very end: full, and delivered by the next event. */
	*address = (cursor - 1) & ~OFFSET_MASK;
	err = target_read(p->target, *address, b, sizeof(*b));
	if (err)
		return err;
	return (int)((cursor - *address - HEADER) / sizeof(b->record[0]));
}

/* What is in the buffers already is not ours. */
static void mark_old(struct stream *s, struct process *p)
{
	unsigned int cpu;

	for (cpu = 0; cpu < p->batches.nr_cpus; cpu++) {
		uint64_t address = 0;
		int records = read_current(p, cpu, &s->scratch, &address);

		if (records > 0)
			p->seen[cpu] = (struct seen){ address, s->scratch.tsc_first, (uint32_t)records };
	}
}

static void take_tails(struct stream *s, struct process *p)
{
	struct kmem_batch *b = calloc(1, sizeof(*b));
	unsigned int cpu;

	for (cpu = 0; b && cpu < p->batches.nr_cpus; cpu++) {
		uint64_t address = 0;
		int records = read_current(p, cpu, b, &address);

		if (records > 0 && b->cpu == cpu)
			take(s, p, address, b, (uint32_t)records, true);
	}
	free(b);
}

/* ---- attach ---- */

static int load(struct stream *s, char *err, size_t len)
{
	int ret;

	if (s->skel)
		return 0;
	s->skel = batch_bpf__open();
	if (!s->skel)
		return bpfenv_error(err, len, -errno, "open the BPF object of the event stream");
	ret = bpf_map__set_max_entries(s->skel->maps.ring, s->options.ring_bytes);
	if (!ret)
		ret = batch_bpf__load(s->skel);
	if (!ret) {
		s->ring = ring_buffer__new(bpf_map__fd(s->skel->maps.ring), on_chunk, s, NULL);
		ret = s->ring ? 0 : -errno;
	}
	if (!ret)
		return 0;
	batch_bpf__destroy(s->skel);
	s->skel = NULL;
	return bpfenv_error(err, len, ret, "load the programs of the event stream");
}

static int write_mode(struct process *p, uint32_t mode, char *err, size_t len)
{
	struct iovec local = { &mode, sizeof(mode) };
	struct iovec remote = { (void *)(uintptr_t)(p->root + offsetof(struct kmem_batches, mode)), sizeof(mode) };

	if (process_vm_writev(p->target->pid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(mode))
		return 0;
	return bpfenv_fail(err, len, -errno, "PID %d: cannot say how to record: %s", p->target->pid, strerror(errno));
}

/* Whether the process still is the program that was attached to. */
static bool is_there(struct process *p, struct kmem_batches *now)
{
	return !target_read(p->target, p->root, now, sizeof(*now)) && now->cursors == p->batches.cursors &&
	       now->buffers == p->batches.buffers && now->nr_cpus == p->batches.nr_cpus;
}

/* As it is without an observer. */
static void reset_mode(struct process *p)
{
	struct kmem_batches now;
	char err[320];

	if (is_there(p, &now))
		write_mode(p, 0, err, sizeof(err));
}

static int read_batches(struct process *p, const struct target_root *root, char *err, size_t len)
{
	p->root = root->observe.batches;
	p->shift = root->observe.percpu_shift;
	if (!p->root)
		return bpfenv_fail(err, len, -EPROTO, "PID %d: its libkmem has no batch probe: use this release's",
				   p->target->pid);
	if (target_read(p->target, p->root, &p->batches, sizeof(p->batches)))
		return bpfenv_fail(err, len, -EIO, "%s", p->target->message);
	if (!p->batches.nr_cpus || p->batches.nr_cpus > MAX_CPUS || p->shift > 40)
		return bpfenv_fail(err, len, -EPROTO, "PID %d: its event buffers are damaged", p->target->pid);
	p->seen = calloc(p->batches.nr_cpus, sizeof(*p->seen));
	return p->seen ? 0 : bpfenv_fail(err, len, -ENOMEM, "out of memory");
}

/* Whether a place of the batch probe only lends its name to another probe's semaphore. */
static bool is_loan(const struct probe_file *file, const struct usdt_probe *place)
{
	size_t i;

	for (i = 0; i < file->nr_probes; i++)
		if (strcmp(file->probes[i].name, "batch") && file->probes[i].semaphore == place->semaphore)
			return true;
	return false;
}

static int attach_place(struct stream *s, struct process *p, const struct probe_file *file,
			const struct usdt_probe *place, size_t at, char *err, size_t len)
{
	struct bpf_program *program = at ? s->skel->progs.library_batch_place : s->skel->progs.library_batch;
	LIBBPF_OPTS(bpf_uprobe_opts, opts,
		.ref_ctr_offset = place->semaphore,
		.bpf_cookie = (uint64_t)(p - s->process));

	p->links[at] = bpf_program__attach_uprobe_opts(program, p->target->pid, file->path, place->site, &opts);
	return p->links[at] ? 0 : bpfenv_error(err, len, -errno, "attach to libkmem's batch probe");
}

/* The probe's own place last: the loans divert calls, it is what makes them recorded, unless that is stopped. */
static int attach_places(struct stream *s, struct process *p, const struct probe_file *file, char *err, size_t len)
{
	const struct usdt_probe *own = NULL;
	size_t i, at = 1;
	int ret = 0;

	for (i = 0; i < file->nr_probes && !ret; i++) {
		const struct usdt_probe *place = &file->probes[i];

		if (strcmp(place->name, "batch"))
			continue;
		if (!is_loan(file, place))
			own = place;
		else if (at < MAX_PLACES)
			ret = attach_place(s, p, file, place, at++, err, len);
	}
	if (!ret && !own)
		ret = bpfenv_fail(err, len, -EPROTO, "%s has no probe kmem:batch: rebuild libkmem with probes", file->name);
	if (ret)
		return ret;
	ret = attach_place(s, p, file, own, 0, err, len);
	mark_old(s, p);
	return ret;
}

static void unlink_all(struct process *p)
{
	size_t i;

	for (i = 0; i < MAX_PLACES; i++) {
		bpf_link__destroy(p->links[i]);
		p->links[i] = NULL;
	}
	p->attached = false;
}

/* A place that no process has, the first time or again. */
static struct process *free_process(struct stream *s)
{
	size_t i;

	for (i = 0; i < s->nr_processes; i++)
		if (!s->process[i].target)
			return &s->process[i];
	return s->nr_processes < KMEM_MAX_TARGETS ? &s->process[s->nr_processes] : NULL;
}

int stream_attach(struct stream *s, struct target *t, const struct target_root *root, char *err, size_t len)
{
	struct process *p = free_process(s);
	struct probe_file file;
	int ret;

	if (!p)
		return bpfenv_fail(err, len, -ENOSPC, "more than %d processes", KMEM_MAX_TARGETS);
	*p = (struct process){ .target = t };
	ret = read_batches(p, root, err, len);
	if (ret) {
		*p = (struct process){ 0 };
		return ret;
	}
	ret = load(s, err, len);
	if (!ret)
		ret = write_mode(p, s->options.mode | KMEM_BATCH_STOPPED, err, len);
	if (!ret)
		ret = probe_file_find(t->pid, "kmem", root->addr, &file, err, len);
	if (!ret) {
		ret = attach_places(s, p, &file, err, len);
		probe_file_free(&file);
	}
	/* From here on. */
	if (!ret)
		ret = write_mode(p, s->options.mode & ~(uint32_t)KMEM_BATCH_STOPPED, err, len);
	if (ret) {
		unlink_all(p);
		reset_mode(p);
		free(p->seen);
		*p = (struct process){ 0 };
		return ret;
	}
	p->attached = true;
	if (p == &s->process[s->nr_processes])
		s->nr_processes++;
	return 0;
}

/* ---- reading ---- */

size_t stream_poll(struct stream *s, stream_handler *handle, void *context)
{
	int nr;

	s->handle = handle;
	s->context = context;
	nr = s->ring ? ring_buffer__consume(s->ring) : 0;
	s->handle = NULL;
	return nr > 0 ? (size_t)nr : 0;
}

static void end_process(struct stream *s, struct process *p)
{
	struct kmem_batches now;

	if (!is_there(p, &now)) {
		s->totals.tails_lost += p->batches.nr_cpus;
		return;
	}
	take_tails(s, p);
	s->totals.no_buffer += now.lost;
}

/* No record from here on; those that are being written get the time to. Buffers that fill are still delivered. */
static void stop_recording(struct stream *s)
{
	const struct timespec moment = { 0, 2000000 };
	struct kmem_batches now;
	char err[320];
	size_t i;

	for (i = 0; i < s->nr_processes; i++)
		if (s->process[i].attached && is_there(&s->process[i], &now))
			write_mode(&s->process[i], s->options.mode | KMEM_BATCH_STOPPED, err, sizeof(err));
	nanosleep(&moment, NULL);
}

void stream_detach(struct stream *s, stream_handler *handle, void *context)
{
	size_t i;

	stop_recording(s);
	for (i = 0; i < s->nr_processes; i++)
		if (s->process[i].attached) {
			bpf_link__destroy(s->process[i].links[0]);
			s->process[i].links[0] = NULL;
		}
	stream_poll(s, handle, context);
	s->handle = handle;
	s->context = context;
	for (i = 0; i < s->nr_processes; i++)
		if (s->process[i].attached) {
			end_process(s, &s->process[i]);
			unlink_all(&s->process[i]);
			reset_mode(&s->process[i]);
		}
	s->handle = NULL;
}

static struct process *find_process(struct stream *s, pid_t pid)
{
	size_t i;

	for (i = 0; i < s->nr_processes; i++)
		if (s->process[i].attached && s->process[i].target->pid == pid)
			return &s->process[i];
	return NULL;
}

void stream_sync(struct stream *s, pid_t pid, stream_handler *handle, void *context)
{
	struct process *p = find_process(s, pid);

	stream_poll(s, handle, context);
	if (!p)
		return;
	s->handle = handle;
	s->context = context;
	take_tails(s, p);
	s->handle = NULL;
}

static void *reap(void *stream)
{
	struct stream *s = stream;

	pthread_mutex_lock(&s->lock);
	while (s->leftovers || !s->closing) {
		struct leftovers *one = s->leftovers;

		if (!one) {
			pthread_cond_wait(&s->more, &s->lock);
			continue;
		}
		s->leftovers = one->next;
		pthread_mutex_unlock(&s->lock);
		for (int i = 0; i < MAX_PLACES; i++)
			bpf_link__destroy(one->links[i]);
		free(one);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Return false: it has to be done here. */
static bool leave_to_reaper(struct stream *s, struct process *p)
{
	struct leftovers *one = calloc(1, sizeof(*one));

	if (one && !s->has_reaper)
		s->has_reaper = !pthread_create(&s->reaper, NULL, reap, s);
	if (!one || !s->has_reaper) {
		free(one);
		return false;
	}
	memcpy(one->links, p->links, sizeof(one->links));
	pthread_mutex_lock(&s->lock);
	one->next = s->leftovers;
	s->leftovers = one;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	return true;
}

void stream_forget(struct stream *s, pid_t pid, bool synced, stream_handler *handle, void *context)
{
	struct process *p = find_process(s, pid);

	stream_poll(s, handle, context);
	if (!p)
		return;
	s->handle = handle;
	s->context = context;
	if (!synced)
		end_process(s, p);
	s->handle = NULL;
	if (!leave_to_reaper(s, p))
		unlink_all(p);
	free(p->seen);
	*p = (struct process){ 0 };
}

int stream_read_totals(struct stream *s, struct stream_totals *totals, char *err, size_t len)
{
	struct kmem_batch_totals *cpus;
	int nr = libbpf_num_possible_cpus(), i, ret = 0;
	uint32_t zero = 0;

	*totals = s->totals;
	if (!s->skel)
		return 0;
	cpus = nr > 0 ? calloc((size_t)nr, sizeof(*cpus)) : NULL;
	if (!cpus)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	ret = bpf_map__lookup_elem(s->skel->maps.totals, &zero, sizeof(zero), cpus, (size_t)nr * sizeof(*cpus), 0);
	for (i = 0; i < nr && !ret; i++) {
		totals->lost += cpus[i].lost;
		totals->unreadable += cpus[i].unreadable;
	}
	free(cpus);
	return ret ? bpfenv_error(err, len, ret, "read the totals of the event stream") : 0;
}

void stream_close(struct stream *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->nr_processes; i++) {
		unlink_all(&s->process[i]);
		free(s->process[i].seen);
	}
	if (s->has_reaper) {
		pthread_mutex_lock(&s->lock);
		s->closing = true;
		pthread_cond_signal(&s->more);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->reaper, NULL);
	}
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	ring_buffer__free(s->ring);
	batch_bpf__destroy(s->skel);
	free(s);
}
