/* SPDX-License-Identifier: BSD-2-Clause */
/* tracee.c - programs are followed through fork, exec and exit; they notice nothing. */
#include "kmemtrace/tracee.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(tracee, .timeout = 300);

struct seen {
	struct tracees ts;
	unsigned int forked, borrowed, execed, stepped, exiting, loud, ended;
	pid_t child, last_child;
	int status;
};

static void on_forked(void *seen, pid_t pid, pid_t parent, bool borrowed)
{
	struct seen *s = seen;

	(void)parent;
	s->forked++;
	s->borrowed += borrowed;
	s->last_child = pid;
}

static void on_execed(void *seen, pid_t pid)
{
	struct seen *s = seen;

	s->execed++;
	tracees_step(&s->ts, pid, s->execed == 2);
}

static void on_stepped(void *seen, pid_t pid, uint64_t call)
{
	struct seen *s = seen;

	(void)call;
	if (++s->stepped == 10)
		tracees_step(&s->ts, pid, false);
}

static void on_exiting(void *seen, pid_t pid, bool quiet)
{
	struct seen *s = seen;

	(void)pid;
	s->exiting++;
	s->loud += !quiet;
}

static void on_ended(void *seen, pid_t pid, int status)
{
	struct seen *s = seen;

	s->ended++;
	if (pid == s->child)
		s->status = status;
}

static bool never_busy(void *seen, pid_t pid, const struct tracee_regs *regs)
{
	(void)seen;
	(void)pid;
	(void)regs;
	return false;
}

static const struct tracee_handlers handlers = { on_forked, on_execed, on_stepped, on_exiting, on_ended, never_busy };

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
}

static struct seen run(char *const argv[])
{
	static struct seen s;
	char err[256];

	memset(&s, 0, sizeof(s));
	tracees_init(&s.ts, &handlers, &s);
	s.child = tracees_launch(&s.ts, argv, NULL, err, sizeof(err));
	cr_assert_gt(s.child, 0, "%s", err);
	tracees_release(&s.ts, s.child);
	while (tracees_has(&s.ts, s.child)) {
		tracees_poll(&s.ts);
		nap();
	}
	tracees_detach(&s.ts);
	return s;
}

#define SHELL(script) run((char *[]){ "/bin/sh", "-c", script, NULL })

Test(tracee, from_the_first_instruction_to_the_exit_code)
{
	struct seen s = SHELL("exit 7");

	cr_expect(s.execed == 1 && s.exiting == 1 && s.ended == 1 && s.forked == 0);
	cr_expect_eq(WEXITSTATUS(s.status), 7);
}

Test(tracee, children_and_exec)
{
	struct seen s = SHELL("/bin/true; (exit 3); exec /bin/true");

	cr_expect_eq(s.forked, 2);
	cr_expect_eq(s.execed, 3);
	cr_expect_eq(s.ended, 3);
	cr_expect_eq(s.stepped, 10, "the second program only: %u", s.stepped);
	cr_expect_eq(s.exiting, 3);
}

Test(tracee, signals_arrive)
{
	struct seen s = SHELL("trap 'exit 9' USR1; kill -USR1 $$; exit 1");

	cr_expect_eq(WEXITSTATUS(s.status), 9);
	s = SHELL("kill -TERM $$; sleep 100");
	cr_expect(WIFSIGNALED(s.status) && WTERMSIG(s.status) == SIGTERM);
	cr_expect_eq(s.exiting, 1, "a signal is an exit like others");
}

Test(tracee, no_such_program)
{
	struct tracees ts;
	char *argv[] = { "/nonexistent/program", NULL }, err[256] = "";

	tracees_init(&ts, &handlers, NULL);
	cr_expect_lt(tracees_launch(&ts, argv, NULL, err, sizeof(err)), 0);
	cr_expect(strstr(err, "/nonexistent/program cannot be started: No such file"), "%s", err);
	cr_expect_null(strchr(err, '\n'));
	tracees_detach(&ts);
}

static void *count_on(void *counter)
{
	for (;;)
		__atomic_fetch_add((unsigned long *)counter, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Counts in four threads, in memory that the parent sees. */
static pid_t start_counting(unsigned long *counter)
{
	pid_t pid = fork();

	if (!pid) {
		pthread_t t;

		for (int i = 0; i < 4; i++)
			pthread_create(&t, NULL, count_on, counter);
		pause();
	}
	return pid;
}

Test(tracee, a_process_is_held_and_goes_on)
{
	unsigned long *counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), before;
	struct seen s = { .child = start_counting(counter) };
	char err[256];

	while (!__atomic_load_n(counter, __ATOMIC_RELAXED))
		nap();
	tracees_init(&s.ts, &handlers, &s);
	cr_assert_eq(tracees_seize(&s.ts, s.child, err, sizeof(err)), 0, "%s", err);
	for (int i = 0; i < 20; i++) {
		cr_assert(tracees_hold(&s.ts, s.child));
		before = __atomic_load_n(counter, __ATOMIC_RELAXED);
		nap();
		cr_assert_eq(__atomic_load_n(counter, __ATOMIC_RELAXED), before, "held");
		tracees_release(&s.ts, s.child);
		while (__atomic_load_n(counter, __ATOMIC_RELAXED) == before)
			nap();
	}
	tracees_detach(&s.ts);
	before = __atomic_load_n(counter, __ATOMIC_RELAXED);
	while (__atomic_load_n(counter, __ATOMIC_RELAXED) == before)
		nap();
	kill(s.child, SIGKILL);
	waitpid(s.child, NULL, 0);
}

Test(tracee, what_cannot_be_followed)
{
	struct tracees ts;
	char err[256] = "";

	tracees_init(&ts, &handlers, NULL);
	cr_expect_eq(tracees_seize(&ts, 0x3ffffff0, err, sizeof(err)), -ESRCH);
	cr_expect(strstr(err, "cannot be followed"), "%s", err);
	tracees_detach(&ts);
}
