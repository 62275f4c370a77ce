/* SPDX-License-Identifier: BSD-2-Clause */
/* A pointer into an object. */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(128, GFP_KERNEL);

	kfree(again(p + 1));
	return 0;
}
