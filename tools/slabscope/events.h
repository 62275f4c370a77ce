/* SPDX-License-Identifier: BSD-2-Clause */
/* events.h - slabscope events: what the kernel allocates and frees, cache by cache, for a while. */
#ifndef SLABSCOPE_EVENTS_H
#define SLABSCOPE_EVENTS_H

/* The verb. argv[0] is its name. Return: exit code: 0, 1 failure, 2 wrong usage. */
int events_run(int argc, char **argv);

#endif
