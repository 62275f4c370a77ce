/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - slabscope run: start a program again and again, each time with another of
 * its allocations failing, and tell which failures it did not survive.
 *
 * The environment carries the number to the program (KMEM_FAIL_NTH, kmem/fault.h),
 * and a pipe brings back where the allocation was that failed. Nothing comes back
 * when the program ended before its n-th allocation: that is the end.
 */
#include "slabscope/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/args.h"
#include "common/library.h"
#include "common/output.h"

struct run {
	unsigned long first, last;
	uint32_t timeout_ms;
	bool preload;
	bool verbose;
	char library[PATH_MAX];
	char **command;
};

/* How one start ended. */
struct outcome {
	bool failed_one;  /* the n-th allocation was reached */
	bool hung;
	int status;       /* of waitpid() */
	char where[8192]; /* what the library told: a line per frame */
};

enum { OPT_FAIL_NTH, OPT_TIMEOUT, OPT_LINKED, OPT_VERBOSE };

static const struct args_option options[] = {
	{ 0, "fail-nth", "all|N[-M]", "let that allocation fail; all: the 1st, 2nd, ... in turn (default)", OPT_FAIL_NTH },
	{ 0, "linked", NULL, "the program is linked with libkmem: do not preload " LIBRARY_NAME, OPT_LINKED },
	{ 't', "timeout", "SECS", "a program that runs longer hangs (default 10)", OPT_TIMEOUT },
	{ 'v', "verbose", NULL, "show the program's output, and every failure", OPT_VERBOSE },
	{ 0, NULL, NULL, NULL, 0 },
};

int run_parse_range(const char *text, unsigned long *first, unsigned long *last)
{
	const char *dash = strchr(text, '-');
	char number[24];
	uint64_t n, m;

	*first = 1;
	*last = ULONG_MAX;
	if (!strcmp(text, "all"))
		return 0;
	snprintf(number, sizeof(number), "%.*s", dash ? (int)(dash - text) : 23, text);
	if (!args_number(number, 1, INT_MAX, &n))
		return -1;
	m = n;
	if (dash && !args_number(dash + 1, n, INT_MAX, &m))
		return -1;
	*first = n;
	*last = m;
	return 0;
}

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "slabscope run",
	.synopsis = "[OPTION]... [--] COMMAND [ARGUMENT]...",
	.summary = "Run a program again and again, each time with another allocation failing; tell what it did not survive.",
	.options = options,
	.epilog = "Not survived: a signal, an abort, or no end in time. An error message and any exit code are fine.\n"
		  "Exit code: 0 every failure was survived, 1 one was not, 2 wrong usage.\n\n"
		  "  slabscope run -- sort /etc/passwd\n"
		  "  slabscope run --fail-nth=17 -v -- ./server --selftest\n",
	.handle = handle,
	.operands = true,
	.stop_at_operand = true,
};

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct run *run = context;

	if (!option)
		return ARGS_CONTINUE;
	switch (option->id) {
	case OPT_FAIL_NTH:
		if (run_parse_range(value, &run->first, &run->last))
			return args_error(&tool, "bad --fail-nth '%s': use all, a number from 1 on, or N-M", value);
		break;
	case OPT_TIMEOUT:
		if (!args_seconds(value, 10, &run->timeout_ms))
			return args_error(&tool, "bad --timeout '%s': use seconds", value);
		break;
	case OPT_LINKED:
		run->preload = false;
		break;
	default:
		run->verbose = true;
	}
	return ARGS_CONTINUE;
}

/* ---- one start ---- */

static void become(const struct run *run, unsigned long nth, int fd)
{
	char number[64];
	int null = open("/dev/null", O_RDWR);

	snprintf(number, sizeof(number), "%lu:%d", nth, fd);
	setenv("KMEM_FAIL_NTH", number, 1);
	if (run->preload)
		setenv("LD_PRELOAD", run->library, 1);
	/* Of its own group, so that what it starts ends with it. */
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	dup2(null, 0);
	if (!run->verbose) {
		dup2(null, 1);
		dup2(null, 2);
	}
	execvp(run->command[0], run->command);
	_exit(127);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Wait for its end, and for what it says in the pipe; both within the time. */
static void follow(const struct run *run, pid_t pid, int fd, struct outcome *o)
{
	uint64_t end = now_ms() + run->timeout_ms;
	size_t len = 0;

	while (!waitpid(pid, &o->status, WNOHANG)) {
		struct pollfd poll_fd = { fd, POLLIN, 0 };

		if (now_ms() >= end) {
			o->hung = true;
			kill(-pid, SIGKILL);
			waitpid(pid, &o->status, 0);
			break;
		}
		/* The pipe may be closed long before the end: then this is a pause. */
		if (poll(&poll_fd, 1, 1) > 0 && poll_fd.revents & POLLIN && len + 1 < sizeof(o->where)) {
			ssize_t n = read(fd, o->where + len, sizeof(o->where) - 1 - len);

			len += n > 0 ? (size_t)n : 0;
		} else if (poll_fd.revents) {
			usleep(1000);
		}
	}
	for (;;) {
		ssize_t n = read(fd, o->where + len, sizeof(o->where) - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	o->where[len] = '\0';
	o->failed_one = len;
	kill(-pid, SIGKILL);
}

static int start(const struct run *run, unsigned long nth, struct outcome *o)
{
	int fd[2];
	pid_t pid;

	memset(o, 0, sizeof(*o));
	if (pipe(fd))
		return -errno;
	fcntl(fd[0], F_SETFD, FD_CLOEXEC);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (!pid)
		become(run, nth, fd[1]);
	close(fd[1]);
	if (pid > 0)
		follow(run, pid, fd[0], o);
	close(fd[0]);
	return pid < 0 ? -errno : 0;
}

/* ---- telling ---- */

static bool survived(const struct outcome *o)
{
	return !o->hung && WIFEXITED(o->status);
}

static void print_outcome(const struct run *run, unsigned long nth, const struct outcome *o)
{
	const char *line = o->where;

	if (o->hung)
		printf("allocation %lu failed: no end within %g s\n", nth, run->timeout_ms / 1000.0);
	else if (WIFSIGNALED(o->status))
		printf("allocation %lu failed: ended by SIG%s\n", nth, sigabbrev_np(WTERMSIG(o->status)));
	else
		printf("allocation %lu failed: survived, exit code %d\n", nth, WEXITSTATUS(o->status));
	/* Frames have two blanks behind the prefix; the line in front of them says that one follows. */
	while (*line) {
		size_t len = strcspn(line, "\n");

		if (!strncmp(line, "kmem:  ", 7))
			printf("    %.*s\n", (int)len - 7, line + 7);
		line += len + (line[len] == '\n');
	}
}

static int fail_runtime(const char *what, int error)
{
	fprintf(stderr, "slabscope run: %s: %s\n", what, strerror(error));
	return ARGS_EXIT_RUNTIME;
}

/* Each allocation in turn, until the program ends before it. */
static int sweep(const struct run *run)
{
	unsigned long nth, failures = 0, bad = 0;
	struct outcome o;
	int rc;

	for (nth = run->first; nth <= run->last; nth++) {
		rc = start(run, nth, &o);
		if (rc)
			return fail_runtime("cannot start the program", -rc);
		if (!o.failed_one && (o.hung || !WIFEXITED(o.status) || WEXITSTATUS(o.status) == 127)) {
			fprintf(stderr, "slabscope run: '%s' does not run without failures either: %s\n", run->command[0],
				o.hung ? "no end in time; see --timeout" :
				WIFEXITED(o.status) ? "cannot be started" : "ended by a signal");
			return ARGS_EXIT_RUNTIME;
		}
		if (!o.failed_one)
			break;
		failures++;
		bad += !survived(&o);
		if (run->verbose || !survived(&o))
			print_outcome(run, nth, &o);
	}
	if (!failures && run->first == 1) {
		fprintf(stderr, "slabscope run: '%s' made no allocation%s\n", run->command[0],
			run->preload ? "; a static program or one linked with libkmem needs --linked" :
				       "; it is not linked with libkmem");
		return ARGS_EXIT_RUNTIME;
	}
	printf("%lu allocations failed in turn: %lu survived, %lu not\n", failures, failures - bad, bad);
	rc = output_flush_file(stdout);
	if (rc)
		return fail_runtime("write error", -rc);
	return bad ? ARGS_EXIT_RUNTIME : ARGS_EXIT_OK;
}

int run_run(int argc, char **argv)
{
	struct run run = { .first = 1, .last = ULONG_MAX, .timeout_ms = 10000, .preload = true };
	int rest, rc = args_parse(&tool, argc, argv, &run, &rest);

	if (rc != ARGS_CONTINUE)
		return rc;
	if (rest >= argc)
		return args_error(&tool, "which command?");
	run.command = argv + rest;
	if (run.preload)
		library_find(run.library, sizeof(run.library));
	return sweep(&run);
}
