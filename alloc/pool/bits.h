/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bits.h - bitmaps of unsigned long: finding runs, and changing them without a
 * lock. Bits are numbered from the lowest of word 0.
 */
#ifndef POOL_BITS_H
#define POOL_BITS_H

#include "base/base.h"

#define BITS_PER_WORD 64u

/* Index of the first bit that is set (clear), from `start` on; size if there is none. */
unsigned long bits_next_set(const unsigned long *map, unsigned long size, unsigned long start);
unsigned long bits_next_clear(const unsigned long *map, unsigned long size, unsigned long start);

/*
 * The first nr clear bits at an index for which (index + offset) has no bit of
 * mask (2^n - 1). Return: the index; a value beyond size when there is none.
 */
unsigned long bits_find_clear(const unsigned long *map, unsigned long size, unsigned long start, unsigned long nr,
			      unsigned long mask, unsigned long offset);

/*
 * Set (clear) nr bits, all of them clear (set) before. Return: how many were
 * changed, from `start` on; fewer than nr when another thread has one of them.
 */
unsigned long bits_set(unsigned long *map, unsigned long start, unsigned long nr);
unsigned long bits_clear(unsigned long *map, unsigned long start, unsigned long nr);

#endif
