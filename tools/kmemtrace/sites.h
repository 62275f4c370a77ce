/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sites.h - names for the stacks of a trace: all functions of one, and the call
 * site, which is the innermost function that is no wrapper around an allocator.
 */
#ifndef KMEMTRACE_SITES_H
#define KMEMTRACE_SITES_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtrace/intern.h"
#include "kmemtrace/trace_file.h"

#define SITES_BEFORE UINT32_MAX /* the stack of what is older than the recording */
#define SITES_FRAMES 512 /* of one stack, inlined ones included */

struct site {
	const char *label;  /* "dictAdd dict.c:333", "main+0x12 [server]", "[server+0x1234]": the same in each run */
	char *function;     /* "dictAdd [server]": the same in each build; without a symbol as label */
	const struct trace_module *module; /* or NULL */
	bool wrapper;       /* there was nothing but wrappers */
};

struct sites {
	struct trace *trace;
	regex_t skip[2];    /* functions that are wrappers: ours, the user's */
	bool skips[2];
	struct site *site;
	size_t nr, room;
	uint32_t before;    /* number of the site for SITES_BEFORE */
	uint32_t *of_stack; /* site number + 1 */
	struct intern labels;
};

/*
 * `skip` is an extended regular expression of further wrappers, or NULL.
 * Return 0, or -errno with one line in err (-EINVAL the expression; -ENOMEM).
 */
int sites_init(struct sites *s, struct trace *trace, const char *skip, char *err, size_t len);
void sites_close(struct sites *s);

/* The number of a stack's site: 0 is "not known". */
uint32_t sites_of(struct sites *s, uint32_t stack);

/* All functions of a stack, innermost first, at most max. Return how many. */
size_t sites_frames(struct sites *s, uint32_t stack, struct trace_frame *frame, size_t max);

/* The same, without the wrappers on top of the call site. */
size_t sites_frames_from_site(struct sites *s, uint32_t stack, struct trace_frame *frame, size_t max);

/* Whether a function of this name only passes requests on. */
bool sites_is_wrapper(const struct sites *s, const char *function);

/* "function", or "[module+0x12]", "0x12": what a flame graph calls it. Return buf. */
const char *sites_short(const struct trace_frame *frame, char *buf, size_t len);

/* "function file.c:12", "function+0x12 [module]": as site.label. Return buf. */
const char *sites_long(const struct trace_frame *frame, char *buf, size_t len);

#endif
