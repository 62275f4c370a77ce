/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * launch.c - run a program and say what it cost. launch FILE PRELOAD PROGRAM [ARGUMENT...]
 *
 * PRELOAD ("" for none) is set for the program only. When it has ended, FILE receives the user and
 * system time in ms of it and of its children, the largest peak of resident memory among them in KiB, and the
 * wait status. Statically linked, because a process's recorded peak survives exec: what starts the
 * program must be smaller than it. Signals to stop are passed on.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static void pass_on(int sig)
{
	if (child > 0)
		kill(child, sig);
}

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	FILE *out;

	if (argc < 4) {
		fprintf(stderr, "usage: launch FILE PRELOAD PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	child = fork();
	if (!child) {
		if (argv[2][0])
			setenv("LD_PRELOAD", argv[2], 1);
		execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(127);
	}
	signal(SIGTERM, pass_on);
	signal(SIGINT, pass_on);
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 1;
	out = fopen(argv[1], "w");
	if (!out)
		return 1;
	fprintf(out, "%.3f %.3f %ld %d\n", ms(usage.ru_utime), ms(usage.ru_stime), usage.ru_maxrss, status);
	return fclose(out) ? 1 : 0;
}
