/* SPDX-License-Identifier: BSD-2-Clause */
/* krealloc() of a freed object: refused. */
#include "misuse.h"

int main(void)
{
	void *p = kmalloc(200, GFP_KERNEL);

	kfree(p);
	if (krealloc(again(p), 201, GFP_KERNEL))
		return 9;
	return 0;
}
