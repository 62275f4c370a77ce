/* SPDX-License-Identifier: BSD-2-Clause */
/* victim.h - a child process on libkmem with known objects, for tests that need a real target. */
#ifndef TEST_VICTIM_H
#define TEST_VICTIM_H

#include <stdint.h>
#include <sys/types.h>

#include "common/target.h"

#define VICTIM_GONE 5 /* leaked objects of cache "gone" */
#define VICTIM_KEPT 50 /* objects of cache "kept", in a list from a global */

/* What the child says about itself, in memory that it shares with the test. */
struct victim {
	pid_t pid;
	volatile uint64_t kept;  /* disguised address of the head of the list: ~address */
	volatile uint64_t large; /* ~address of a large object that is kept */
	volatile int lose_more;  /* set to n: the child loses n more objects and clears it */
	volatile int ready;
	struct target target;
};

/* Start the child, wait until it is ready, open it and find its roots. */
struct victim *victim_start(void);

/* Let it lose some more objects; returns when that has happened. */
void victim_lose(struct victim *v, int nr);

/* End the child and reap it. The target stays open. */
void victim_kill(struct victim *v);
void victim_stop(struct victim *v);

#endif
