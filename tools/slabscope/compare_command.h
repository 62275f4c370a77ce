/* SPDX-License-Identifier: BSD-2-Clause */
/* compare_command.h - slabscope compare -c: a program's own caches beside the kernel's while it runs. */
#ifndef SLABSCOPE_COMPARE_COMMAND_H
#define SLABSCOPE_COMPARE_COMMAND_H

#include <stdint.h>

#include "common/output.h"

/* Run the command with libkmem preloaded. Return: exit code: 0, 1 it could not be run or watched, or the command's own. */
int compare_command(char **command, enum output_format format, uint32_t limit);

#endif
