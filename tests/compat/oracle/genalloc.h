/* SPDX-License-Identifier: BSD-2-Clause */
/* genalloc.h - the kernel's genpool behind names of its own, beside that of libkmem. */
#ifndef TESTS_ORACLE_GENALLOC_H
#define TESTS_ORACLE_GENALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum algo {
	FIRST_FIT,
	FIRST_FIT_ALIGN,
	FIRST_FIT_ORDER_ALIGN,
	BEST_FIT,
	FIXED,
	NR_ALGOS
};

void *oracle_create(int order);
int oracle_add(void *pool, unsigned long addr, uint64_t phys, size_t size, void *owner);
unsigned long oracle_alloc(void *pool, size_t size, enum algo algo, void *data, void **owner);
void oracle_free(void *pool, unsigned long addr, size_t size, void **owner);
size_t oracle_avail(void *pool);
size_t oracle_size(void *pool);
bool oracle_has_addr(void *pool, unsigned long addr, size_t size);
uint64_t oracle_phys(void *pool, unsigned long addr);
void oracle_destroy(void *pool);

#endif
