/* SPDX-License-Identifier: BSD-2-Clause */
/* A page freed twice. */
#include "misuse.h"

int main(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	__free_page((struct page *)again(page));
	return 0;
}
