// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/sched/mm.h. */
#include <linux/sched/mm.h>

int main(void)
{
	unsigned int noio, nofs = memalloc_nofs_save(), reclaim;
	int rc = 0;

	might_alloc(GFP_KERNEL);
	rc |= current_gfp_context(GFP_KERNEL) != GFP_NOFS;
	noio = memalloc_noio_save();
	rc |= current_gfp_context(GFP_KERNEL) != GFP_NOIO;
	memalloc_noio_restore(noio);
	memalloc_nofs_restore(nofs);
	reclaim = memalloc_noreclaim_save();
	memalloc_noreclaim_restore(reclaim);
	return rc || current_gfp_context(GFP_KERNEL) != GFP_KERNEL;
}
