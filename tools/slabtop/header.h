/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header.h - the lines above the table.
 *
 * One source: the five lines of procps, and for a process a sixth about its
 * pages. Several sources: one line each.
 */
#ifndef SLABTOP_HEADER_H
#define SLABTOP_HEADER_H

#include <stdbool.h>

#include "slabtop/session.h"

#define HEADER_MAX_LINES  12
#define HEADER_LINE_BYTES 192

struct header {
	char line[HEADER_MAX_LINES][HEADER_LINE_BYTES]; /* no newlines */
	unsigned int nr;
};

/* Make the header of the table that the session has read. */
void header_make(struct header *header, const struct session *session, bool human);

#endif
