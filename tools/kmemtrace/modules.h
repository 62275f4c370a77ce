/* SPDX-License-Identifier: BSD-2-Clause */
/* modules.h - the files that a process has mapped code from, as they go into a trace. */
#ifndef KMEMTRACE_MODULES_H
#define KMEMTRACE_MODULES_H

#include <stddef.h>
#include <stdint.h>

#include "common/target.h"
#include "kmemtrace/trace_write.h"

/* Zero-initialise. */
struct modules {
	struct { uint64_t start, end; } *known;
	size_t nr, room;
	uint64_t read_ns;   /* when the maps were read last */
};

/* Put what is new into the trace, as of trace_process.pid `key`. Reads t's maps again. */
void modules_read(struct modules *m, struct target *t, uint32_t key, struct trace_writer *w);

/* The same, if one of these addresses is in no module yet; not more often than every 20 ms. */
void modules_need(struct modules *m, struct target *t, uint32_t key, struct trace_writer *w, const uint64_t *address,
		  uint32_t nr);

void modules_free(struct modules *m);

#endif
