/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe.h - the root of what readers outside see (kmem/observe.h). Each layer
 * fills in the fields about itself, and keeps those up to date that change.
 */
#ifndef BASE_OBSERVE_H
#define BASE_OBSERVE_H

#include <kmem/observe.h>

#include "base/base.h"

extern KMEM_HIDDEN struct kmem_observe observe_root;

/* Fill in what is known at compile time and record the allocator's variables as black. */
void observe_init(void);

/* Record memory of the allocator itself: no root for a leak scan. */
void observe_black(const char *name, const void *start, const void *end);

/* Say that everything is there. */
void observe_ready(void);

#endif
