/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake.h - what the fake process of fake.c shows: the numbers that the tests
 * of the readers expect, and a way to start it.
 */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAKE_CPUS       4u
#define FAKE_NODES      2u
#define FAKE_CACHES     6u /* ids handed out, 0 included */
#define FAKE_ARENA      UINT64_C(0x7f0000000000)
#define FAKE_OBJECTS    64u /* per slab of the main cache */

/* Ids. */
#define FAKE_MAIN   1u /* "fake-64": everything filled in */
#define FAKE_UNUSED 2u /* state free */
#define FAKE_DEAD   3u /* destroyed with objects left */
#define FAKE_BUSY   4u /* its sequence counter is odd for ever */
#define FAKE_SHARED 5u /* works without rseq: one shared slot */
#define FAKE_ALIAS  FAKE_CACHES /* in mode "merged": "fake-alias", which shares the main cache's slabs */
#define FAKE_ALIAS_ACTIVE (60u + 3u - 10u - 1u)

/* The main cache, node 0 + node 1. */
#define FAKE_SLABS   (3u + 1u)
#define FAKE_TOTAL   (FAKE_SLABS * FAKE_OBJECTS)
#define FAKE_TAKEN   (150u + 10u)
#define FAKE_PARTIAL (2u + 1u)
#define FAKE_IN_SLOTS (3u + 5u + 0u + 2u)
#define FAKE_IN_BARN (8u + 5u)
#define FAKE_CACHED  (FAKE_IN_SLOTS + FAKE_IN_BARN)
#define FAKE_ACTIVE  (FAKE_TAKEN - FAKE_CACHED)
#define FAKE_FOLDED  100u /* allocs and frees of drained slots */
#define FAKE_SLOT_ALLOCS (1000u + 500u + 0u + 7u)
#define FAKE_NODE_ALLOCS 11u
#define FAKE_ALLOCS  (FAKE_SLOT_ALLOCS + FAKE_FOLDED + FAKE_NODE_ALLOCS)
#define FAKE_FREES   (FAKE_ALLOCS - FAKE_ACTIVE)

/*
 * Start the fake next to this test program with `mode` and wait until it is
 * ready. Return its pid; it ends when the test ends or is killed.
 */
static inline pid_t fake_start(const char *mode)
{
	char self[PATH_MAX], path[PATH_MAX + 8], byte;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int ready[2];
	pid_t pid;

	if (len < 0 || pipe(ready))
		return -1;
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/fake", self);
	pid = fork();
	if (!pid) {
		dup2(ready[1], STDOUT_FILENO);
		close(ready[0]);
		close(ready[1]);
		execl(path, "fake", mode, (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &byte, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

/* For what fake_start() returned: when that failed there is nobody to stop, and kill(-1) would reach every process. */
static inline void fake_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
