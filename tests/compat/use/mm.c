// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/mm.h. */
#include <linux/mm.h>

int main(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct page *compound = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	char *mem = page_address(page), *copy = kvmalloc(PAGE_SIZE, GFP_KERNEL), *area = vmalloc(2 * PAGE_SIZE);
	int rc;

	clear_page(mem);
	copy_page(copy, mem);
	rc = copy[PAGE_SIZE - 1] || virt_to_page(mem + 100) != page || offset_in_page(mem + 100) != 100;
	rc |= !PAGE_ALIGNED(mem) || PAGE_ALIGN(1) != PAGE_SIZE || PAGE_ALIGN_DOWN(PAGE_SIZE + 1) != PAGE_SIZE;
	rc |= !is_vmalloc_addr(area + PAGE_SIZE) || page_address(vmalloc_to_page(area)) != area;
	rc |= get_order(3 * PAGE_SIZE) != 2;
	rc |= page_size(compound) != 4 * PAGE_SIZE;
	rc |= virt_to_head_page((char *)page_address(compound) + 3 * PAGE_SIZE) != compound;
	__free_pages(compound, 2);
	get_page(page);
	put_page(page);
	__free_page(page);
	kvfree(copy);
	kvfree(area);
	return rc;
}
