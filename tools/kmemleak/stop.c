/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stop.c - ptrace every thread of a process to a halt and read its registers.
 *
 * The thread list can grow while we attach, so it is read again until a pass
 * over it finds nobody new: a thread that exists then was created by one that
 * is stopped now, and a stopped thread creates none. Threads that are ending
 * are the opposite case. Attaching to one fails or never reports a stop; it
 * runs no more code of the program and is left out.
 */
#include "kmemleak/stop.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_TIMEOUT_NS UINT64_C(3000000000)
#define MAX_XSTATE_BYTES (16u << 10) /* AVX-512 needs 2.7 KB, AMX 11 KB */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int fail(struct stop *s, int err, const char *what)
{
	snprintf(s->message, sizeof(s->message), "PID %d (%s) %s", s->pid, s->comm, what);
	return err;
}

/* ---- /proc ----------------------------------------------------------------------------- */

/* First bytes of a /proc file as a string. Return: length, -1 on failure. */
static ssize_t read_proc(const char *path, char *buf, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, bytes - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

pid_t stop_tracer_of(pid_t pid)
{
	char path[48], text[4096];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_proc(path, text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "\nTracerPid:");
	return line ? (pid_t)strtol(line + strlen("\nTracerPid:"), NULL, 10) : 0;
}

char stop_stat_state(const char *text)
{
	const char *p = strrchr(text, ')');

	return p && p[1] == ' ' ? p[2] : 0;
}

bool stop_thread_ended(pid_t pid, pid_t tid)
{
	char path[64], text[512];
	char state;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (read_proc(path, text, sizeof(text)) <= 0)
		return true;
	state = stop_stat_state(text);
	return state == 'Z' || state == 'X';
}

/* ptrace said no: find out why, in one line. */
static int fail_permission(struct stop *s)
{
	char path[48], comm[32] = "?", what[160], *newline;
	pid_t tracer = stop_tracer_of(s->pid);

	if (!tracer && geteuid() == 0)
		return fail(s, -EPERM, "may not be stopped: ptrace() is refused even to root, by a seccomp filter "
				       "or for lack of CAP_SYS_PTRACE");
	if (!tracer)
		return fail(s, -EPERM, "may not be stopped: another user's process, or forbidden by "
				       "kernel.yama.ptrace_scope; run as root");
	if (tracer == getpid())
		return fail(s, -EPERM, "is given twice");
	snprintf(path, sizeof(path), "/proc/%d/comm", tracer);
	if (read_proc(path, comm, sizeof(comm)) > 0) {
		newline = strchr(comm, '\n');
		if (newline)
			*newline = '\0';
	}
	snprintf(what, sizeof(what), "is already traced by PID %d (%s): detach that debugger first", tracer, comm);
	return fail(s, -EPERM, what);
}

/* ---- attaching -------------------------------------------------------------------------- */

static bool known(const struct stop *s, pid_t tid)
{
	/* New threads get higher ids and come last in the directory: look from the end. */
	for (size_t i = s->nr_threads; i > 0; i--)
		if (s->threads[i - 1].tid == tid)
			return true;
	return false;
}

static int add_thread(struct stop *s, pid_t tid)
{
	if (s->nr_threads == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 64;
		struct stop_thread *more = realloc(s->threads, capacity * sizeof(*more));

		if (!more)
			return fail(s, -ENOMEM, "cannot be stopped: out of memory");
		s->threads = more;
		s->capacity = capacity;
	}
	s->threads[s->nr_threads++] = (struct stop_thread){ .tid = tid, .state = STOP_SEIZED };
	return 0;
}

static int seize(struct stop *s, pid_t tid)
{
	int err = add_thread(s, tid);

	if (err)
		return err;
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL)) {
		s->threads[s->nr_threads - 1].state = STOP_GONE;
		if (errno == ESRCH || stop_thread_ended(s->pid, tid))
			return 0;
		return fail_permission(s);
	}
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) && errno != ESRCH)
		return fail(s, -errno, "cannot be interrupted");
	return 0;
}

/* Attach to the threads that are not yet known. Return: how many, or -errno. */
static int seize_new(struct stop *s)
{
	char path[32];
	struct dirent *entry;
	int found = 0, err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", s->pid);
	dir = opendir(path);
	if (!dir)
		return fail(s, -ESRCH, "has ended");
	while (!err && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0 || known(s, tid))
			continue;
		err = seize(s, tid);
		found++;
	}
	closedir(dir);
	return err ? err : found;
}

/* ---- waiting ---------------------------------------------------------------------------- */

/* What waitpid() reported. A signal on its way to the thread is kept, not swallowed. */
static void note_status(struct stop_thread *t, int status)
{
	if (!WIFSTOPPED(status)) {
		t->state = STOP_GONE;
		return;
	}
	t->state = STOP_HELD;
	t->signal = (status >> 16) == 0 ? WSTOPSIG(status) : 0;
}

/* Look once at every thread that has not reported. Return: how many are still missing. */
static size_t poll_threads(struct stop *s, bool check_ended)
{
	size_t missing = 0;

	for (size_t i = 0; i < s->nr_threads; i++) {
		struct stop_thread *t = &s->threads[i];
		int status;
		pid_t got;

		if (t->state != STOP_SEIZED)
			continue;
		got = waitpid(t->tid, &status, __WALL | WNOHANG);
		if (got == t->tid)
			note_status(t, status);
		else if (got < 0 || (check_ended && stop_thread_ended(s->pid, t->tid)))
			t->state = STOP_GONE;
		else
			missing++;
	}
	return missing;
}

static bool wait_threads(struct stop *s, uint64_t timeout_ns)
{
	uint64_t deadline = now_ns() + timeout_ns;
	long sleep_ns = 10000;
	unsigned int rounds = 0;

	while (poll_threads(s, ++rounds % 32 == 0)) {
		struct timespec ts = { .tv_nsec = sleep_ns };

		if (now_ns() > deadline)
			return false;
		nanosleep(&ts, NULL);
		if (sleep_ns < 1000000)
			sleep_ns += sleep_ns / 4;
	}
	return true;
}

/* ---- registers -------------------------------------------------------------------------- */

static int read_registers(struct stop *s, struct stop_thread *t)
{
	struct user_regs_struct regs;
	struct iovec general = { .iov_base = &regs, .iov_len = sizeof(regs) };
	struct iovec extended = { .iov_len = MAX_XSTATE_BYTES };
	size_t head = sizeof(regs) / sizeof(uint64_t);

	t->words = calloc(head + MAX_XSTATE_BYTES / sizeof(uint64_t), sizeof(uint64_t));
	if (!t->words)
		return fail(s, -ENOMEM, "cannot be stopped: out of memory");
	if (ptrace(PTRACE_GETREGSET, t->tid, (void *)NT_PRSTATUS, &general)) {
		/* Killed while it was held. */
		t->state = STOP_GONE;
		return 0;
	}
	memcpy(t->words, &regs, sizeof(regs));
	t->nr_words = head;
	t->sp = regs.rsp;
	t->thread_ptr = regs.fs_base;
	/* A function call that ends in a system call has given up its vector registers: what they hold is stale. */
	if ((int64_t)regs.orig_rax >= 0)
		return 0;
	extended.iov_base = t->words + head;
	if (!ptrace(PTRACE_GETREGSET, t->tid, (void *)NT_X86_XSTATE, &extended))
		t->nr_words += extended.iov_len / sizeof(uint64_t);
	return 0;
}

/* ---- the whole -------------------------------------------------------------------------- */

static void block_signals(struct stop *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	s->masked = sigprocmask(SIG_BLOCK, &set, &s->saved_mask) == 0;
}

static size_t count_held(const struct stop *s)
{
	size_t held = 0;

	for (size_t i = 0; i < s->nr_threads; i++)
		held += s->threads[i].state == STOP_HELD;
	return held;
}

int stop_all(struct stop *s, pid_t pid, const char *comm)
{
	int found;

	memset(s, 0, sizeof(*s));
	s->pid = pid;
	s->comm = comm;
	block_signals(s);
	s->start_ns = now_ns();
	while ((found = seize_new(s)) > 0)
		if (!wait_threads(s, STOP_TIMEOUT_NS))
			return fail(s, -ETIMEDOUT, "does not stop: a thread is frozen or in an uninterruptible wait; "
						   "try again");
	for (size_t i = 0; !found && i < s->nr_threads; i++)
		if (s->threads[i].state == STOP_HELD)
			found = read_registers(s, &s->threads[i]);
	if (!found && !count_held(s))
		return fail(s, -ESRCH, "has ended");
	return found;
}

bool stop_intact(const struct stop *s)
{
	for (size_t i = 0; i < s->nr_threads; i++) {
		const struct stop_thread *t = &s->threads[i];
		unsigned long message;

		/* Any request does: it is refused for a thread that is not stopped. */
		if (t->state == STOP_HELD && ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &message))
			return false;
	}
	return true;
}

/* Detach. Killed meanwhile: it is ours until we have taken note, and its parent would wait for that. */
static void let_go(struct stop_thread *t)
{
	if (t->state == STOP_HELD && ptrace(PTRACE_DETACH, t->tid, NULL, (void *)(intptr_t)t->signal))
		t->state = STOP_SEIZED;
}

uint64_t stop_resume(struct stop *s)
{
	uint64_t held_ns = 0;

	/* After a failure some may still be on their way to the stop; one that is not there yet cannot be let go. */
	if (s->nr_threads)
		wait_threads(s, STOP_TIMEOUT_NS / 10);
	for (size_t i = 0; i < s->nr_threads; i++)
		let_go(&s->threads[i]);
	if (s->nr_threads) {
		held_ns = now_ns() - s->start_ns;
		wait_threads(s, STOP_TIMEOUT_NS / 10);
	}
	for (size_t i = 0; i < s->nr_threads; i++)
		free(s->threads[i].words);
	free(s->threads);
	s->threads = NULL;
	s->nr_threads = s->capacity = 0;
	if (s->masked)
		sigprocmask(SIG_SETMASK, &s->saved_mask, NULL);
	s->masked = false;
	return held_ns;
}
