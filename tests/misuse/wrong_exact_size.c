/* SPDX-License-Identifier: BSD-2-Clause */
/* free_pages_exact() with another size. */
#include "misuse.h"

int main(void)
{
	free_pages_exact(alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL), 4 * PAGE_SIZE);
	return 0;
}
