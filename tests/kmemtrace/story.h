/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * story.h - traces that tell what the tests want told: events by hand, in order of
 * time, with stacks of functions of this very program, so that they have names.
 */
#ifndef TESTS_KMEMTRACE_STORY_H
#define TESTS_KMEMTRACE_STORY_H

#include <stdint.h>

#include "kmemtrace/analysis.h"
#include "kmemtrace/trace_write.h"

#define STORY_PID 4242u

/* What is called by whom: story_main calls story_load and story_serve, which call story_zmalloc. */
enum story_function { STORY_MAIN, STORY_LOAD, STORY_SERVE, STORY_ZMALLOC, STORY_NR_FUNCTIONS };

struct story {
	struct trace_writer *w;
	uint32_t small, large, pages; /* caches: "story-64" (64 bytes), "(large)", "(pages)" */
	uint32_t load, serve;         /* stacks: zmalloc < load < main, zmalloc < serve < main */
};

/* Begin a trace in a file of sample_path(). `lost` events are said to be lost at its end. */
struct story story_begin(const char *path);

uint32_t story_stack(struct story *s, const enum story_function *function, uint32_t nr);

/* Times are nanoseconds since the recording began. */
void story_alloc(struct story *s, uint32_t cpu, uint64_t ns, uint64_t ptr, uint32_t size, uint32_t cache, uint32_t stack);
void story_free(struct story *s, uint32_t cpu, uint64_t ns, uint64_t ptr, uint32_t cache);
void story_snapshot(struct story *s, enum trace_moment moment, uint64_t ns, const struct trace_object *objects, size_t nr,
		    const struct trace_block *blocks, size_t nr_blocks);

void story_end(struct story *s, uint64_t ns, uint64_t lost);

/*
 * The usual one, "story": a second; load allocates 1000 objects of 48 bytes in 64
 * (at 0x10000000, every 64 bytes) that stay; serve allocates and frees 10000 times
 * one of 100 bytes, 4000 of them freed on CPU 1; at half a second one of 1 MiB
 * lives for a tenth. Ten older objects live, of which two are freed.
 */
const char *story_usual(void);
#define STORY_LOADED 1000u
#define STORY_SERVED 10000u
#define STORY_REMOTE 4000u
#define STORY_OLD    10u

/* An analysis of a file; fails the test if there is none. */
struct analysis *story_analysis(const char *path, const struct analysis_options *options);
void story_close(struct analysis *an);

#endif
