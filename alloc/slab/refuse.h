/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refuse.h - frees that are wrong, in caches without slab_debug.
 *
 * Two of them are seen at once, for four instructions: the object that was freed
 * last on this CPU, and an address that is no multiple of what every object's is.
 * The push does no more than fail; the slow path asks here why. The others are
 * seen when the slot is flushed, and reported in the same words.
 */
#ifndef SLAB_REFUSE_H
#define SLAB_REFUSE_H

#include <kmem/slab.h>

/*
 * Whether this free must not go on; then it is reported, with what the policy says
 * behind that. Never true for an object in use: who owns it, owns it alone, so it
 * is in nobody's slot. Any context.
 */
bool refuse_free(const struct kmem_cache *s, const void *object);

#endif
