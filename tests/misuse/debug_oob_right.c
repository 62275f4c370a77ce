/* SPDX-License-Identifier: BSD-2-Clause */
/* A byte written behind what kmalloc() was asked for. */
#include "misuse.h"

int main(void)
{
	char *p = again(kmalloc(123, GFP_KERNEL));

	p[123] = 'x';
	kfree(p);
	return 0;
}
