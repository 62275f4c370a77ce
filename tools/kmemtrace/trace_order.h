/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_order.h - the two ways to put events in order: trace_order.c with time stamps, trace_untimed.c without. */
#ifndef KMEMTRACE_TRACE_ORDER_H
#define KMEMTRACE_TRACE_ORDER_H

#include "kmemtrace/pack.h"
#include "kmemtrace/trace_priv.h"

/*
 * The events of a chunk and its spans, both from malloc(). NULL: it
 * cannot be read, and is counted as damaged; or it is empty.
 */
struct unpacked *order_unpack(struct trace *t, struct trace_chunk *c, struct chunk_span **spans);

struct trace_event order_event(const struct trace *t, const struct unpacked *e, uint32_t cpu);

struct untimed;
struct untimed *untimed_new(struct trace *t);
bool untimed_next(struct trace *t, struct untimed *u, struct trace_event *out);
void untimed_free(struct untimed *u);

#endif
