/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc_align.c - the functions of libkmem-malloc.so that take an alignment, with errno and edge cases as glibc has them. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "entry/malloc_sizes.h"

Test(aligned, every_alignment_to_4_mib_with_every_size)
{
	size_t align;
	unsigned int i;

	for (align = 8; align <= 4 * MIB; align *= 2) {
		for (i = 0; i < NR_SIZES; i++) {
			void *p = aligned_alloc(align, sizes[i]), *q = memalign(align, sizes[i]), *r = NULL;

			cr_assert_eq(posix_memalign(&r, align, sizes[i]), 0);
			cr_assert(p && q && r, "%zu %zu", align, sizes[i]);
			cr_assert_eq((uintptr_t)p % align, 0);
			cr_assert_eq((uintptr_t)q % align, 0);
			cr_assert_eq((uintptr_t)r % align, 0);
			cr_assert_geq(malloc_usable_size(p), sizes[i]);
			fill(p, sizes[i], 1);
			fill(q, sizes[i], 2);
			fill(r, sizes[i], 3);
			cr_assert(intact(p, sizes[i], 1));
			cr_assert(intact(q, sizes[i], 2));
			free(p);
			free(q);
			free(r);
		}
	}
}

Test(aligned, posix_memalign_returns_its_errors)
{
	void *p = (void *)8;

	errno = 1234;
	cr_expect_eq(posix_memalign(&p, 0, 8), EINVAL);
	cr_expect_eq(posix_memalign(&p, 4, 8), EINVAL, "less than a pointer");
	cr_expect_eq(posix_memalign(&p, 24, 8), EINVAL);
	cr_expect_eq(posix_memalign(&p, 64, hidden(SIZE_MAX)), ENOMEM);
	cr_expect_eq(posix_memalign(&p, 65536, hidden((size_t)1 << 50)), ENOMEM);
	cr_expect_eq(p, (void *)8, "untouched on failure");
	cr_expect_eq(errno, 1234);
	cr_expect_eq(posix_memalign(&p, 8, hidden(0)), 0);
	cr_expect_neq(p, NULL);
	free(p);
}

Test(aligned, aligned_alloc_and_memalign_set_errno)
{
	errno = 0;
	cr_expect_null(aligned_alloc(hidden(24), 8));
	cr_expect_eq(errno, EINVAL);
	errno = 0;
	cr_expect_null(aligned_alloc(hidden(64), hidden(SIZE_MAX)));
	cr_expect_eq(errno, ENOMEM);
	errno = 0;
	cr_expect_null(memalign(hidden(SIZE_MAX), 8));
	cr_expect_eq(errno, EINVAL);
}

Test(aligned, memalign_rounds_up_to_a_power_of_two)
{
	void *p = memalign(hidden(24), 100), *q = memalign(hidden(0), 100);

	cr_expect_eq((uintptr_t)p % 32, 0);
	cr_expect_not_null(q);
	free(p);
	free(q);
}

Test(aligned, valloc_and_pvalloc_give_pages)
{
	void *p = valloc(hidden(100)), *q = pvalloc(hidden(5000)), *r = pvalloc(hidden(0));

	cr_expect_eq((uintptr_t)p % 4096, 0);
	cr_expect_eq((uintptr_t)q % 4096, 0);
	cr_expect_geq(malloc_usable_size(q), 8192);
	cr_expect_geq(malloc_usable_size(r), 4096);
	errno = 0;
	cr_expect_null(pvalloc(hidden(SIZE_MAX)));
	cr_expect_eq(errno, ENOMEM);
	free(p);
	free(q);
	free(r);
}

Test(aligned, aligned_objects_may_be_resized)
{
	char *p = aligned_alloc(hidden(4096), 100);

	fill(p, 100, 5);
	p = realloc(p, 100000);
	cr_expect(intact(p, 100, 5));
	p = realloc(p, 50);
	cr_expect(intact(p, 50, 5));
	free(p);
	p = memalign(hidden(MIB), 5 * MIB);
	fill(p, 5 * MIB, 6);
	p = realloc(p, 9 * MIB);
	cr_expect(intact(p, 5 * MIB, 6));
	free(p);
}
