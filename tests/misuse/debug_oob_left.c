/* SPDX-License-Identifier: BSD-2-Clause */
/* A byte written in front of an object. */
#include "misuse.h"

int main(void)
{
	char *p = again(kmalloc(15, GFP_KERNEL));

	p[-1] = 'x';
	kfree(p);
	return 0;
}
