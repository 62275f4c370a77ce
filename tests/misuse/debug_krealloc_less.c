/* SPDX-License-Identifier: BSD-2-Clause */
/* A byte written behind what krealloc() shrank an object to. */
#include "misuse.h"

int main(void)
{
	char *p = again(krealloc(kmalloc(250, GFP_KERNEL), 201, GFP_KERNEL));

	p[201] = 'x';
	kfree(p);
	return 0;
}
