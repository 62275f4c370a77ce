// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/gfp.h. */
#include <linux/gfp.h>

#if PAGE_SIZE != 4096 || PAGE_SHIFT != 12
#error "a constant of the preprocessor in the kernel"
#endif

/* As xarray.h does: what the flags leave of a word holds marks. */
#define MARK(n) ((gfp_t)((1U << __GFP_BITS_SHIFT) << (n)))

int main(void)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO, 2), *pages[4] = { NULL };
	unsigned long addr = __get_free_pages(GFP_KERNEL, 1), one = get_zeroed_page(GFP_KERNEL);
	void *exact = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL);

	if (!page || !addr || !one || !exact || alloc_pages_bulk(GFP_KERNEL, 4, pages) != 4)
		return 1;
	if (MARK(2) & __GFP_BITS_MASK || (GFP_KERNEL & ~__GFP_BITS_MASK) || !gfpflags_allow_blocking(GFP_KERNEL))
		return 2;
	__free_pages(page, 2);
	free_pages(addr, 1);
	free_page(one);
	free_pages_exact(exact, 3 * PAGE_SIZE);
	for (int i = 0; i < 4; i++)
		__free_page(pages[i]);
	return gfpflags_allow_blocking(GFP_ATOMIC);
}
