/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kstream.h - the complete event stream of the kernel: every allocation and free
 * that its tracepoints tell of, one struct kmem_kernel_event each (bpf/kmem_event.h,
 * which says what they do not tell of).
 *
 *	struct kstream *s;
 *
 *	if (kstream_open(&s, NULL, err, sizeof(err)) || kstream_attach(s, err, sizeof(err)))
 *		die("%s", err);
 *	while (!done) {
 *		kstream_poll(s, handle, context);
 *		usleep(1000);
 *	}
 *	kstream_detach(s, handle, context);
 *	kstream_read_totals(s, &totals, err, sizeof(err));
 *	kstream_close(s);
 *
 * About 130 ns per event. Every function that can fail returns 0 or -errno and then
 * has put one line, without newline, into `err` that names the cause and the remedy.
 * Not thread safe. Needs CAP_BPF and CAP_PERFMON (or root).
 */
#ifndef COMMON_KSTREAM_H
#define COMMON_KSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmem_event.h"

struct kstream;

struct kstream_options {
	uint32_t events;     /* bits 1 << enum kmem_event_type; 0: the four of objects */
	uint32_t ring_bytes; /* what may wait to be read, rounded up to a power of two; 0: 64 MiB, a million events */
	pid_t pid;           /* only what this process causes; 0: everybody */
};

struct kstream_totals {
	uint64_t events[KMEM_EV_NR]; /* put into the ring */
	uint64_t delivered; /* handed over; the sum of the above once detached */
	uint64_t lost;      /* the reader was too slow: no room in the ring */
	uint64_t missed;    /* an interrupt hit while the same program ran on that CPU: one event each */
	uint64_t null_frees, failed; /* no objects, hence no events */
};

/* One event. It is valid during the call. */
typedef void kstream_handler(void *context, const struct kmem_kernel_event *event);

/* Loads the programs; nothing is recorded yet. `options` may be NULL. */
int kstream_open(struct kstream **stream, const struct kstream_options *options, char *err, size_t len);

/* False if kmalloc and kfree events have KMEM_KEY_UNKNOWN for a cache: this kernel does not let it be found. */
bool kstream_names_kmalloc(const struct kstream *stream);

/* Begin. Tracepoints are attached one after the other, frees first: what is freed but was never allocated is old. */
int kstream_attach(struct kstream *stream, char *err, size_t len);

/* Hand over what is there. Return: number of events. */
size_t kstream_poll(struct kstream *stream, kstream_handler *handle, void *context);

/* End, and hand over the rest. */
void kstream_detach(struct kstream *stream, kstream_handler *handle, void *context);

int kstream_read_totals(struct kstream *stream, struct kstream_totals *totals, char *err, size_t len);

/* NULL is fine. */
void kstream_close(struct kstream *stream);

#endif
