/* SPDX-License-Identifier: BSD-2-Clause */
/* followed.c - see followed.h. */
#include "kmemtrace/followed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kmemtrace/modules.h"
#include "kmemtrace/numbers.h"
#include "kmemtrace/snapshot.h"

#define MAX_FRAMES   64
#define MAX_TEXTS    8
#define MAX_COMMAND  1024
#define MAX_CALLS    16         /* between a callback of libkmem and where a thread is */
#define MAX_STACK_BYTES (1u << 20)

struct moment {
	struct snapshot_copy *copy;
	uint64_t ticks;
	bool exact;
};

struct followed {
	pid_t pid;
	struct trace_process process;
	char command[MAX_COMMAND];
	enum followed_state state;
	struct target target;
	bool is_open;
	struct target_root root;
	struct stream *stream;
	struct trace_writer *writer;
	struct moment begin, end;
	struct snapshot kept;                    /* of the last checkpoint */
	uint64_t kept_ticks;
	bool has_kept;                           /* and nothing has happened since */
	struct { uint64_t start, end; } texts[MAX_TEXTS]; /* of libkmem */
	size_t nr_texts;
	struct modules modules;
	struct numbers stacks;                   /* by call site or handle */
	uint32_t *caches;                        /* by id: the trace's number */
	uint64_t *caches_made;                   /* by id: when the cache that has the number was made */
	uint32_t *caches_checked;                /* by id: in which round that was looked at */
	uint32_t round;
};

__attribute__((format(printf, 4, 5)))
static int fail(char *err, size_t len, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, len, format, args);
	va_end(args);
	return error;
}

struct trace_clock followed_clock(void)
{
	struct timespec ts;
	uint64_t ticks;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ticks = __builtin_ia32_rdtsc();
	return (struct trace_clock){ ticks, (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec };
}

/* ---- begin and end of life -------------------------------------------------------------------- */

struct followed *followed_new(pid_t pid, uint32_t key, uint32_t parent, struct stream *stream,
			      struct trace_writer *writer)
{
	struct followed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->pid = pid;
	f->process.pid = key;
	f->process.os_pid = (uint32_t)pid;
	f->process.parent = parent;
	f->process.command = f->command;
	f->stream = stream;
	f->writer = writer;
	f->round = 1;
	f->caches = calloc(UINT16_MAX + 1, sizeof(*f->caches));
	f->caches_made = calloc(UINT16_MAX + 1, sizeof(*f->caches_made));
	f->caches_checked = calloc(UINT16_MAX + 1, sizeof(*f->caches_checked));
	if (f->caches && f->caches_made && f->caches_checked)
		return f;
	followed_free(f);
	return NULL;
}

void followed_free(struct followed *f)
{
	if (!f)
		return;
	snapshot_drop(f->begin.copy);
	snapshot_drop(f->end.copy);
	snapshot_free(&f->kept);
	target_close(&f->target);
	modules_free(&f->modules);
	numbers_free(&f->stacks);
	free(f->caches);
	free(f->caches_made);
	free(f->caches_checked);
	free(f);
}

pid_t followed_pid(const struct followed *f)
{
	return f->pid;
}

uint32_t followed_key(const struct followed *f)
{
	return f->process.pid;
}

uint32_t followed_parent(const struct followed *f)
{
	return f->process.parent;
}

enum followed_state followed_state(const struct followed *f)
{
	return f->state;
}

/* ---- finding libkmem -------------------------------------------------------------------------- */

/* Arguments, with blanks between. */
static void read_command(struct followed *f)
{
	char path[64];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", f->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, f->command, sizeof(f->command) - 1);
		close(fd);
	}
	for (ssize_t i = 0; i + 1 < n; i++)
		if (!f->command[i])
			f->command[i] = ' ';
	f->command[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		snprintf(f->command, sizeof(f->command), "%s", f->target.comm);
}

/* The code of the file that the root is in: all its executable maps. */
static void note_texts(struct followed *f)
{
	const struct target_map *own = target_map_of(&f->target, f->root.elf);

	f->nr_texts = 0;
	for (size_t i = 0; own && i < f->target.nr_maps && f->nr_texts < MAX_TEXTS; i++) {
		const struct target_map *m = &f->target.maps[i];

		if ((m->perms & TARGET_EXEC) && m->inode == own->inode && m->device == own->device) {
			f->texts[f->nr_texts].start = m->start;
			f->texts[f->nr_texts++].end = m->end;
		}
	}
}

static bool is_text(const struct followed *f, uint64_t address)
{
	for (size_t i = 0; i < f->nr_texts; i++)
		if (address >= f->texts[i].start && address < f->texts[i].end)
			return true;
	return false;
}

bool followed_is_busy(struct followed *f, uint64_t ip, uint64_t sp, uint64_t fp)
{
	uint64_t word, frame[2];

	if (!f->nr_texts)
		return false;
	/* A function without a frame, as memset(), has its return address on top of the stack. */
	if (is_text(f, ip) || (!target_read(&f->target, sp, &word, sizeof(word)) && is_text(f, word)))
		return true;
	for (int i = 0; i < MAX_CALLS && fp >= sp && fp - sp < MAX_STACK_BYTES && !(fp & 7); i++) {
		if (target_read(&f->target, fp, frame, sizeof(frame)))
			break;
		if (is_text(f, frame[1]))
			return true;
		sp = fp + 1;
		fp = frame[0];
	}
	return false;
}

/* The root whose buffers are there; of several copies of libkmem the first. */
static int choose_root(struct followed *f)
{
	struct target *t = &f->target;
	bool ready = false;

	for (unsigned int i = 0; i < t->nr_roots; i++) {
		if (target_read_root(t, t->roots[i].addr, &t->roots[i].observe))
			continue;
		ready |= t->roots[i].observe.state != 0;
		if (t->roots[i].observe.batches) {
			f->root = t->roots[i];
			return 0;
		}
	}
	return ready ? -EPROTO : -EAGAIN;
}

int followed_find(struct followed *f, char *err, size_t len)
{
	int ret = 0;

	if (!f->is_open) {
		target_close(&f->target);
		ret = target_open(&f->target, f->pid);
		if (!ret)
			ret = target_find_roots(&f->target);
		f->is_open = !ret;
	}
	if (!ret)
		ret = choose_root(f);
	if (ret == -EPROTO && f->is_open)
		return fail(err, len, ret, "PID %d (%s): its libkmem has no event stream; use this release's", f->pid,
			    f->target.comm);
	if (ret == -EAGAIN)
		return fail(err, len, ret, "PID %d (%s) has not used its libkmem yet", f->pid, f->target.comm);
	if (ret == -ENOENT)
		return fail(err, len, ret,
			    "PID %d (%s) does not carry libkmem; link it with -lkmem, or start it with kmemtrace record --preload -c",
			    f->pid, f->target.comm);
	if (ret)
		return fail(err, len, ret, "%s", f->target.message);
	note_texts(f);
	return 0;
}

int followed_attach(struct followed *f, char *err, size_t len)
{
	int ret = stream_attach(f->stream, &f->target, &f->root, err, len);

	if (!ret)
		f->state = FOLLOWED_ATTACHED;
	return ret;
}

/* ---- numbers of caches ------------------------------------------------------------------------ */

static uint32_t special_cache(struct followed *f, uint32_t id, enum trace_cache_kind kind, const char *name)
{
	const struct trace_cache c = { .name = name, .kind = kind, .pid = f->process.pid, .id = id };

	if (!f->caches[id])
		f->caches[id] = trace_add_cache(f->writer, &c);
	return f->caches[id];
}

/* A program that was started here was attached to before its libkmem knew where all is; stacks begin with the first. */
static void complete_root(struct followed *f)
{
	if (!f->root.observe.state || !f->root.observe.depot)
		target_read_root(&f->target, f->root.addr, &f->root.observe);
}

/* An id may go to another cache when its own is destroyed. */
static uint32_t slab_cache(struct followed *f, uint32_t id)
{
	struct kmem_cache s;
	struct trace_cache c;

	if (f->caches[id] && f->caches_checked[id] == f->round)
		return f->caches[id];
	f->caches_checked[id] = f->round;
	complete_root(f);
	if (target_read(&f->target, f->root.observe.caches + (uint64_t)id * sizeof(s), &s, sizeof(s)) ||
	    (f->caches[id] && s.created_ns == f->caches_made[id]))
		return f->caches[id];
	s.name[sizeof(s.name) - 1] = '\0';
	c = (struct trace_cache){
		.name = s.name, .flags = s.flags, .kind = TRACE_CACHE_SLAB, .pid = f->process.pid, .id = id,
		.object_size = s.object_size, .size = s.size, .align = s.align, .objects = s.objects, .order = s.order,
	};
	f->caches_made[id] = s.created_ns;
	return f->caches[id] = trace_add_cache(f->writer, &c);
}

static uint32_t number_of_cache(struct followed *f, uint32_t id)
{
	switch (id) {
	case KMEM_ID_NONE:
		return 0;
	case KMEM_ID_LARGE:
	case KMEM_ID_VMALLOC:
		return special_cache(f, KMEM_ID_LARGE, TRACE_CACHE_LARGE, "(large)");
	case KMEM_ID_PAGES:
		return special_cache(f, KMEM_ID_PAGES, TRACE_CACHE_PAGES, "(pages)");
	default:
		return id < KMEM_ID_MAX ? slab_cache(f, id) : 0;
	}
}

static uint32_t name_cache(void *followed, uint32_t id)
{
	return number_of_cache(followed, id);
}

void followed_refresh(struct followed *f)
{
	f->round++;
}

/* ---- numbers of stacks ------------------------------------------------------------------------ */

static uint32_t read_stack(struct followed *f, uint64_t handle, uint64_t *frame)
{
	struct kmem_depot_record r;
	uint64_t at;

	complete_root(f);
	at = f->root.observe.depot + handle * 8;
	if (!f->root.observe.depot || target_read(&f->target, at, &r, sizeof(r)) || !r.nr || r.nr > MAX_FRAMES ||
	    target_read(&f->target, at + sizeof(r), frame, r.nr * sizeof(*frame)))
		return 0;
	return r.nr;
}

static uint32_t number_of_stack(struct followed *f, uint64_t site, bool is_handle)
{
	uint64_t frame[MAX_FRAMES] = { site };
	uint32_t *number = numbers_at(&f->stacks, site), nr = 1;

	if (!number || *number || !site)
		return number ? *number : 0;
	if (is_handle)
		nr = read_stack(f, site, frame);
	if (!nr)
		return 0;
	modules_need(&f->modules, &f->target, f->process.pid, f->writer, frame, nr);
	return *number = trace_add_stack(f->writer, f->process.pid, frame, nr);
}

static struct pack_names name_event(void *followed, const struct pack_event *e)
{
	struct followed *f = followed;

	return (struct pack_names){
		.stack = number_of_stack(f, e->site, e->flags & KMEM_BATCH_STACK),
		.cache = number_of_cache(f, e->op >= KMEM_BATCH_PAGE_ALLOC ? KMEM_ID_PAGES : e->cache),
	};
}

int followed_put(struct followed *f, const struct kmem_batch *b, uint32_t nr)
{
	if (f->state != FOLLOWED_RECORDS)
		return 0;
	f->has_kept = false;
	return trace_put_batch(f->writer, f->process.pid, b, nr, name_event, f);
}

/* ---- moments ---------------------------------------------------------------------------------- */

int followed_begin(struct followed *f, bool exact, char *err, size_t len)
{
	struct trace_clock now;
	int ret;

	f->begin.exact = exact;
	ret = snapshot_capture(&f->begin.copy, &f->target, f->root.addr);
	if (ret)
		return fail(err, len, ret, "%s", f->target.message);
	now = followed_clock();
	f->begin.ticks = now.ticks;
	f->process.begin_ns = now.ns;
	f->state = FOLLOWED_RECORDS;
	return 0;
}

void followed_sync(struct followed *f, stream_handler *handle, void *context)
{
	if (f->state == FOLLOWED_RECORDS || f->state == FOLLOWED_ATTACHED)
		stream_sync(f->stream, f->pid, handle, context);
}

void followed_checkpoint(struct followed *f, stream_handler *handle, void *context)
{
	struct snapshot_copy *copy;

	if (f->state != FOLLOWED_RECORDS)
		return;
	stream_sync(f->stream, f->pid, handle, context);
	snapshot_free(&f->kept);
	f->kept_ticks = followed_clock().ticks;
	f->has_kept = !snapshot_capture(&copy, &f->target, f->root.addr) &&
		      !snapshot_digest(copy, f->process.pid, name_cache, f, &f->kept);
}

void followed_end(struct followed *f, stream_handler *handle, void *context, bool alive, bool exact, bool gone)
{
	struct trace_clock now;

	if (f->state != FOLLOWED_RECORDS && f->state != FOLLOWED_ATTACHED)
		return;
	stream_poll(f->stream, handle, context);
	if (alive)
		stream_sync(f->stream, f->pid, handle, context);
	now = followed_clock();
	f->end.ticks = now.ticks;
	f->end.exact = exact;
	if (gone)
		f->process.end_ns = now.ns;
	f->process.cut_off = !alive && !f->has_kept;
	if (alive && f->state == FOLLOWED_RECORDS)
		snapshot_capture(&f->end.copy, &f->target, f->root.addr);
	/* What it does after the snapshot is not recorded. */
	if (alive)
		f->state = FOLLOWED_DONE;
	if (gone)
		stream_forget(f->stream, f->pid, alive || f->has_kept, handle, context);
	f->state = FOLLOWED_DONE;
}

static int write_moment(struct followed *f, enum trace_moment moment, struct moment *m)
{
	struct snapshot s;
	int ret;

	if (!m->copy)
		return 0;
	ret = snapshot_digest(m->copy, f->process.pid, name_cache, f, &s);
	m->copy = NULL;
	if (!ret)
		ret = trace_put_snapshot(f->writer, moment, f->process.pid, m->ticks, m->exact, s.objects, s.nr_objects,
					 s.blocks, s.nr_blocks);
	snapshot_free(&s);
	return ret;
}

int followed_write(struct followed *f)
{
	if (!f->command[0])
		read_command(f);
	modules_read(&f->modules, &f->target, f->process.pid, f->writer);
	write_moment(f, TRACE_BEGIN, &f->begin);
	write_moment(f, TRACE_END, &f->end);
	if (f->state == FOLLOWED_DONE && f->has_kept)
		trace_put_snapshot(f->writer, TRACE_END, f->process.pid, f->kept_ticks, true, f->kept.objects,
				   f->kept.nr_objects, f->kept.blocks, f->kept.nr_blocks);
	f->has_kept = false;
	return trace_put_process(f->writer, &f->process);
}
