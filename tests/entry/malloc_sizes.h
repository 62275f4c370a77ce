/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc_sizes.h - sizes around every border of malloc(), patterns in objects, and what keeps the compiler from folding calls. */
#ifndef TESTS_ENTRY_MALLOC_SIZES_H
#define TESTS_ENTRY_MALLOC_SIZES_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* A size that the compiler does not know: it would fold or warn. */
static inline size_t hidden(size_t size)
{
	__asm__("" : "+r"(size));
	return size;
}

/* A pointer whose object the compiler has forgotten. */
static inline void *laundered(void *p)
{
	void *forgotten;

	__asm__("" : "=r"(forgotten) : "0"(p) : "memory");
	return forgotten;
}

static const size_t sizes[] = {
	0, 1, 8, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 192, 255, 256, 257, 500, 512, 513, 1000,
	1023, 1024, 1025, 2000, 2048, 2049, 4000, 4095, 4096, 4097, 5000, 6144, 6145, 8191, 8192, 8193, 12288, 12289,
	16384, 30000, 65536, 65537, 100000, 131072, 262145, MIB - 1, MIB, MIB + 1, 3 * MIB, 4 * MIB - 1, 4 * MIB,
	4 * MIB + 1, 5 * MIB, 8 * MIB, 8 * MIB + 1, 20 * MIB,
};
enum { NR_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

/* A pattern that says where it is and whose it is. */
static inline void fill(void *p, size_t bytes, unsigned int seed)
{
	uint8_t *at = p;
	size_t i, step = bytes > 65536 ? 509 : 1;

	for (i = 0; i < bytes; i += step)
		at[i] = (uint8_t)(i * 31 + seed);
	if (bytes)
		at[bytes - 1] = (uint8_t)((bytes - 1) * 31 + seed);
}

static inline int intact(const void *p, size_t bytes, unsigned int seed)
{
	const uint8_t *at = p;
	size_t i, step = bytes > 65536 ? 509 : 1;

	for (i = 0; i < bytes; i += step)
		if (at[i] != (uint8_t)(i * 31 + seed))
			return 0;
	return 1;
}

static inline int all_zero(const void *p, size_t bytes)
{
	const uint8_t *at = p;

	return !bytes || (!at[0] && !memcmp(at, at + 1, bytes - 1));
}

#endif
