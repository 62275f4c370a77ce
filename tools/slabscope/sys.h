/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sys.h - the verb "sys": the caches of a process as /sys/kernel/slab shows those of the kernel.
 *
 *   slabscope sys PID                      names of the caches
 *   slabscope sys PID CACHE                all attributes, "name:value" as grep prints them
 *   slabscope sys PID CACHE/ATTRIBUTE      one value
 *   slabscope sys PID CACHE/ATTRIBUTE=VALUE  changes a tunable of the running process
 *   slabscope sys PID --dump DIR           a tree of files of that shape
 */
#ifndef SLABSCOPE_SYS_H
#define SLABSCOPE_SYS_H

/* argv[0] is "sys". Return: the exit code (1 failure, 2 usage), after one line if it is not 0. */
int sys_run(int argc, char **argv);

#endif
