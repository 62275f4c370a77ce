/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - the kernel's text files about memory, made from what kmem/observe.h
 * shows. The library prints about itself and the tools about another process
 * with this code: it is compiled into both, takes nothing from the other layers
 * but that header, and neither locks, allocates nor calls anybody but read().
 *
 * What changes while it is read is off by the operations in flight.
 */
#ifndef TEXT_TEXT_H
#define TEXT_TEXT_H

#include <kmem/observe.h>

#include "base/base.h"

/* Text that grows; what does not fit is counted only. */
struct text {
	char *buf;
	size_t bytes;
	size_t len; /* of the whole text */
};

/* Where the structures are: in this process or another. */
struct text_source {
	const struct kmem_observe *root; /* a copy, checked */
	int (*read)(void *context, uint64_t addr, void *buf, size_t len); /* 0 or -errno */
	void *context;
	/* The name of a code address as the kernel's %pS, in buf; NULL: addresses are printed. Return: buf, NULL unknown. */
	const char *(*symbol)(void *context, uint64_t addr, char *buf, size_t len);
};

/* Bounded, always terminated with room for one byte. */
static inline struct text text_init(char *buf, size_t bytes)
{
	if (bytes)
		buf[0] = '\0';
	return (struct text){ buf, bytes, 0 };
}

void text_char(struct text *t, char c);
void text_string(struct text *t, const char *s);
/* Padded with blanks to width, on the left; negative: on the right. */
void text_field(struct text *t, const char *s, int width);
void text_number(struct text *t, uint64_t n, int width);
/* Thousandths as "-1.000" or "0.345", padded to width. */
void text_milli(struct text *t, int n, int width);

#endif
