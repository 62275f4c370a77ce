/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole pages freed twice. */
#include "misuse.h"

int main(void)
{
	void *p = kmalloc(100000, GFP_KERNEL);

	kfree(p);
	kfree(again(p));
	return 0;
}
