/* SPDX-License-Identifier: BSD-2-Clause */
/* control.h - ask a process to change a tunable of a cache: the writer's half of struct kmem_control. */
#ifndef COMMON_CONTROL_H
#define COMMON_CONTROL_H

#include "common/source.h"

/*
 * Write `value` to an attribute of cache `id` and wait for the answer, at most
 * wait_ms. Needs the right to write the process's memory (same user, or root).
 * Return: 0, or -errno with the line in target->message: -ETIMEDOUT the process
 * allocated nothing meanwhile, the request is withdrawn; -EAGAIN another writer
 * came between; -ENOENT, -EACCES, -EINVAL as the process answers.
 */
int control_set(struct source *source, unsigned int id, const char *attribute, int64_t value, unsigned int wait_ms);

#endif
