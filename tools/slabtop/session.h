/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - the sources that slabtop watches, read into one table per update.
 */
#ifndef SLABTOP_SESSION_H
#define SLABTOP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/heap.h"
#include "common/pools.h"
#include "common/rows.h"
#include "common/target.h"
#include "slabtop/options.h"

struct kcaches;
struct rates;

/* One libkmem root of a process. */
struct session_heap {
	struct row_source source;
	struct heap heap;
};

struct session_process {
	struct target target;
	struct session_heap heaps[TARGET_MAX_ROOTS];
	unsigned int nr_heaps; /* 0: it has ended */
};

struct session {
	const struct options *options;
	struct row_source kernel;
	struct kcaches *kcaches;     /* NULL: /proc/slabinfo is read as text */
	struct rates *rates;         /* NULL: the kernel's events are not counted */
	bool kernel_true;            /* the kernel's ACTIVE is the true one */
	struct session_process *processes;
	unsigned int nr_processes;
	struct rows rows;            /* of the last update, in source order until sorted */
	bool with_pools;             /* read the processes' pools, too */
	struct pools pools;          /* of the last update; by source and kind until sorted */
	struct pools spare;          /* room for the next */
	struct rows before;          /* of the update before: for the rates */
	char kernel_note[320];       /* where the kernel's ACTIVE comes from and why */
	char gone_note[320];         /* the last process that ended, "" for none */
	char note[400];              /* what session_note() puts together */
	char message[320];           /* the failure of the last call that failed: one line */
};

/* Open all sources. Return 0, or -errno with session.message. session_close() in any case. */
int session_open(struct session *s, const struct options *options);

/*
 * Read all sources into s->rows, rates included. A process that has ended is
 * dropped with a note while others are left. Return 0, or -errno with
 * session.message; then s->rows is as it was.
 */
int session_read(struct session *s);

/* Number of sources, and source i of them (i < number): kernel first. */
size_t session_nr_sources(const struct session *s);
const struct row_source *session_source(const struct session *s, size_t i);

/* The heap behind a source, NULL for the kernel. */
const struct heap *session_heap_of(const struct session *s, const struct row_source *source);

/* One line about what the numbers mean or lack, for the status line; never NULL. */
const char *session_note(struct session *s);

/* Close everything. */
void session_close(struct session *s);

#endif
