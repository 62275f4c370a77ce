/* SPDX-License-Identifier: BSD-2-Clause */
/* scope.c - thread scopes; see scope.h. A save returns what the restore takes, so scopes nest. */
#include "page/scope.h"

__thread unsigned int scope_flags;

static unsigned int save(unsigned int flag)
{
	unsigned int before = scope_flags & flag;

	scope_flags |= flag;
	return before;
}

static void restore(unsigned int flag, unsigned int before)
{
	scope_flags = (scope_flags & ~flag) | (before & flag);
}

KMEM_API unsigned int memalloc_noreclaim_save(void)
{
	return save(SCOPE_MEMALLOC);
}

KMEM_API void memalloc_noreclaim_restore(unsigned int before)
{
	restore(SCOPE_MEMALLOC, before);
}

KMEM_API unsigned int memalloc_nofs_save(void)
{
	return save(SCOPE_NOFS);
}

KMEM_API void memalloc_nofs_restore(unsigned int before)
{
	restore(SCOPE_NOFS, before);
}

KMEM_API unsigned int memalloc_noio_save(void)
{
	return save(SCOPE_NOIO);
}

KMEM_API void memalloc_noio_restore(unsigned int before)
{
	restore(SCOPE_NOIO, before);
}

KMEM_API gfp_t current_gfp_context(gfp_t gfp)
{
	return scope_gfp(gfp);
}
