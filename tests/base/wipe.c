/* SPDX-License-Identifier: BSD-2-Clause */
/* init_on_alloc, init_on_free: two switches, and calls are watched while one is on. */
#include "support.h"

#include "base/trace.h"
#include "base/wipe.h"

Test(wipe, switches)
{
	cr_expect(!wipe_on_alloc() && !wipe_on_free());
	cr_expect_eq(wipe_gfp(GFP_NOWAIT), GFP_NOWAIT);
	kmem_set_init_on_alloc(true);
	cr_expect(wipe_on_alloc() && !wipe_on_free());
	cr_expect_eq(wipe_gfp(GFP_NOWAIT), GFP_NOWAIT | __GFP_ZERO);
	kmem_set_init_on_alloc(false);
	kmem_set_init_on_free(true);
	cr_expect(!wipe_on_alloc() && wipe_on_free());
}

Test(wipe, watched_while_one_is_on)
{
	kmem_set_init_on_alloc(true);
	kmem_set_init_on_alloc(true);
	kmem_set_init_on_free(true);
	kmem_set_init_on_alloc(false);
	cr_expect(trace_on(TRACE_KMALLOC));
	kmem_set_init_on_free(false);
	cr_expect(!trace_on(TRACE_KMALLOC), "two on and two off are even");
}
