/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages freed with another order. */
#include "misuse.h"

int main(void)
{
	__free_pages(alloc_pages(GFP_KERNEL, 2), 1);
	return 0;
}
