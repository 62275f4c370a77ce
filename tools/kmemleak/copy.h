/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.h - copy many ranges out of a stopped process at memory speed.
 *
 *   copy_add(&c, address, where, bytes);  any number, adjoining ones are joined
 *   copy_run(&c, t, helper);
 *   copy_free(&c);
 *
 * Ranges that process_vm_readv refuses (PROT_NONE) are read through
 * /proc/PID/mem; what that cannot read either is counted, left as it was in the
 * destination (zero), and does not fail the rest.
 */
#ifndef KMEMLEAK_COPY_H
#define KMEMLEAK_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "common/target.h"

struct copy {
	struct target_range *ranges;
	size_t nr, capacity;
	pid_t tid;                 /* thread whose mem file is used; 0: the process */
	uint64_t bytes;            /* asked for */
	size_t nr_unreadable;
	uint64_t unreadable_bytes;
};

/* Ask for `bytes` at `addr` to be put at `to`. Return 0 or -ENOMEM. */
int copy_add(struct copy *c, uint64_t addr, void *to, uint64_t bytes);

/*
 * Read everything that was asked for. Return 0, or -errno with t->message when
 * the process cannot be read at all. `helper`: another target of the same
 * process, through which a second thread reads its half of many bytes while
 * the process stands still and leaves a CPU free; NULL for none.
 */
int copy_run(struct copy *c, struct target *t, struct target *helper);

void copy_free(struct copy *c);

#endif
