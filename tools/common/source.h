/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - a process as a source for the kernel's text files (alloc/text).
 *
 *   struct source source;
 *   int err = source_open(&source, &t, t.roots[0].addr);
 *   if (!err)
 *           err = source_text(&source, text_buddyinfo, &text);   free(text)
 *   source_close(&source);
 */
#ifndef COMMON_SOURCE_H
#define COMMON_SOURCE_H

#include "common/target.h"
#include "text/text.h"

struct symbols;

struct source {
	struct target *target;
	struct kmem_observe root; /* checked: its counts are bounds */
	struct text_source text;  /* what the functions of alloc/text take */
	struct symbols *symbols;  /* of the process, once a name was asked for */
};

/*
 * Read the root at `addr` (target_root.addr). Return 0 or -errno with the line
 * in t->message (-EPROTO: damaged, or not initialised yet). `source` must stay
 * where it is as long as it is used, then goes to source_close(), after a failure, too.
 */
int source_open(struct source *source, struct target *t, uint64_t addr);
void source_close(struct source *source);

/*
 * Print a whole file into memory: *text is to be freed by the caller. Return 0
 * or -errno with the line in target->message.
 */
int source_text(struct source *source, int (*file)(struct text *, const struct text_source *), char **text);

#endif
