/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * workload.h - what a program allocated and freed, in order.
 *
 * A recording (*.trace) is text. A line that begins with # is a comment; else words:
 *
 *   N    an allocation of N bytes
 *   -N   the N-th last allocation is freed: -1 the last one
 *   |    a scope begins: a request, a statement, ... whose allocations mostly end with it
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

struct op {
	uint32_t id;    /* of the object, counting allocations from 0 */
	uint32_t size;  /* bytes */
	uint32_t scope; /* that it was allocated in, from 0 */
	uint32_t is_free;
};

struct workload {
	char name[32];
	struct op *op; /* whatever is live at the end is freed by the last ones */
	size_t nr_ops;
	uint32_t nr_ids, nr_scopes;
	uint32_t nr_sizes;  /* different ones */
	uint32_t most_live; /* objects at once */
	size_t peak_live;   /* bytes at once, as asked for */
	size_t peak_op;     /* the op that reaches it */
};

/* Read a recording; only_size: just the allocations of that many bytes, 0: all. Return: 0; -1 with a line on stderr. */
int workload_read(struct workload *w, const char *path, uint32_t only_size);

/*
 * Make one: `live` objects of 16 bytes to 2 KiB, each power of two as often as the next;
 * then nr times a random one of them is freed and another allocated. Always the same.
 */
void workload_churn(struct workload *w, uint32_t live, uint32_t nr);

/* Keep the first nr operations, and free what is live then. */
void workload_cut(struct workload *w, size_t nr);

#endif
