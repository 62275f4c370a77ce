/* SPDX-License-Identifier: BSD-2-Clause */
/* backend.h - what is known of the allocator below a mempool. */
#ifndef POOL_BACKEND_H
#define POOL_BACKEND_H

#include <kmem/mempool.h>

#include "pool/table.h"

/* Fill in kind, element size, poisoning and a name. */
void backend_describe(struct kmem_mempool *m, mempool_alloc_t *alloc_fn, void *pool_data);

#endif
