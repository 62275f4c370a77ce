/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.c - opening and reading the sources of slabtop.
 */
#include "slabtop/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/kcaches.h"
#include "slabtop/rates.h"

#define SLABINFO "/proc/slabinfo"

static int fail(struct session *s, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(struct session *s, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->message, sizeof(s->message), format, args);
	va_end(args);
	return err;
}

/* ---- the kernel ---------------------------------------------------------------------------- */

static int slabinfo_unreadable(struct session *s, int err)
{
	if (err == EACCES || err == EPERM)
		return fail(s, -err, SLABINFO " cannot be read: %s; run as root, or show a process with -p PID",
			    strerror(err));
	if (err == ENOENT)
		return fail(s, -err, "no " SLABINFO ": /proc is not mounted, or the kernel has CONFIG_SLUB_TINY");
	return fail(s, -err, SLABINFO " cannot be read: %s", strerror(err));
}

/* The whole file as a string (free it), or NULL with errno. */
static char *read_slabinfo(void)
{
	int fd = open(SLABINFO, O_RDONLY | O_CLOEXEC);
	size_t len = 0, room = 128u << 10;
	char *text = fd < 0 ? NULL : malloc(room + 1);
	ssize_t n = fd < 0 ? -1 : 0;
	int err;

	while (text && (n = read(fd, text + len, room - len)) > 0) {
		char *more;

		len += (size_t)n;
		if (len < room)
			continue;
		more = realloc(text, 2 * room + 1);
		if (!more) {
			n = -1;
			break;
		}
		text = more;
		room *= 2;
	}
	err = errno;
	if (fd >= 0)
		close(fd);
	if (n < 0 || !text) {
		free(text);
		errno = err;
		return NULL;
	}
	text[len] = '\0';
	return text;
}

static int add_slabinfo(struct session *s, struct rows *rows)
{
	char *text = read_slabinfo();
	int err;

	if (!text)
		return slabinfo_unreadable(s, errno);
	err = rows_add_slabinfo(rows, &s->kernel, text);
	free(text);
	if (err == -EINVAL)
		return fail(s, err, SLABINFO " has an unknown format");
	return err ? fail(s, err, "out of memory") : 0;
}

static int add_kernel(struct session *s, struct rows *rows)
{
	const struct kmem_cache_info *info;
	size_t nr;
	int err;

	if (!s->kcaches)
		return add_slabinfo(s, rows);
	err = kcaches_read(s->kcaches, &info, &nr, s->message, sizeof(s->message));
	if (err)
		return err;
	err = rows_add_kcaches(rows, &s->kernel, info, nr);
	for (size_t i = 0; !err && i < rows->nr; i++)
		rows->row[i].nr_aliases = kcaches_aliases(s->kcaches, rows->row[i].name, &rows->row[i].aliases);
	return err ? fail(s, err, "out of memory") : 0;
}

/* Take the walker if it knows more than slabinfo does; say why when it does not. */
static int open_kernel(struct session *s)
{
	char why[256] = "";
	int err;

	s->kernel = (struct row_source){ .kind = ROW_KERNEL, .label = "kernel" };
	snprintf(s->kernel_note, sizeof(s->kernel_note), "ACTIVE as in " SLABINFO);
	if (s->options->active == ACTIVE_SLABINFO)
		return 0;
	err = kcaches_open(&s->kcaches, NULL, why, sizeof(why));
	if (!err && kcaches_source(s->kcaches) != KCACHES_SLABINFO) {
		s->kernel_true = true;
		snprintf(s->kernel_note, sizeof(s->kernel_note), "true ACTIVE (BPF %s)",
			 kcaches_source_name(kcaches_source(s->kcaches)));
		return 0;
	}
	if (!err) {
		snprintf(why, sizeof(why), "%s", kcaches_why(s->kcaches));
		kcaches_close(s->kcaches);
	}
	s->kcaches = NULL;
	if (s->options->active == ACTIVE_TRUE)
		return fail(s, err ? err : -ENOTSUP, "no true ACTIVE of the kernel: %s", why);
	snprintf(s->kernel_note, sizeof(s->kernel_note), "ACTIVE counts per-CPU objects, too: %s", why);
	return 0;
}

/* ---- processes ------------------------------------------------------------------------------- */

static void name_source(struct row_source *source, const struct target *t, const char *module)
{
	char label[sizeof(source->label)];

	snprintf(label, sizeof(label), "%s:%d%s%.14s", t->comm, t->pid, t->nr_roots > 1 ? "/" : "",
		 t->nr_roots > 1 ? module : "");
	*source = (struct row_source){ .kind = ROW_PROCESS, .pid = t->pid };
	memcpy(source->label, label, sizeof(label));
}

static int find_heaps(struct session_process *p)
{
	int err = target_find_roots(&p->target);

	for (unsigned int i = 0; i < p->nr_heaps; i++)
		heap_close(&p->heaps[i].heap);
	p->nr_heaps = 0;
	if (err)
		return err;
	for (unsigned int i = 0; i < p->target.nr_roots; i++) {
		name_source(&p->heaps[i].source, &p->target, p->target.roots[i].module);
		heap_init(&p->heaps[i].heap, &p->target, p->target.roots[i].addr);
	}
	p->nr_heaps = p->target.nr_roots;
	return 0;
}

static int open_process(struct session *s, struct session_process *p, pid_t pid)
{
	int err = target_open(&p->target, pid);

	if (!err)
		err = find_heaps(p);
	return err ? fail(s, err, "%s", p->target.message) : 0;
}

static int read_heaps(struct session_process *p)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < p->nr_heaps; i++)
		err = heap_read(&p->heaps[i].heap);
	return err;
}

/* A root that is no more in a process that lives: it has called exec, look again once. */
static int read_process(struct session_process *p)
{
	int err = read_heaps(p);

	if (err != -ENOENT && err != -EFAULT && err != -EPROTO)
		return err;
	err = target_reload_maps(&p->target);
	if (!err)
		err = find_heaps(p);
	return err ? err : read_heaps(p);
}

static void drop_process(struct session *s, struct session_process *p)
{
	snprintf(s->gone_note, sizeof(s->gone_note), "%s", p->target.message);
	for (unsigned int i = 0; i < p->nr_heaps; i++)
		heap_close(&p->heaps[i].heap);
	p->nr_heaps = 0;
	target_close(&p->target);
}

/* A process that ends just now is noticed by the next update. */
static int add_pools(struct session *s, struct session_process *p)
{
	for (unsigned int k = 0; k < p->nr_heaps; k++) {
		int err = pools_add_heap(&s->spare, &p->heaps[k].source, &p->heaps[k].heap);

		if (err && err != -ESRCH)
			return fail(s, err, "%s", p->target.message);
	}
	return 0;
}

static int add_processes(struct session *s, struct rows *rows)
{
	unsigned int alive = 0;
	int err = 0;

	for (unsigned int i = 0; i < s->nr_processes; i++) {
		struct session_process *p = &s->processes[i];
		int failed;

		if (!p->nr_heaps)
			continue;
		failed = read_process(p);
		if (failed) {
			err = failed;
			drop_process(s, p);
			continue;
		}
		alive++;
		for (unsigned int k = 0; k < p->nr_heaps; k++)
			if (rows_add_heap(rows, &p->heaps[k].source, &p->heaps[k].heap))
				return fail(s, -ENOMEM, "out of memory");
		failed = s->with_pools ? add_pools(s, p) : 0;
		if (failed)
			return failed;
	}
	if (s->nr_processes && !alive)
		return fail(s, err ? err : -ESRCH, "%s", s->gone_note);
	return 0;
}

/* ---- the session --------------------------------------------------------------------------------- */

int session_open(struct session *s, const struct options *options)
{
	*s = (struct session){ .options = options, .with_pools = options->pools };
	if (options->nr_pids) {
		s->processes = calloc(options->nr_pids, sizeof(*s->processes));
		if (!s->processes)
			return fail(s, -ENOMEM, "out of memory");
		s->nr_processes = options->nr_pids;
	}
	for (unsigned int i = 0; i < options->nr_pids; i++) {
		int err = open_process(s, &s->processes[i], options->pids[i]);

		if (err)
			return err;
	}
	if (options->kernel) {
		int err = open_kernel(s);

		if (err)
			return err;
	}
	return options->kernel && options->rates ? rates_open(&s->rates, s->message, sizeof(s->message)) : 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

int session_read(struct session *s)
{
	struct rows fresh = s->before;
	struct pools pools;
	int err = 0;

	/* The older table's room is used again; it is forgotten only when the new one is complete. */
	rows_clear(&fresh);
	pools_clear(&s->spare);
	fresh.ns = now_ns();
	if (s->options->kernel)
		err = add_kernel(s, &fresh);
	if (!err)
		err = add_processes(s, &fresh);
	if (err) {
		rows_clear(&fresh);
		s->before = fresh;
		return err;
	}
	s->before = s->rows;
	s->rows = fresh;
	pools = s->pools;
	s->pools = s->spare;
	s->spare = pools;
	if (s->before.nr)
		rows_rates(&s->rows, &s->before);
	return s->rates ? rates_read(s->rates, &s->rows, &s->kernel, s->message, sizeof(s->message)) : 0;
}

size_t session_nr_sources(const struct session *s)
{
	size_t nr = s->options->kernel ? 1 : 0;

	for (unsigned int i = 0; i < s->nr_processes; i++)
		nr += s->processes[i].nr_heaps;
	return nr;
}

const struct row_source *session_source(const struct session *s, size_t i)
{
	if (s->options->kernel && !i--)
		return &s->kernel;
	for (unsigned int k = 0; k < s->nr_processes; k++) {
		const struct session_process *p = &s->processes[k];

		if (i < p->nr_heaps)
			return &p->heaps[i].source;
		i -= p->nr_heaps;
	}
	return NULL;
}

const struct heap *session_heap_of(const struct session *s, const struct row_source *source)
{
	for (unsigned int i = 0; i < s->nr_processes; i++)
		for (unsigned int k = 0; k < s->processes[i].nr_heaps; k++)
			if (&s->processes[i].heaps[k].source == source)
				return &s->processes[i].heaps[k].heap;
	return NULL;
}

const char *session_note(struct session *s)
{
	if (s->gone_note[0])
		return s->gone_note;
	if (s->options->kernel) {
		if (!s->rates || !rates_missed(s->rates))
			return s->kernel_note;
		snprintf(s->note, sizeof(s->note), "%s; rates lack %" PRIu64 " events", s->kernel_note,
			 rates_missed(s->rates));
		return s->note;
	}
	for (unsigned int i = 0; i < s->nr_processes; i++)
		for (unsigned int k = 0; k < s->processes[i].nr_heaps; k++) {
			const struct kmem_observe *root = &s->processes[i].heaps[k].heap.root;

			if (!root->state)
				return "libkmem is loaded but has not been used yet";
			if (!root->rseq)
				return "true ACTIVE; no rseq: per-CPU caching is off";
		}
	return "true ACTIVE";
}

void session_close(struct session *s)
{
	for (unsigned int i = 0; i < s->nr_processes; i++) {
		struct session_process *p = &s->processes[i];

		for (unsigned int k = 0; k < p->nr_heaps; k++)
			heap_close(&p->heaps[k].heap);
		target_close(&p->target);
	}
	free(s->processes);
	kcaches_close(s->kcaches);
	rates_close(s->rates);
	rows_free(&s->rows);
	rows_free(&s->before);
	pools_free(&s->pools);
	pools_free(&s->spare);
	s->processes = NULL;
	s->nr_processes = 0;
	s->kcaches = NULL;
	s->rates = NULL;
}
