/* SPDX-License-Identifier: BSD-2-Clause */
/* One put_page() too many. */
#include "misuse.h"

int main(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	put_page(page);
	put_page((struct page *)again(page));
	return 0;
}
