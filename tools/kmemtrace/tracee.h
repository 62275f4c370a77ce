/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracee.h - processes under ptrace: started, followed through fork, exec and
 * exit, and held still for a moment.
 *
 *	tracees_init(&ts, &handlers, context);
 *	tracees_seize(&ts, pid, ...) or tracees_launch(&ts, argv, ...);
 *	while (...)
 *		tracees_poll(&ts);             often; SIGCHLD says when
 *	tracees_detach(&ts);
 *
 * Threads run free between events: only fork, clone, exec, exit and signals stop
 * one until the next tracees_poll(). If the caller is killed, all go on. One thread only.
 */
#ifndef KMEMTRACE_TRACEE_H
#define KMEMTRACE_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum tracee_state {
	TRACEE_RUNS,
	TRACEE_STOPPED, /* by us: at an event, or held */
	TRACEE_LISTENS, /* in a stop of job control */
};

struct tracee_thread {
	pid_t tid, pid;
	enum tracee_state state;
	int signal;       /* to be delivered when it goes on */
	bool exiting;     /* on its way through exit: memory is still there */
};

/* Instruction, stack and frame pointer. */
struct tracee_regs {
	uint64_t ip, sp, fp;
};

/*
 * Handlers run while the thread that caused them stands still; the others of its process may run.
 * `borrowed`: the memory is its parent's (vfork), until it execs.
 */
struct tracee_handlers {
	void (*forked)(void *context, pid_t pid, pid_t parent, bool borrowed);
	void (*execed)(void *context, pid_t pid);
	/* Before and after each system call, of this number, of a process that tracees_step() was asked for. */
	void (*stepped)(void *context, pid_t pid, uint64_t call);
	/* All threads but one have ended, and that one will. `quiet`: none was in the way (see tracees_hold()). */
	void (*exiting)(void *context, pid_t pid, bool quiet);
	void (*ended)(void *context, pid_t pid, int wait_status);
	/* Whether a thread is in code that must be left first. */
	bool (*busy)(void *context, pid_t pid, const struct tracee_regs *regs);
};

struct tracees {
	const struct tracee_handlers *handlers;
	void *context;
	struct tracee_thread *threads;
	size_t nr, room;
	struct { pid_t pid; bool step, leaving, busy; } *processes;
	size_t nr_processes, processes_room;
};

void tracees_init(struct tracees *ts, const struct tracee_handlers *handlers, void *context);

/* Follow a running process from now on. Return 0 or -errno with one line in err[len]; -EPERM: not allowed, or traced. */
int tracees_seize(struct tracees *ts, pid_t pid, char *err, size_t len);

/*
 * Start a program; it stands still before its first instruction (execed() was called).
 * `preload`: put in front of LD_PRELOAD, NULL none. Return its pid, or -errno with one line in err[len].
 */
pid_t tracees_launch(struct tracees *ts, char *const argv[], const char *preload, char *err, size_t len);

/* Handle what has happened. */
void tracees_poll(struct tracees *ts);

/* Call stepped() at system calls of this process, or no more. */
void tracees_step(struct tracees *ts, pid_t pid, bool on);

/*
 * Stop all threads of a process where handlers->busy() is false for each: those that
 * are busy go on for an instant and are stopped again. Return true if they all were
 * found so, false if one would not leave, or the process ends. All stand still in any case.
 */
bool tracees_hold(struct tracees *ts, pid_t pid);
void tracees_release(struct tracees *ts, pid_t pid);

/* Is a process (still) followed? */
bool tracees_has(const struct tracees *ts, pid_t pid);

/* Let all go on without us, and free everything. */
void tracees_detach(struct tracees *ts);

#endif
