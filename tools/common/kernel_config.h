/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel_config.h - what the programs on the kernel's tracepoints must be told about the running kernel. */
#ifndef COMMON_KERNEL_CONFIG_H
#define COMMON_KERNEL_CONFIG_H

#include <sys/types.h>

#include "kernel_lookup.h"

/*
 * The configuration for the running kernel: how the cache of a kmalloc() object
 * is found, and whose events are wanted, of process `pid` (0: of everybody) as
 * seen from the caller's pid namespace. Reads BTF, and /proc/kallsyms where the
 * kernel is older than 6.13 (50 ms).
 */
struct kernel_config kernel_config_of(pid_t pid);

#endif
