/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strict.h - the kernel's rules about where an allocation may sleep, enforced in
 * userspace, where nothing else would notice: KMEM_OPTIONS=strict=on.
 *
 * Sections that must not block are marked by the program: what stands for
 * spin_lock(), preempt_disable() or an interrupt handler calls
 * kmem_nonblock_enter() and kmem_nonblock_leave(). In strict mode these are
 * reported, once for each place in the code, and go on as KMEM_OPTIONS=misuse= says:
 *
 *   - an allocation with __GFP_DIRECT_RECLAIM, or kmem_cache_create(), _destroy()
 *     or _shrink(), in such a section;
 *   - __GFP_NOFAIL without __GFP_DIRECT_RECLAIM.
 */
#ifndef KMEM_STRICT_H
#define KMEM_STRICT_H

#include <stdbool.h>
#include <kmem/attr.h>
#include <kmem/gfp.h>

KMEM_BEGIN

/* Strict mode on or off, at any time. While on, calls take the watched path, about 20 ns. */
KMEM_API void kmem_set_strict(bool on);

/* The calling thread enters and leaves a section that must not block; they nest. */
KMEM_API void kmem_nonblock_enter(void);
KMEM_API void kmem_nonblock_leave(void);

/* Check as an allocation with these flags would be: for functions that allocate only sometimes. */
KMEM_API void kmem_might_alloc(gfp_t gfp);

KMEM_END

#endif
