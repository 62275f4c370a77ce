/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trim.h - what caches hold without need goes back to the system: parked objects
 * that keep slabs, and the pages of slabs in use on which no object lies.
 */
#ifndef SLAB_TRIM_H
#define SLAB_TRIM_H

#include "slab/slab.h"

/* After kmem_options() are known: as the purge policy says; how long a decay period is. */
void trim_init(bool on, unsigned int decay_ms);

/*
 * Look whether there is too much of it, and do a bounded piece of the work; purge
 * free pages as purge_now_and_then(). Looks at the clock. For slow paths that may
 * make system calls, with no lock held.
 */
void trim_look(void);

/*
 * The same for slow frees: what is not done now, because the last look was just before,
 * the next allocation that may block does. For processes in which frees may make system calls.
 */
void trim_look_on_free(void);

/* Give the pages of a slab in use on which no object lies back. Registry locked. Return: bytes. */
size_t trim_slab(struct kmem_cache *s, struct page *slab);

#endif
