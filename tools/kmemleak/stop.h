/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stop.h - hold all threads of another process still, read their registers,
 * let them go.
 *
 *   struct stop s;
 *   int err = stop_all(&s, pid, comm);
 *   ... read memory; s.threads[] have the registers ...
 *   stop_resume(&s);                   always, also after a failure
 *
 * The threads are ptrace-seized, which sends no signal. While they are held,
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT of the caller are blocked, so that an
 * interrupt cannot leave the target stopped; and if the caller is killed, the
 * kernel resumes the target. What a stopped thread notices is what any debugger
 * causes: epoll_wait, semop and sigtimedwait return EINTR, other waits resume.
 */
#ifndef KMEMLEAK_STOP_H
#define KMEMLEAK_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum stop_state {
	STOP_SEIZED, /* attached, has not reported its stop yet */
	STOP_HELD,   /* stopped: registers are valid */
	STOP_GONE,   /* ended before it could be stopped */
};

struct stop_thread {
	pid_t tid;
	enum stop_state state;
	int signal;          /* to be delivered on resume, 0 none */
	uint64_t sp;         /* stack pointer */
	uint64_t thread_ptr; /* %fs base: the thread control block, at the top end of a pthread stack */
	uint64_t *words;     /* general registers, then the extended state (vector registers) */
	size_t nr_words;
};

struct stop {
	pid_t pid;
	const char *comm;
	struct stop_thread *threads;
	size_t nr_threads, capacity;
	uint64_t start_ns; /* CLOCK_MONOTONIC, before the first thread was interrupted */
	sigset_t saved_mask;
	bool masked;
	char message[256]; /* the last failure: one line, no newline */
};

/*
 * Stop every thread of `pid`, also those that are created meanwhile, and read
 * the registers. `comm` is for messages and must outlive the stop. Return 0;
 * -ESRCH the process ended; -EPERM not allowed, or traced by another process
 * (the message names it); -ETIMEDOUT a thread did not stop within three
 * seconds; -ENOMEM. Call stop_resume() in any case.
 */
int stop_all(struct stop *s, pid_t pid, const char *comm);

/*
 * True while every thread that was stopped still is. SIGKILL, exit or exec of
 * the target end a stop: what was read since may be that of a process whose
 * memory is being torn down, and means nothing.
 */
bool stop_intact(const struct stop *s);

/*
 * Let all threads go on, free the registers. Return: nanoseconds since the
 * first thread was interrupted, 0 when nothing was held. Harmless on a zeroed
 * or resumed struct.
 */
uint64_t stop_resume(struct stop *s);

/* PID of the process that traces `pid`, from /proc/PID/status; 0 none or unknown. */
pid_t stop_tracer_of(pid_t pid);

/* Has this thread ended, or is it the zombie of a leader whose other threads live on? */
bool stop_thread_ended(pid_t pid, pid_t tid);

/*
 * Run state letter in the text of a /proc stat file: it follows the last ')',
 * since a command name may contain anything. 0 when the text is malformed.
 */
char stop_stat_state(const char *text);

#endif
