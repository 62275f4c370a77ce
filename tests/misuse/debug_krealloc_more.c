/* SPDX-License-Identifier: BSD-2-Clause */
/* A byte written behind what krealloc() grew an object to. */
#include "misuse.h"

int main(void)
{
	char *p = again(krealloc(kmalloc(201, GFP_KERNEL), 235, GFP_KERNEL));

	p[235] = 'x';
	kfree(p);
	return 0;
}
