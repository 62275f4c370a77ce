/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen.h - slabtop on a terminal: ncurses and nothing else.
 */
#ifndef SLABTOP_SCREEN_H
#define SLABTOP_SCREEN_H

#include "slabtop/session.h"

/*
 * Show the table until q, SIGINT, SIGTERM or SIGHUP, or until the sources are
 * gone. The terminal is restored in every case, before anything is printed.
 * Return the exit code; one line has been printed if it is not 0.
 */
int screen_run(struct session *session);

#endif
