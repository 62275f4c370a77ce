/* SPDX-License-Identifier: BSD-2-Clause */
/* stop.c - holding the threads of a child process, and letting them go. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <criterion/criterion.h>

#include "kmemleak/stop.h"

#define MAGIC UINT64_C(0x1234567890abcdef)

static struct {
	volatile uint64_t counter[4];
	volatile int signals;
} *box; /* shared with the child */
static pid_t child;

static void *count(void *arg)
{
	volatile uint64_t *counter = arg;

	for (;;)
		__asm__ volatile("incq %0" : "+m"(*counter) : "r"(MAGIC), "D"(MAGIC) : "memory");
	return NULL;
}

static void *short_lived(void *arg)
{
	return arg;
}

static void on_signal(int nr)
{
	(void)nr;
	box->signals++;
}

/* A child with this many counting threads; churn: it also starts and joins threads all the time. */
static void start_child(int threads, bool churn)
{
	pthread_t thread;

	box = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (child)
		return;
	signal(SIGUSR1, on_signal);
	for (int i = 0; i < threads; i++)
		pthread_create(&thread, NULL, count, (void *)(uintptr_t)&box->counter[i]);
	for (;;) {
		if (churn && !pthread_create(&thread, NULL, short_lived, NULL))
			pthread_join(thread, NULL);
		else
			usleep(1000);
		box->counter[3]++;
	}
}

static void wait_for(volatile uint64_t *counter)
{
	uint64_t before = *counter;

	for (int i = 0; i < 5000 && *counter == before; i++)
		usleep(1000);
	cr_assert_neq(*counter, before);
}

static void teardown(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

TestSuite(stop, .fini = teardown, .timeout = 60);

static size_t held(const struct stop *s)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->nr_threads; i++)
		nr += s->threads[i].state == STOP_HELD;
	return nr;
}

Test(stop, all_threads_stand_still_and_go_on)
{
	struct stop s;
	uint64_t before;

	start_child(3, false);
	wait_for(&box->counter[2]);
	cr_assert_eq(stop_all(&s, child, "child"), 0, "%s", s.message);
	cr_assert_eq(held(&s), 4);
	before = box->counter[0] + box->counter[1] + box->counter[2] + box->counter[3];
	usleep(20000);
	cr_assert_eq(box->counter[0] + box->counter[1] + box->counter[2] + box->counter[3], before);
	cr_assert_eq(stop_tracer_of(child), getpid());
	cr_assert_gt(stop_resume(&s), 20000000);
	cr_assert_eq(stop_tracer_of(child), 0);
	wait_for(&box->counter[0]);
	wait_for(&box->counter[3]);
}

Test(stop, registers)
{
	struct stop s;
	size_t found = 0;

	start_child(1, false);
	wait_for(&box->counter[0]);
	cr_assert_eq(stop_all(&s, child, "child"), 0);
	for (size_t i = 0; i < s.nr_threads; i++) {
		cr_assert_neq(s.threads[i].sp, 0);
		cr_assert_neq(s.threads[i].thread_ptr, 0);
		for (size_t w = 0; w < s.threads[i].nr_words; w++)
			found += s.threads[i].words[w] == MAGIC;
	}
	cr_assert_geq(found, 1);
	stop_resume(&s);
}

Test(stop, a_spinning_thread_has_its_vector_registers_and_a_sleeping_one_has_not)
{
	struct stop s;
	size_t least = SIZE_MAX, most = 0;

	start_child(1, false);
	wait_for(&box->counter[0]);
	usleep(10000);
	cr_assert_eq(stop_all(&s, child, "child"), 0);
	for (size_t i = 0; i < s.nr_threads; i++) {
		least = s.threads[i].nr_words < least ? s.threads[i].nr_words : least;
		most = s.threads[i].nr_words > most ? s.threads[i].nr_words : most;
	}
	cr_assert_leq(least, 27);
	cr_assert_geq(most, 27 + 72); /* at least the 576 bytes of legacy state */
	stop_resume(&s);
}

Test(stop, threads_that_come_and_go)
{
	start_child(1, true);
	wait_for(&box->counter[3]);
	for (int i = 0; i < 200; i++) {
		struct stop s;

		cr_assert_eq(stop_all(&s, child, "child"), 0, "%s", s.message);
		cr_assert_geq(held(&s), 2);
		stop_resume(&s);
	}
	wait_for(&box->counter[3]);
}

Test(stop, a_signal_that_arrives_meanwhile_is_delivered)
{
	start_child(0, false);
	wait_for(&box->counter[3]);
	for (int i = 0; i < 100; i++) {
		struct stop s;
		int before = box->signals;

		kill(child, SIGUSR1);
		cr_assert_eq(stop_all(&s, child, "child"), 0);
		stop_resume(&s);
		for (int k = 0; k < 1000 && box->signals == before; k++)
			usleep(1000);
		cr_assert_eq(box->signals, before + 1);
	}
}

Test(stop, our_signals_are_blocked_only_while_it_is_held)
{
	struct stop s;
	sigset_t now;

	start_child(0, false);
	cr_assert_eq(stop_all(&s, child, "child"), 0);
	sigprocmask(SIG_BLOCK, NULL, &now);
	cr_assert(sigismember(&now, SIGINT));
	cr_assert(sigismember(&now, SIGTERM));
	stop_resume(&s);
	sigprocmask(SIG_BLOCK, NULL, &now);
	cr_assert(!sigismember(&now, SIGINT));
}

Test(stop, a_process_that_has_ended)
{
	struct stop s;

	start_child(0, false);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_assert_eq(stop_all(&s, child, "child"), -ESRCH);
	cr_assert(strstr(s.message, "has ended"));
	stop_resume(&s);
	child = 0;
}

Test(stop, a_zombie)
{
	struct stop s;

	start_child(0, false);
	kill(child, SIGKILL);
	usleep(50000);
	cr_assert_eq(stop_all(&s, child, "child"), -ESRCH);
	stop_resume(&s);
}

Test(stop, killed_while_held)
{
	struct stop s;

	start_child(2, false);
	wait_for(&box->counter[1]);
	cr_assert_eq(stop_all(&s, child, "child"), 0);
	cr_assert(stop_intact(&s));
	kill(child, SIGKILL);
	cr_assert(!stop_intact(&s));
	stop_resume(&s);
	waitpid(child, NULL, 0);
	child = 0;
}

Test(stop, another_tracer_is_named)
{
	struct stop s;
	int ready[2];
	char text[32];
	pid_t tracer;

	start_child(0, false);
	wait_for(&box->counter[3]);
	cr_assert_eq(pipe(ready), 0);
	tracer = fork();
	cr_assert_geq(tracer, 0);
	if (!tracer) {
		ptrace(PTRACE_SEIZE, child, NULL, NULL);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	cr_assert_eq(read(ready[0], text, 1), 1);
	cr_assert_eq(stop_all(&s, child, "child"), -EPERM);
	snprintf(text, sizeof(text), "traced by PID %d", tracer);
	cr_assert(strstr(s.message, text), "%s", s.message);
	stop_resume(&s);
	kill(tracer, SIGKILL);
	waitpid(tracer, NULL, 0);
}

Test(stop, stat_state)
{
	cr_assert_eq(stop_stat_state("12 (cat) S 1 2"), 'S');
	cr_assert_eq(stop_stat_state("12 (a) R (b) Z 1 2"), 'Z');
	cr_assert_eq(stop_stat_state(""), 0);
	cr_assert_eq(stop_stat_state("12 (cut)"), 0);
}

Test(stop, tracer_of_nobody)
{
	cr_assert_eq(stop_tracer_of(getpid()), 0);
	cr_assert_eq(stop_tracer_of(99999999), 0);
}
