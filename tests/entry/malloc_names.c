/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc_names.c - glibc's second names belong to the same heap: what one gives, the others take. */
#include <malloc.h>
#include <stdlib.h>

#include "entry/malloc_sizes.h"

void cfree(void *p);
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);
void *__libc_memalign(size_t align, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);
int __libc_mallopt(int parameter, int value);

Test(malloc_names, all_are_one_heap)
{
	unsigned int i;

	for (i = 0; i < NR_SIZES; i++) {
		void *p = __libc_malloc(sizes[i]), *q = __libc_calloc(1, sizes[i]), *r = __libc_memalign(256, sizes[i]),
		     *s = __libc_valloc(sizes[i]), *t = __libc_pvalloc(sizes[i]);

		cr_assert(p && q && r && s && t);
		cr_assert_geq(malloc_usable_size(p), sizes[i]);
		cr_assert(all_zero(q, sizes[i]));
		cr_assert_eq((uintptr_t)r % 256 | (uintptr_t)s % 4096 | (uintptr_t)t % 4096, 0);
		free(p);
		cfree(q);
		__libc_free(realloc(r, 100));
		free(__libc_realloc(s, 100));
		__libc_free(t);
		__libc_free(malloc(sizes[i]));
	}
	cfree(NULL);
	__libc_free(NULL);
	cr_expect_eq(__libc_mallopt(M_MXFAST, 1 << 20), 0);
}
