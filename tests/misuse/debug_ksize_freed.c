/* SPDX-License-Identifier: BSD-2-Clause */
/* ksize() of a freed object: 0. */
#include "misuse.h"

int main(void)
{
	void *p = kmalloc(120, GFP_KERNEL);

	kfree(p);
	if (ksize(again(p)))
		return 9;
	return 0;
}
