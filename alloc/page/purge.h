/* SPDX-License-Identifier: BSD-2-Clause */
/* purge.h - giving free memory back to the system. */
#ifndef PAGE_PURGE_H
#define PAGE_PURGE_H

#include "page/page.h"

/* Give back free blocks of at least min_order until at most `keep` dirty pages are left. Return: bytes. */
size_t purge_blocks(unsigned int min_order, uint64_t keep);

/* Called after pages were freed: purges when the policy says so. */
void purge_maybe(void);

#endif
