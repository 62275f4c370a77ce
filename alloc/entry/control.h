/* SPDX-License-Identifier: BSD-2-Clause */
/* control.h - requests from outside to change a tunable of a cache: the process's half of struct kmem_control. */
#ifndef ENTRY_CONTROL_H
#define ENTRY_CONTROL_H

#include <stdint.h>

/* Take requests from now on. */
void control_init(void);

/*
 * Write an attribute as a write to its file in /sys/kernel/slab would. Return: 0,
 * -ENOENT no such live cache or attribute, -EACCES read only, -EINVAL a value
 * that it does not take, -EBUSY the cache may not be changed so.
 */
int control_write(uint32_t cache_id, const char *attribute, int64_t value);

#endif
