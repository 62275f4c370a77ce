/* SPDX-License-Identifier: BSD-2-Clause */
/* Bitmaps: searches compared with the obvious loop, changes that collide, threads. */
#include "support.h"

#include <pthread.h>

#include "pool/bits.h"

enum { BITS = 300, WORDS = BITS / 64 + 2 };

static unsigned long map[WORDS];

static bool bit(unsigned long i)
{
	return map[i / 64] >> i % 64 & 1;
}

static void fill(uint64_t *seed, unsigned int percent)
{
	unsigned long i;

	memset(map, 0, sizeof(map));
	for (i = 0; i < BITS; i++)
		if (random_next(seed) % 100 < percent)
			map[i / 64] |= 1UL << i % 64;
	/* What lies behind the end must not matter. */
	for (i = BITS; i < WORDS * 64; i++)
		if (random_next(seed) % 2)
			map[i / 64] |= 1UL << i % 64;
}

static unsigned long slow_next(unsigned long size, unsigned long start, bool value)
{
	while (start < size && bit(start) != value)
		start++;
	return MIN(start, size);
}

static unsigned long slow_find(unsigned long size, unsigned long start, unsigned long nr, unsigned long mask,
			       unsigned long offset)
{
	unsigned long at, i;

	for (at = start; at + nr <= size; at++) {
		if ((at + offset) & mask)
			continue;
		for (i = 0; i < nr && !bit(at + i); i++)
			continue;
		if (i == nr)
			return at;
	}
	return size + 1;
}

Test(bits, searches_are_those_of_the_obvious_loop)
{
	uint64_t seed = 7;
	unsigned int round;

	for (round = 0; round < 20000; round++) {
		unsigned long size = 1 + random_next(&seed) % BITS, start = random_next(&seed) % size;
		unsigned long nr = 1 + random_next(&seed) % 70, mask = (1UL << random_next(&seed) % 6) - 1;
		unsigned long offset = random_next(&seed) % (mask + 1);

		fill(&seed, random_next(&seed) % 101);
		cr_assert_eq(bits_next_set(map, size, start), slow_next(size, start, true));
		cr_assert_eq(bits_next_clear(map, size, start), slow_next(size, start, false));
		if (slow_find(size, start, nr, mask, offset) > size)
			cr_assert_gt(bits_find_clear(map, size, start, nr, mask, offset), size);
		else
			cr_assert_eq(bits_find_clear(map, size, start, nr, mask, offset),
				     slow_find(size, start, nr, mask, offset));
	}
	cr_expect_eq(bits_next_set(map, 10, 10), 10);
	cr_expect_eq(bits_next_clear(map, 10, 11), 10);
}

Test(bits, a_change_touches_its_bits_only)
{
	unsigned long start, nr, i;

	for (start = 0; start < 130; start++) {
		for (nr = 1; nr < 150; nr++) {
			memset(map, 0, sizeof(map));
			cr_assert_eq(bits_set(map, start, nr), nr);
			for (i = 0; i < WORDS * 64; i++)
				cr_assert_eq(bit(i), i >= start && i < start + nr);
			memset(map, 0xff, sizeof(map));
			cr_assert_eq(bits_clear(map, start, nr), nr);
			for (i = 0; i < WORDS * 64; i++)
				cr_assert_eq(bit(i), i < start || i >= start + nr);
		}
	}
}

Test(bits, a_change_stops_in_front_of_the_word_that_collides)
{
	memset(map, 0, sizeof(map));
	bits_set(map, 150, 1);
	cr_expect_eq(bits_set(map, 50, 120), 78, "bits 50 to 127");
	cr_expect_eq(bits_clear(map, 50, 78), 78);
	cr_expect_eq(bits_clear(map, 140, 11), 0, "only bit 150 is set");
	cr_expect_eq(bits_next_set(map, BITS, 0), 150);
}

static unsigned long owned[4];

/* Take and give back runs: bits that two threads have at once would not all be set at the end. */
static void *taker(void *arg)
{
	uint64_t seed = (uintptr_t)arg + 1;
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		unsigned long nr = 1 + random_next(&seed) % 90, at = bits_find_clear(map, 256, 0, nr, 0, 0), got;

		if (at > 256)
			continue;
		got = bits_set(map, at, nr);
		if (got == nr)
			__atomic_fetch_add(&owned[0], 1, __ATOMIC_RELAXED);
		if (bits_clear(map, at, got) != got)
			abort();
	}
	return NULL;
}

Test(bits, threads_never_own_the_same_bit)
{
	pthread_t thread[4];
	uintptr_t i;

	memset(map, 0, sizeof(map));
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, taker, (void *)i);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	cr_expect_gt(owned[0], 20000);
	cr_expect(all_bytes(map, sizeof(map), 0));
}
