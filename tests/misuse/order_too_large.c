/* SPDX-License-Identifier: BSD-2-Clause */
/* An order beyond 10: NULL, and one line for all of them. */
#include "misuse.h"

int main(void)
{
	if (alloc_pages(GFP_KERNEL, 11) || alloc_pages(GFP_KERNEL, 12))
		return 9;
	return 0;
}
