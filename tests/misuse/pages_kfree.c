/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of alloc_pages() given to kfree(). */
#include "misuse.h"

int main(void)
{
	kfree((void *)__get_free_pages(GFP_KERNEL, 1));
	return 0;
}
