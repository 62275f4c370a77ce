/* SPDX-License-Identifier: BSD-2-Clause */
/* tracee.c - see tracee.h. */
#include "kmemtrace/tracee.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
		 PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define HOLD_TRIES   400
#define HOLD_WAIT_MS 3000

/* ---- lists ------------------------------------------------------------------------------------ */

static struct tracee_thread *find(const struct tracees *ts, pid_t tid)
{
	for (size_t i = 0; i < ts->nr; i++)
		if (ts->threads[i].tid == tid)
			return &ts->threads[i];
	return NULL;
}

static struct tracee_thread *add(struct tracees *ts, pid_t tid, pid_t pid)
{
	struct tracee_thread *t = find(ts, tid);

	if (!t && ts->nr == ts->room) {
		size_t room = ts->room ? 2 * ts->room : 64;
		void *more = realloc(ts->threads, room * sizeof(*ts->threads));

		if (!more)
			return NULL;
		ts->threads = more;
		ts->room = room;
	}
	if (!t) {
		t = &ts->threads[ts->nr++];
		*t = (struct tracee_thread){ .tid = tid };
	}
	t->pid = pid;
	return t;
}

static size_t process_index(const struct tracees *ts, pid_t pid)
{
	size_t i;

	for (i = 0; i < ts->nr_processes && ts->processes[i].pid != pid; i++)
		;
	return i;
}

static bool add_process(struct tracees *ts, pid_t pid)
{
	if (process_index(ts, pid) < ts->nr_processes)
		return true;
	if (ts->nr_processes == ts->processes_room) {
		size_t room = ts->processes_room ? 2 * ts->processes_room : 16;
		void *more = realloc(ts->processes, room * sizeof(*ts->processes));

		if (!more)
			return false;
		ts->processes = more;
		ts->processes_room = room;
	}
	memset(&ts->processes[ts->nr_processes], 0, sizeof(*ts->processes));
	ts->processes[ts->nr_processes++].pid = pid;
	return true;
}

static size_t count_threads(const struct tracees *ts, pid_t pid)
{
	size_t nr = 0;

	for (size_t i = 0; i < ts->nr; i++)
		nr += ts->threads[i].pid == pid;
	return nr;
}

/* An exiting one that goes on is no more, but for the kernel: of the first thread that is told when all have ended. */
static bool is_gone(const struct tracee_thread *t)
{
	return t->exiting && t->state == TRACEE_RUNS;
}

static size_t count_alive(const struct tracees *ts, pid_t pid)
{
	size_t nr = 0;

	for (size_t i = 0; i < ts->nr; i++)
		nr += ts->threads[i].pid == pid && !is_gone(&ts->threads[i]);
	return nr;
}

static void remove_thread(struct tracees *ts, struct tracee_thread *t)
{
	*t = ts->threads[--ts->nr];
}

bool tracees_has(const struct tracees *ts, pid_t pid)
{
	return count_threads(ts, pid) > 0;
}

void tracees_init(struct tracees *ts, const struct tracee_handlers *handlers, void *context)
{
	*ts = (struct tracees){ .handlers = handlers, .context = context };
}

/* ---- one thread ------------------------------------------------------------------------------- */

static void go_on(struct tracees *ts, struct tracee_thread *t)
{
	size_t i = process_index(ts, t->pid);
	bool step = i < ts->nr_processes && ts->processes[i].step;

	ptrace(step && !t->exiting ? PTRACE_SYSCALL : PTRACE_CONT, t->tid, NULL, (void *)(uintptr_t)t->signal);
	t->state = TRACEE_RUNS;
	t->signal = 0;
}

/* Its system call, if it is in one. */
static uint64_t call_of(pid_t tid)
{
	struct user_regs_struct regs;

	return ptrace(PTRACE_GETREGS, tid, NULL, &regs) ? 0 : regs.orig_rax;
}

static bool is_busy(const struct tracees *ts, const struct tracee_thread *t)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs))
		return false;
	return ts->handlers->busy(ts->context, t->pid, &(struct tracee_regs){ regs.rip, regs.rsp, regs.rbp });
}

static unsigned long message_of(pid_t tid)
{
	unsigned long message = 0;

	ptrace(PTRACE_GETEVENTMSG, tid, NULL, &message);
	return message;
}

/* ---- events ----------------------------------------------------------------------------------- */

/* A thread or process was made; its own first stop comes before or after this. */
static void on_clone(struct tracees *ts, struct tracee_thread *t, int event)
{
	pid_t child = (pid_t)message_of(t->tid), parent = t->pid;
	struct tracee_thread *c = find(ts, child);
	bool early = c && c->state == TRACEE_STOPPED;

	if (event == PTRACE_EVENT_CLONE) {
		c = add(ts, child, parent);
		if (c && early)
			go_on(ts, c);
		return;
	}
	if (!add_process(ts, child))
		return;
	c = add(ts, child, child);
	if (!c)
		return;
	if (!early) {
		int status;

		/* The child stops before its first instruction. */
		if (waitpid(child, &status, __WALL) != child || !WIFSTOPPED(status))
			return;
		c->state = TRACEE_STOPPED;
	}
	ts->handlers->forked(ts->context, child, parent, event == PTRACE_EVENT_VFORK);
	c = find(ts, child);
	if (c)
		go_on(ts, c);
}

/* All other threads are gone, and the one that called exec has the process's id now. */
static void on_exec(struct tracees *ts, pid_t pid)
{
	struct tracee_thread *t;

	for (size_t i = ts->nr; i--;)
		if (ts->threads[i].pid == pid && ts->threads[i].tid != pid)
			remove_thread(ts, &ts->threads[i]);
	t = add(ts, pid, pid);
	if (t)
		t->state = TRACEE_STOPPED;
	ts->handlers->execed(ts->context, pid);
}

/* Does the process end, or a thread of many? */
static bool process_ends(const struct tracees *ts, const struct tracee_thread *t)
{
	unsigned long status = message_of(t->tid);

	return call_of(t->tid) == SYS_exit_group || (status & 0x7f) || count_alive(ts, t->pid) == 1;
}

/* The last thread waits here until the others are gone: then the memory stands still. */
static void finish_exit(struct tracees *ts, pid_t pid)
{
	size_t p = process_index(ts, pid);
	struct tracee_thread *last = NULL;

	if (p == ts->nr_processes || !ts->processes[p].leaving || count_alive(ts, pid) != 1)
		return;
	for (size_t i = 0; i < ts->nr; i++)
		if (ts->threads[i].pid == pid && !is_gone(&ts->threads[i]))
			last = &ts->threads[i];
	if (!last || !last->exiting || last->state != TRACEE_STOPPED)
		return;
	ts->processes[p].leaving = false;
	ts->handlers->exiting(ts->context, pid, !ts->processes[p].busy);
	last = find(ts, last->tid);
	if (last)
		go_on(ts, last);
}

static void on_exit_stop(struct tracees *ts, struct tracee_thread *t)
{
	size_t p = process_index(ts, t->pid);
	pid_t pid = t->pid;

	t->exiting = true;
	if (p == ts->nr_processes) {
		go_on(ts, t);
		return;
	}
	if (is_busy(ts, t))
		ts->processes[p].busy = true;
	if (!ts->processes[p].leaving && process_ends(ts, t)) {
		ts->processes[p].leaving = true;
		finish_exit(ts, pid);
		return;
	}
	if (!ts->processes[p].leaving || count_alive(ts, pid) > 1)
		go_on(ts, t);
	finish_exit(ts, pid);
}

/* Job control stops the process as it would without us. */
static void on_stop_event(struct tracees *ts, struct tracee_thread *t, int signal)
{
	if (signal != SIGTRAP && !ptrace(PTRACE_LISTEN, t->tid, NULL, NULL)) {
		t->state = TRACEE_LISTENS;
		return;
	}
	go_on(ts, t);
}

static void on_stop(struct tracees *ts, struct tracee_thread *t, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	pid_t tid = t->tid, pid = t->pid;

	t->state = TRACEE_STOPPED;
	switch (event) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		on_clone(ts, t, event);
		break;
	case PTRACE_EVENT_EXEC:
		on_exec(ts, pid);
		break;
	case PTRACE_EVENT_EXIT:
		on_exit_stop(ts, t);
		return;
	case PTRACE_EVENT_STOP:
		on_stop_event(ts, t, signal);
		return;
	default:
		if (signal != SYSCALL_STOP) {
			t->signal = signal;
			break;
		}
		ts->handlers->stepped(ts->context, pid, call_of(tid));
	}
	t = find(ts, tid);
	if (t)
		go_on(ts, t);
}

static void on_end(struct tracees *ts, struct tracee_thread *t, int status)
{
	pid_t pid = t->pid;
	size_t p;

	remove_thread(ts, t);
	p = process_index(ts, pid);
	if (count_threads(ts, pid)) {
		finish_exit(ts, pid);
		return;
	}
	if (p < ts->nr_processes)
		ts->processes[p] = ts->processes[--ts->nr_processes];
	ts->handlers->ended(ts->context, pid, status);
}

static void on_status(struct tracees *ts, pid_t tid, int status)
{
	struct tracee_thread *t = find(ts, tid);

	/* Made by a thread whose own event is still to come: it waits for that. */
	if (!t && WIFSTOPPED(status)) {
		t = add(ts, tid, 0);
		if (t)
			t->state = TRACEE_STOPPED;
		return;
	}
	if (!t)
		return;
	if (WIFSTOPPED(status))
		on_stop(ts, t, status);
	else
		on_end(ts, t, status);
}

void tracees_poll(struct tracees *ts)
{
	pid_t tid;
	int status;

	while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
		on_status(ts, tid, status);
}

void tracees_step(struct tracees *ts, pid_t pid, bool on)
{
	size_t p = process_index(ts, pid);

	if (p < ts->nr_processes)
		ts->processes[p].step = on;
}

/* ---- hold ------------------------------------------------------------------------------------- */

static void nap(long us)
{
	struct timespec ts = { 0, us * 1000 };

	nanosleep(&ts, NULL);
}

/* A thread of a process that is being held has stopped: how? Return false if it has ended. */
static bool keep(struct tracees *ts, struct tracee_thread *t, int status)
{
	int event = status >> 16;

	if (!WIFSTOPPED(status)) {
		on_end(ts, t, status);
		return false;
	}
	t->state = TRACEE_STOPPED;
	switch (event) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		on_clone(ts, t, event);
		break;
	case PTRACE_EVENT_EXEC:
		on_exec(ts, t->pid);
		break;
	case PTRACE_EVENT_EXIT:
		t->exiting = true;
		break;
	case 0:
		if (WSTOPSIG(status) != SYSCALL_STOP)
			t->signal = WSTOPSIG(status);
		break;
	default:
		break;
	}
	return true;
}

/* Until the thread has stopped. False: it has ended, or does not stop. */
static bool stop_thread(struct tracees *ts, pid_t tid)
{
	struct tracee_thread *t = find(ts, tid);
	int status;

	if (!t || t->state == TRACEE_STOPPED)
		return t;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) && errno == ESRCH)
		return false;
	for (int i = 0; i < HOLD_WAIT_MS * 20; i++) {
		pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

		if (got == tid)
			return keep(ts, t, status);
		if (got < 0)
			return false;
		if (i > 20)
			nap(50);
	}
	return false;
}

/* Stop a thread somewhere where it is not busy. */
static bool quiet_thread(struct tracees *ts, pid_t tid, bool *held)
{
	for (int i = 0; i < HOLD_TRIES; i++) {
		struct tracee_thread *t;

		*held = stop_thread(ts, tid);
		t = find(ts, tid);
		if (!*held || !t || t->exiting)
			return !t;
		if (!is_busy(ts, t))
			return true;
		go_on(ts, t);
		nap(i % 7);
	}
	return false;
}

bool tracees_hold(struct tracees *ts, pid_t pid)
{
	bool quiet = true, any = true, held;

	/* Threads may be made meanwhile: until a pass finds all of them stopped. */
	while (any) {
		any = false;
		for (size_t i = 0; i < ts->nr; i++) {
			struct tracee_thread *t = &ts->threads[i];

			if (t->pid != pid || t->state == TRACEE_STOPPED || is_gone(t))
				continue;
			any = true;
			if (quiet_thread(ts, t->tid, &held))
				break;
			quiet = false;
			t = find(ts, t->tid);
			/* It would not leave, or does not answer: stopped wherever it is, or left out. */
			if (t && !stop_thread(ts, t->tid)) {
				t = find(ts, t->tid);
				if (t)
					t->state = TRACEE_STOPPED;
			}
			break;
		}
	}
	return quiet && count_alive(ts, pid);
}

void tracees_release(struct tracees *ts, pid_t pid)
{
	for (size_t i = 0; i < ts->nr; i++) {
		struct tracee_thread *t = &ts->threads[i];

		if (t->pid == pid && t->state == TRACEE_STOPPED && !t->exiting)
			go_on(ts, t);
	}
	/* Those that were met on their way out. */
	for (size_t i = ts->nr; i--;)
		if (i < ts->nr && ts->threads[i].pid == pid && ts->threads[i].exiting && !is_gone(&ts->threads[i]))
			on_exit_stop(ts, &ts->threads[i]);
}

/* ---- begin and end ---------------------------------------------------------------------------- */

static int fail(char *err, size_t len, int error, const char *what, pid_t pid)
{
	snprintf(err, len, "PID %d: %s: %s", pid, what, strerror(-error));
	return error;
}

/* One pass over the threads. Return how many were new, or -errno. */
static int seize_threads(struct tracees *ts, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	while ((entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);

		if (tid <= 0 || find(ts, tid))
			continue;
		if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)(uintptr_t)OPTIONS)) {
			if (errno == ESRCH)
				continue;
			closedir(dir);
			return nr ? nr : -errno;
		}
		add(ts, tid, pid);
		nr++;
	}
	closedir(dir);
	return nr;
}

int tracees_seize(struct tracees *ts, pid_t pid, char *err, size_t len)
{
	int nr = add_process(ts, pid) ? seize_threads(ts, pid) : -ENOMEM;

	if (nr < 0)
		return fail(err, len, nr, nr == -EPERM ? "cannot be followed (is a debugger or strace attached?)" :
			    "cannot be followed", pid);
	while (nr > 0)
		nr = seize_threads(ts, pid);
	return count_threads(ts, pid) ? 0 : fail(err, len, -ESRCH, "cannot be followed", pid);
}

static void run_child(char *const argv[], const char *preload, const int go[2], int why)
{
	const char *old = getenv("LD_PRELOAD");
	char *list, byte;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	close(go[1]);
	if (read(go[0], &byte, 1) != 1)
		_exit(127);
	close(go[0]);
	if (preload && asprintf(&list, "%s%s%s", preload, old ? ":" : "", old ? old : "") > 0)
		setenv("LD_PRELOAD", list, 1);
	execvp(argv[0], argv);
	_exit(write(why, &errno, sizeof(errno)) == sizeof(errno) ? 127 : 126);
}

/* Until it has executed its program. Return its pid, or -ENOENT when it ended before. */
static pid_t await_exec(struct tracees *ts, pid_t pid)
{
	int status;

	for (;;) {
		struct tracee_thread *t;

		if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			return -ENOENT;
		t = add(ts, pid, pid);
		if (!t)
			return -ENOMEM;
		if (status >> 16 == PTRACE_EVENT_EXEC) {
			on_exec(ts, pid);
			return pid;
		}
		t->exiting = status >> 16 == PTRACE_EVENT_EXIT;
		if (!(status >> 16))
			t->signal = WSTOPSIG(status);
		go_on(ts, t);
	}
}

pid_t tracees_launch(struct tracees *ts, char *const argv[], const char *preload, char *err, size_t len)
{
	int go[2], why[2], ret = 0, reason = 0;
	pid_t pid;

	snprintf(err, len, "%s cannot be started", argv[0]);
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(why, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return -EMFILE;
	}
	pid = fork();
	if (!pid)
		run_child(argv, preload, go, why[1]);
	close(go[0]);
	close(why[1]);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)OPTIONS))
		ret = -errno;
	else if (!add_process(ts, pid) || write(go[1], "", 1) != 1)
		ret = -ENOMEM;
	close(go[1]);
	if (ret) {
		snprintf(err, len, "%s cannot be started: %s", argv[0], strerror(-ret));
		if (pid > 0)
			waitpid(pid, NULL, 0);
		close(why[0]);
		return ret;
	}
	ret = await_exec(ts, pid);
	if (ret < 0 && read(why[0], &reason, sizeof(reason)) == sizeof(reason))
		snprintf(err, len, "%s cannot be started: %s", argv[0], strerror(reason));
	close(why[0]);
	return ret;
}

void tracees_detach(struct tracees *ts)
{
	for (size_t i = 0; i < ts->nr; i++) {
		pid_t tid = ts->threads[i].tid;

		if (ts->threads[i].state != TRACEE_STOPPED)
			stop_thread(ts, tid);
		if (i < ts->nr && ts->threads[i].tid == tid)
			ptrace(PTRACE_DETACH, tid, NULL, (void *)(uintptr_t)ts->threads[i].signal);
		else
			i--;
	}
	free(ts->threads);
	free(ts->processes);
	*ts = (struct tracees){ .handlers = ts->handlers, .context = ts->context };
}
