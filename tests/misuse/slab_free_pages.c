/* SPDX-License-Identifier: BSD-2-Clause */
/* A slab object given to free_pages(). */
#include "misuse.h"

int main(void)
{
	free_pages((unsigned long)kmalloc(4096, GFP_KERNEL), 0);
	return 0;
}
