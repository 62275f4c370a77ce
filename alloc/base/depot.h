/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * depot.h - every stack that was ever stored, once; a 32-bit handle stands for it.
 *
 * Readers outside find it by observe_root.depot: handle * 8 is the offset of a
 * struct kmem_depot_record (kmem/observe.h) from there.
 */
#ifndef BASE_DEPOT_H
#define BASE_DEPOT_H

#include <kmem/observe.h>

/* Store a stack of 1 .. STACK_FRAMES addresses. Return: its handle; 0 when memory is out or the depot is full. */
uint32_t depot_save(const uint64_t *frame, unsigned int nr);

/* The stack behind a handle; NULL for 0. */
const struct kmem_depot_record *depot_stack(uint32_t handle);

/* In the child of fork(). */
void depot_after_fork(void);

#endif
