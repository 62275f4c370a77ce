/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork.c - processes from processes: while other threads allocate, and from a signal
 * handler that interrupted malloc() itself. Every child must be able to allocate,
 * everything that it inherited must be whole. fork MODE COUNT, MODE one of
 *   threads          fork() while other threads allocate
 *   handler          fork() in a signal handler, no other threads
 *   handler_threads  the same while other threads allocate
 *   vfork, spawn     vfork() and exec, posix_spawn() while other threads allocate
 *   nested           children that fork, each from a thread of its own
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELD = 200, THREADS = 2 };

struct heap {
	uint64_t seed;
	unsigned char *p[HELD];
	size_t size[HELD];
};

static volatile int stop;
static struct heap main_heap = { .seed = 99 };
static struct heap timing = { .seed = 7 };
static volatile sig_atomic_t forks, children_failed, in_child;

static void die(const char *what)
{
	ssize_t n = write(2, what, strlen(what));

	(void)n;
	_exit(3);
}

static size_t next(struct heap *h, size_t n)
{
	h->seed = h->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(h->seed >> 33) % n;
}

/* One object goes, another comes; what went was whole. */
static void step(struct heap *h)
{
	size_t at = next(h, HELD), kind = next(h, 100), size, i;
	unsigned char *p = h->p[at], *old = p;

	for (i = 0; i < h->size[at]; i += 61)
		if (p[i] != (unsigned char)(at + i))
			die("content lost\n");
	size = 1 + (kind < 70 ? next(h, 700) : kind < 98 ? next(h, 9000) : next(h, 60000));
	/* A signal handler must never see an object that is being freed. */
	h->size[at] = 0;
	h->p[at] = NULL;
	if (kind & 1) {
		free(old);
		p = malloc(size);
	} else {
		p = realloc(old, size);
	}
	if (!p)
		die("no memory\n");
	for (i = 0; i < size; i += 61)
		p[i] = (unsigned char)(at + i);
	h->p[at] = p;
	h->size[at] = size;
}

static void *churn(void *heap)
{
	while (!stop)
		step(heap);
	return NULL;
}

static void start(pthread_t *thread, struct heap *heaps, int nr)
{
	for (int i = 0; i < nr; i++) {
		heaps[i].seed = (uint64_t)i + 1;
		pthread_create(&thread[i], NULL, churn, &heaps[i]);
	}
}

/* A child's work: all that it inherited, then threads of its own. */
static void use_all(struct heap *heaps, int nr)
{
	pthread_t thread;
	static struct heap own;

	alarm(60);
	for (int i = 0; i < nr; i++)
		for (int n = 0; n < 50; n++)
			step(&heaps[i]);
	for (int n = 0; n < 500; n++)
		step(&own);
	if (forks % 16 == 0) {
		stop = 0;
		if (pthread_create(&thread, NULL, churn, &own))
			die("no thread\n");
		usleep(1000);
		stop = 1;
		pthread_join(thread, NULL);
	}
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		fprintf(stderr, "child ended with status %x\n", status);
	return status != 0;
}

static int threads(int count, int depth)
{
	static struct heap heaps[THREADS];
	pthread_t thread[THREADS];
	int bad = 0;

	start(thread, heaps, THREADS);
	for (; forks < count; forks++) {
		pid_t pid = fork();

		if (!pid) {
			/* Heaps of the others are in the middle of something; the own one is not. */
			use_all(&main_heap, 1);
			if (depth) {
				forks = 0;
				_exit(threads(3, depth - 1));
			}
			_exit(0);
		}
		for (int n = 0; n < 20; n++)
			step(&main_heap);
		bad |= wait_for(pid);
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	stop = 0;
	return bad;
}

/* At an instant that nobody can foresee, once. */
static void arm(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 1 + (suseconds_t)next(&timing, 900) } };

	setitimer(ITIMER_REAL, &soon, NULL);
}

static void on_signal(int number)
{
	pid_t pid;
	int status;

	(void)number;
	if (in_child)
		return;
	pid = fork();
	if (pid < 0)
		die("fork() failed\n");
	if (!pid) {
		alarm(60);
		/* Every other one goes on where it was interrupted. */
		if (forks & 1)
			_exit(0);
		in_child = 1;
		return;
	}
	forks++;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		children_failed++;
	arm();
}

static int handler(int count, int nr_threads)
{
	static struct heap heaps[THREADS];
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread[THREADS];
	sigset_t set;

	/* Only the main thread is interrupted. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	start(thread, heaps, nr_threads);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigaction(SIGALRM, &action, NULL);
	arm();
	while (forks < count && !in_child)
		step(&main_heap);
	if (in_child) {
		signal(SIGALRM, SIG_DFL);
		use_all(&main_heap, 1);
		_exit(0);
	}
	signal(SIGALRM, SIG_IGN);
	stop = 1;
	for (int i = 0; i < nr_threads; i++)
		pthread_join(thread[i], NULL);
	return children_failed != 0;
}

static int programs(int count, int with_vfork)
{
	static struct heap heaps[THREADS];
	char *const argv[] = { "true", NULL };
	extern char **environ;
	pthread_t thread[THREADS];
	int bad = 0;

	start(thread, heaps, THREADS);
	for (int i = 0; i < count; i++) {
		pid_t pid = 0;

		if (with_vfork) {
			pid = vfork();
			if (!pid) {
				execv("/bin/true", argv);
				_exit(127);
			}
		} else if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ)) {
			die("posix_spawn() failed\n");
		}
		step(&main_heap);
		bad |= wait_for(pid);
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	return bad;
}

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[2]) : 0;
	const char *mode = count ? argv[1] : "";

	if (!strcmp(mode, "threads"))
		return threads(count, 0);
	if (!strcmp(mode, "nested"))
		return threads(count, 2);
	if (!strcmp(mode, "handler"))
		return handler(count, 0);
	if (!strcmp(mode, "handler_threads"))
		return handler(count, THREADS);
	if (!strcmp(mode, "vfork") || !strcmp(mode, "spawn"))
		return programs(count, mode[0] == 'v');
	fprintf(stderr, "usage: fork threads|handler|handler_threads|vfork|spawn|nested COUNT\n");
	return 2;
}
