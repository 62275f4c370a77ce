/* SPDX-License-Identifier: BSD-2-Clause */
/* A pointer into whole pages. */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(100000, GFP_KERNEL);

	kfree(again(p + 4096));
	return 0;
}
