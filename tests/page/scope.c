/* SPDX-License-Identifier: BSD-2-Clause */
/* Thread scopes mask the flags, nest, and are the thread's own. */
#include "support.h"

#include <pthread.h>

#include "page/scope.h"

Test(scope, nofs_and_noio_mask)
{
	unsigned int fs = memalloc_nofs_save(), io;

	cr_expect_eq(current_gfp_context(GFP_KERNEL), GFP_NOFS);
	io = memalloc_noio_save();
	cr_expect_eq(current_gfp_context(GFP_KERNEL), GFP_NOIO);
	memalloc_noio_restore(io);
	cr_expect_eq(current_gfp_context(GFP_KERNEL), GFP_NOFS);
	memalloc_nofs_restore(fs);
	cr_expect_eq(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
}

Test(scope, an_inner_scope_of_the_same_kind_ends_nothing)
{
	unsigned int outer = memalloc_nofs_save(), inner = memalloc_nofs_save();

	memalloc_nofs_restore(inner);
	cr_expect_eq(current_gfp_context(GFP_KERNEL), GFP_NOFS);
	memalloc_nofs_restore(outer);
	cr_expect_eq(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
}

static void *other(void *gfp)
{
	*(gfp_t *)gfp = current_gfp_context(GFP_KERNEL);
	return NULL;
}

Test(scope, other_threads_are_not_in_it)
{
	unsigned int before = memalloc_noio_save();
	pthread_t thread;
	gfp_t gfp;

	pthread_create(&thread, NULL, other, &gfp);
	pthread_join(thread, NULL);
	cr_expect_eq(gfp, GFP_KERNEL);
	memalloc_noio_restore(before);
}

Test(scope, noreclaim_nests_too)
{
	unsigned int outer = memalloc_noreclaim_save(), inner = memalloc_noreclaim_save();

	cr_expect(scope_flags & SCOPE_MEMALLOC);
	memalloc_noreclaim_restore(inner);
	cr_expect(scope_flags & SCOPE_MEMALLOC);
	memalloc_noreclaim_restore(outer);
	cr_expect_not(scope_flags & SCOPE_MEMALLOC);
}
