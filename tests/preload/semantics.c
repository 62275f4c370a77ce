/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * semantics.c - what a program may expect of malloc() and its family: errno, zero
 * sizes, sizes that cannot be, alignment, every kind of realloc(). Holds for
 * glibc's and any other, so it is run natively, too. semantics [ALIGN]: what the
 * smallest blocks are aligned to.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static int failures;
static size_t small_align = 16;

#define CHECK(condition, ...)                                              \
	do {                                                               \
		if (!(condition)) {                                        \
			printf("line %d: %s:", __LINE__, #condition);      \
			printf(" " __VA_ARGS__);                           \
			printf("\n");                                      \
			if (++failures > 20)                               \
				exit(1);                                   \
		}                                                          \
	} while (0)

/* Nothing that the compiler could see through. */
static void *(*volatile do_malloc)(size_t) = malloc;
static void *(*volatile do_calloc)(size_t, size_t) = calloc;
static void *(*volatile do_realloc)(void *, size_t) = realloc;
static void *(*volatile do_reallocarray)(void *, size_t, size_t) = reallocarray;
static void *(*volatile do_memalign)(size_t, size_t) = memalign;
static void *(*volatile do_aligned_alloc)(size_t, size_t) = aligned_alloc;
static int (*volatile do_posix_memalign)(void **, size_t, size_t) = posix_memalign;
static void *(*volatile do_valloc)(size_t) = valloc;
static void *(*volatile do_pvalloc)(size_t) = pvalloc;
static void (*volatile do_free)(void *) = free;
static size_t (*volatile usable)(void *) = malloc_usable_size;

static uint64_t state = 1;

static size_t random_below(size_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(state >> 33) % n;
}

static int all(const unsigned char *p, size_t bytes, unsigned char value)
{
	return !bytes || (p[0] == value && !memcmp(p, p + 1, bytes - 1));
}

/* ---- sizes that cannot be ---- */

/* An object of whole pages does not become one of 2^44 bytes and a few by growing where it is. */
static void refused_in_place(size_t size)
{
	void *p = do_malloc(20000);

	errno = 0;
	CHECK(!do_realloc(p, size) && errno == ENOMEM, "%zx", size);
	do_free(p);
}

static void refused(size_t size)
{
	void *p = do_malloc(100), *q;

	memset(p, 7, 100);
	errno = 0;
	CHECK(!do_malloc(size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_calloc(1, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_calloc(size, 1) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_realloc(NULL, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_realloc(p, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_reallocarray(p, 1, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_reallocarray(NULL, size, 1) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_memalign(8, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_memalign(64, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_memalign(MIB, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_aligned_alloc(64, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_aligned_alloc(16, size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_valloc(size) && errno == ENOMEM, "%zx", size);
	errno = 0;
	CHECK(!do_pvalloc(size) && errno == ENOMEM, "%zx", size);
	q = p;
	CHECK(do_posix_memalign(&q, 8, size) == ENOMEM && q == p, "%zx", size);
	CHECK(do_posix_memalign(&q, 4096, size) == ENOMEM && q == p, "%zx", size);
	CHECK(all(p, 100, 7));
	do_free(p);
	p = do_malloc(6 * MIB);
	errno = 0;
	CHECK(!do_realloc(p, size) && errno == ENOMEM, "%zx", size);
	do_free(p);
}

static void sizes_that_cannot_be(void)
{
	static const size_t near[] = { 0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 4095, 4096, 4097, 65536, MIB, 2 * MIB, 4 * MIB };
	size_t i;

	for (i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		refused(SIZE_MAX - near[i]);
		refused((size_t)PTRDIFF_MAX - near[i]);
		refused((size_t)PTRDIFF_MAX + near[i]);
		refused(((size_t)1 << 62) + near[i]);
		refused(((size_t)1 << 47) + near[i]);
		refused_in_place(((size_t)1 << 47) + near[i]);
		refused_in_place((size_t)PTRDIFF_MAX - near[i]);
	}
}

static void products_that_overflow(void)
{
	static const size_t pair[][2] = {
		{ SIZE_MAX, 2 }, { 2, SIZE_MAX }, { SIZE_MAX / 2 + 1, 2 }, { SIZE_MAX / 3 + 1, 3 }, { (size_t)1 << 32, (size_t)1 << 32 },
		{ SIZE_MAX, SIZE_MAX }, { ((size_t)1 << 32) + 1, (size_t)1 << 32 }, { 1, SIZE_MAX }, { (size_t)1 << 61, 8 },
		{ (SIZE_MAX >> 4) + 2, 16 }, /* 16 by the low bits */
	};
	unsigned int i;

	for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		void *p = do_malloc(50);

		memset(p, 9, 50);
		errno = 0;
		CHECK(!do_calloc(pair[i][0], pair[i][1]) && errno == ENOMEM, "%u", i);
		errno = 0;
		CHECK(!do_reallocarray(p, pair[i][0], pair[i][1]) && errno == ENOMEM, "%u", i);
		errno = 0;
		CHECK(!do_reallocarray(NULL, pair[i][0], pair[i][1]) && errno == ENOMEM, "%u", i);
		CHECK(all(p, 50, 9), "%u", i);
		do_free(p);
	}
}

/* ---- errno ---- */

static void nothing_that_works_touches_errno(void)
{
	static const size_t size[] = { 0, 1, 100, 5000, 8193, 100000, 5 * MIB, 40 * MIB };
	unsigned int i;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		void *p, *q, *r;

		errno = 1234;
		p = do_malloc(size[i]);
		q = do_calloc(1, size[i]);
		r = do_memalign(256, size[i]);
		p = do_realloc(p, size[i] + 5000);
		p = do_realloc(p, size[i] / 2 + 1);
		do_free(p);
		do_free(q);
		do_free(r);
		do_free(do_valloc(size[i]));
		do_free(NULL);
		CHECK(errno == 1234, "%zu: %d", size[i], errno);
	}
}

static void bad_alignments(void)
{
	void *p = &p;

	errno = 1234;
	CHECK(do_posix_memalign(&p, 0, 8) == EINVAL && do_posix_memalign(&p, 4, 8) == EINVAL &&
	      do_posix_memalign(&p, 12, 8) == EINVAL && do_posix_memalign(&p, 24, 8) == EINVAL &&
	      do_posix_memalign(&p, SIZE_MAX, 8) == EINVAL);
	CHECK(p == &p && errno == 1234);
	errno = 0;
	CHECK(!do_memalign(SIZE_MAX, 8) && errno == EINVAL);
	errno = 0;
	CHECK(!do_memalign(SIZE_MAX / 2 + 2, 8) && errno == EINVAL);
}

/* ---- zero ---- */

static void zero_bytes(void)
{
	enum { NR = 2000 };
	static void *p[NR];
	void *q = NULL;
	int i, j;

	for (i = 0; i < NR; i++)
		p[i] = i % 5 == 0 ? do_malloc(0) : i % 5 == 1 ? do_calloc(0, 10) : i % 5 == 2 ? do_calloc(10, 0) :
		       i % 5 == 3 ? do_realloc(NULL, 0) : do_memalign(64, 0);
	for (i = 0; i < NR; i++) {
		CHECK(p[i] && (uintptr_t)p[i] % small_align == 0, "%d", i);
		for (j = 0; j < i && i < 100; j++)
			CHECK(p[i] != p[j], "%d %d", i, j);
	}
	for (i = 0; i < NR; i++)
		do_free(p[i]);
	CHECK(do_posix_memalign(&q, 64, 0) == 0 && q);
	do_free(q);
	/* As glibc: the object is freed. */
	errno = 1234;
	CHECK(!do_realloc(do_malloc(100), 0) && errno == 1234);
	CHECK(!do_realloc(do_malloc(100000), 0) && !do_realloc(do_malloc(6 * MIB), 0) && errno == 1234);
	CHECK(!do_reallocarray(do_malloc(100), 0, 8) && !do_reallocarray(do_malloc(100), 8, 0) && errno == 1234);
	CHECK((q = do_reallocarray(NULL, 0, 8)) != NULL);
	do_free(q);
	CHECK(usable(NULL) == 0);
}

/* ---- every size ---- */

static void every_size(void)
{
	size_t size, step;

	for (size = 0; size < 70000; size += step) {
		unsigned char *p = do_malloc(size), *q = do_malloc(size), *r = do_calloc(1, size), *s = do_realloc(NULL, size);
		size_t align = size <= 8 ? small_align : 16;

		step = size < 9000 ? 1 : 97;
		CHECK((((uintptr_t)p | (uintptr_t)q | (uintptr_t)r | (uintptr_t)s) & (align - 1)) == 0, "%zu", size);
		CHECK(usable(p) >= size && usable(q) >= size && usable(r) >= size && usable(s) >= size, "%zu", size);
		CHECK(all(r, size, 0), "%zu", size);
		/* Usable is usable, to the last byte, and nobody else's. */
		memset(p, 1, usable(p));
		memset(q, 2, usable(q));
		memset(r, 3, usable(r));
		memset(s, 4, usable(s));
		CHECK(all(p, usable(p), 1) && all(q, usable(q), 2) && all(r, usable(r), 3) && all(s, usable(s), 4), "%zu", size);
		do_free(p);
		do_free(r);
		do_free(q);
		do_free(s);
	}
}

static void every_alignment(void)
{
	static const size_t size[] = { 0, 1, 8, 9, 17, 100, 511, 4095, 4096, 4097, 8193, 100000, 5 * MIB };
	size_t align, usable_now;
	unsigned int i;

	for (align = 1; align <= 256 * MIB; align *= align < 4096 ? 2 : 16) {
		for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
			unsigned char *p = do_memalign(align, size[i]), *q = do_aligned_alloc(align, size[i]), *r = NULL;

			if (align >= sizeof(void *))
				CHECK(do_posix_memalign((void **)&r, align, size[i]) == 0, "%zx %zu", align, size[i]);
			CHECK(p && q && ((uintptr_t)p | (uintptr_t)q | (uintptr_t)r) % align == 0, "%zx %zu", align, size[i]);
			CHECK(((uintptr_t)p | (uintptr_t)q | (uintptr_t)r) % 8 == 0);
			usable_now = usable(p);
			CHECK(usable_now >= size[i]);
			memset(p, 1, usable_now);
			memset(q, 2, size[i]);
			CHECK(all(p, usable_now, 1) && all(q, size[i], 2));
			/* realloc() keeps the content, not the alignment. */
			p = do_realloc(p, size[i] * 2 + 10);
			CHECK(p && all(p, size[i], 1), "%zx %zu", align, size[i]);
			do_free(p);
			do_free(q);
			do_free(r);
		}
	}
	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		void *p = do_valloc(size[i]), *q = do_pvalloc(size[i]);

		CHECK(p && q && ((uintptr_t)p | (uintptr_t)q) % 4096 == 0);
		CHECK(usable(q) >= (size[i] + 4095) / 4096 * 4096);
		do_free(p);
		do_free(q);
	}
}

/* ---- zeroes ---- */

/* Objects that were dirty come back from calloc() zero, whatever way they went, to the last byte of what was asked. */
static void calloc_is_zero(void)
{
	static const size_t size[] = { 1, 8, 24, 100, 1000, 4096, 8000, 8192, 8193, 20000, 70000, 300000, MIB, 5 * MIB };
	void *held[64];
	unsigned int i, round, n;

	for (round = 0; round < 6; round++) {
		for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
			unsigned int nr = size[i] > MIB ? 2 : size[i] > 70000 ? 4 : 64;

			for (n = 0; n < nr; n++) {
				size_t bytes = size[i] - (round % 3 < 2 ? 0 : random_below(size[i] / 8 + 1));

				held[n] = round & 1 ? do_calloc(bytes, 1) : do_calloc(1, bytes);
				CHECK(held[n] && all(held[n], bytes, 0), "%zu", bytes);
				memset(held[n], 0xff, usable(held[n]));
			}
			for (n = 0; n < nr; n++)
				do_free(held[n]);
		}
	}
}

/* What a compiler makes of malloc() and memset() inside an allocator: calloc() that calls itself. */
static void calloc_of_all_orders(void)
{
	size_t n, size;

	for (n = 1; n < 3000; n += 7) {
		for (size = 1; size < 40; size += 3) {
			unsigned char *p = do_calloc(n, size);

			CHECK(p && all(p, n * size, 0) && usable(p) >= n * size, "%zu %zu", n, size);
			memset(p, 0x5a, n * size);
			do_free(p);
		}
	}
}

/* ---- realloc ---- */

static void realloc_keeps_what_it_should(void)
{
	enum { NR = 200, ROUNDS = 30000 };
	static unsigned char *p[NR];
	static size_t size[NR];
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		unsigned int at = (unsigned int)random_below(NR);
		size_t kind = random_below(1000), old = size[at], want, kept;

		want = kind < 600 ? random_below(600) : kind < 950 ? random_below(20000) : kind < 998 ? random_below(500000) : random_below(12 * MIB);
		want++;
		kept = old < want ? old : want;
		p[at] = do_realloc(p[at], want);
		CHECK(p[at] && usable(p[at]) >= want, "%zu -> %zu", old, want);
		CHECK((uintptr_t)p[at] % (want <= 8 ? small_align : 16) == 0, "%zu -> %zu", old, want);
		CHECK(all(p[at], kept, (unsigned char)at), "%zu -> %zu", old, want);
		memset(p[at] + kept, (int)at, want - kept);
		size[at] = want;
	}
	for (round = 0; round < NR; round++)
		do_free(p[round]);
}

/* Byte by byte across all classes, up and down: what many programs do. */
static void realloc_creeps(void)
{
	unsigned char *p = NULL;
	size_t size;

	for (size = 1; size < 20000; size++) {
		p = do_realloc(p, size);
		p[size - 1] = (unsigned char)size;
	}
	for (size = 1; size < 20000; size++)
		if (p[size - 1] != (unsigned char)size)
			break;
	CHECK(size == 20000, "%zu", size);
	for (size = 19999; size > 0; size--) {
		p = do_realloc(p, size);
		if (p[size - 1] != (unsigned char)size || p[0] != 1)
			break;
	}
	CHECK(size == 0, "%zu", size);
	do_free(p);
}

/* A fortune in few bytes: growing must not copy each time, shrinking must give back. */
static void realloc_of_large(void)
{
	static const size_t size[] = { 5, 6, 3, 7, 9, 40, 39, 4, 5, 1, 33, 20, 8 };
	unsigned char *p = do_malloc(4 * MIB);
	size_t old = 4 * MIB, i, at;

	for (at = 0; at < old; at += 4096)
		p[at] = (unsigned char)(at >> 12);
	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		size_t want = size[i] * MIB + random_below(8192), kept = old < want ? old : want;

		p = do_realloc(p, want);
		for (at = 0; at < kept; at += 4096)
			if (p[at] != (unsigned char)(at >> 12))
				break;
		CHECK(at >= kept, "%zu -> %zu at %zu", old, want, at);
		for (; at < want; at += 4096)
			p[at] = (unsigned char)(at >> 12);
		p[want - 1] = p[want - 1];
		old = want;
	}
	do_free(p);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc > 1)
		small_align = strtoul(argv[1], NULL, 10);
	sizes_that_cannot_be();
	products_that_overflow();
	nothing_that_works_touches_errno();
	bad_alignments();
	zero_bytes();
	every_size();
	every_alignment();
	calloc_is_zero();
	calloc_of_all_orders();
	realloc_keeps_what_it_should();
	realloc_creeps();
	realloc_of_large();
	printf("semantics: %d failures\n", failures);
	return failures != 0;
}
