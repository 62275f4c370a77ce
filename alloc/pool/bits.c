/* SPDX-License-Identifier: BSD-2-Clause */
/* bits.c - bitmaps: runs of bits, word by word; see bits.h. */
#include "pool/bits.h"

/* Bits of one word from `bit` on, at most nr. */
static unsigned long word_mask(unsigned long bit, unsigned long nr)
{
	unsigned long low = ~0UL << bit;

	return nr >= BITS_PER_WORD - bit ? low : low & ~(~0UL << (bit + nr));
}

/* The next bit that differs from those of `flip`. */
static unsigned long next(const unsigned long *map, unsigned long size, unsigned long start, unsigned long flip)
{
	unsigned long at = start / BITS_PER_WORD, word;

	if (start >= size)
		return size;
	word = (READ_ONCE(map[at]) ^ flip) & (~0UL << start % BITS_PER_WORD);
	while (!word) {
		if (++at * BITS_PER_WORD >= size)
			return size;
		word = READ_ONCE(map[at]) ^ flip;
	}
	at = at * BITS_PER_WORD + (unsigned long)__builtin_ctzl(word);
	return MIN(at, size);
}

unsigned long bits_next_set(const unsigned long *map, unsigned long size, unsigned long start)
{
	return next(map, size, start, 0);
}

unsigned long bits_next_clear(const unsigned long *map, unsigned long size, unsigned long start)
{
	return next(map, size, start, ~0UL);
}

unsigned long bits_find_clear(const unsigned long *map, unsigned long size, unsigned long start, unsigned long nr,
			      unsigned long mask, unsigned long offset)
{
	for (;;) {
		unsigned long at = bits_next_clear(map, size, start), taken;

		at = ((at + offset + mask) & ~mask) - offset;
		if (at > size || nr > size - at)
			return size + 1;
		taken = bits_next_set(map, at + nr, at);
		if (taken >= at + nr)
			return at;
		start = taken + 1;
	}
}

/* Turn nr bits that all are as `want` says (0 clear, ~0 set) into the opposite. */
static unsigned long change(unsigned long *map, unsigned long start, unsigned long nr, unsigned long want)
{
	unsigned long done = 0;

	while (done < nr) {
		unsigned long bit = (start + done) % BITS_PER_WORD, mask = word_mask(bit, nr - done);
		unsigned long *word = &map[(start + done) / BITS_PER_WORD], old = READ_ONCE(*word);

		do {
			if ((old ^ want) & mask)
				return done;
		} while (!__atomic_compare_exchange_n(word, &old, old ^ mask, false, __ATOMIC_ACQ_REL,
						      __ATOMIC_RELAXED));
		done += MIN(BITS_PER_WORD - bit, nr - done);
	}
	return nr;
}

unsigned long bits_set(unsigned long *map, unsigned long start, unsigned long nr)
{
	return change(map, start, nr, 0);
}

unsigned long bits_clear(unsigned long *map, unsigned long start, unsigned long nr)
{
	return change(map, start, nr, ~0UL);
}
