/* SPDX-License-Identifier: BSD-2-Clause */
/* A byte written behind an object of whole pages. */
#include "misuse.h"

int main(void)
{
	char *p = again(kmalloc(8192 + 10, GFP_KERNEL));

	p[8192 + 10] = 'x';
	kfree(p);
	return 0;
}
