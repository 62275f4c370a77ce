/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_report.h - reports about slabs and objects, in the kernel's words and order:
 *
 *   =====...
 *   BUG cache (Not tainted): what            debug_bug()
 *   -----...
 *
 *   Allocated in ... Freed in ...            debug_trailer(), or debug_slab_line() alone
 *   Slab ... Object ...
 *   Bytes b4, Redzone, Object, Redzone, Padding
 *   CPU: ... Call Trace: ...
 *   FIX cache: what was done about it        debug_fix()
 *
 * debug_bug() and debug_fix() each count one error of the cache. All functions
 * need the slab's node locked.
 */
#ifndef SLAB_DEBUG_REPORT_H
#define SLAB_DEBUG_REPORT_H

#include <kmem/slab.h>

#include "base/report.h"
#include "page/page.h"

/* Where the running thread came into the library: the stack in its reports starts there. */
extern __thread const void *debug_call_site;

void debug_bug(struct kmem_cache *s, const char *format, ...) REPORT_FORMAT(2, 3);
void debug_fix(struct kmem_cache *s, const char *format, ...) REPORT_FORMAT(2, 3);

/* The lines of debug_bug() about what is no cache. */
void debug_title(const char *name, const char *what);

/* "what f+0x..." and the stack behind a handle of the depot. */
void debug_stored_stack(const char *what, uint32_t handle);

/* Everything about an object; and about its slab only. The policy on misuse then decides whether to go on. */
void debug_trailer(const struct kmem_cache *s, const struct page *slab, const void *object);
void debug_slab_trailer(const struct page *slab);

/* "Slab ... objects= used= fp= flags=". */
void debug_slab_line(const struct page *slab);

/* "Allocated in ...", "Freed in ..." with SLAB_STORE_USER. */
void debug_tracks(const struct kmem_cache *s, const void *object);

/* Bytes as hex and text, 16 a line, each with `name` in front. */
void debug_hex(const char *name, const void *start, size_t bytes);

/* "CPU: ... Call Trace: ..." of the running thread. */
void debug_stack(void);

#endif
