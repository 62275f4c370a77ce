/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.h - slabtop without a screen: text, JSON lines or CSV.
 */
#ifndef SLABTOP_BATCH_H
#define SLABTOP_BATCH_H

#include "slabtop/session.h"

/*
 * Print the table once, or once per delay until a write fails or the sources
 * are gone. Return the exit code; one line has been printed if it is not 0.
 */
int batch_run(struct session *session);

#endif
