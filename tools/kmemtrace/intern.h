/* SPDX-License-Identifier: BSD-2-Clause */
/* intern.h - numbers for texts: equal texts have the same one, new ones the next. */
#ifndef KMEMTRACE_INTERN_H
#define KMEMTRACE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTERN_FAILED UINT32_MAX /* no memory */

/* Zero-initialise. */
struct intern {
	char **text;     /* by number; they stay where they are */
	size_t nr, room;
	uint32_t *index; /* hash: number + 1 */
	size_t mask;
};

/* The number of a text, or INTERN_FAILED. */
uint32_t intern(struct intern *in, const char *text);

void intern_free(struct intern *in);

#endif
