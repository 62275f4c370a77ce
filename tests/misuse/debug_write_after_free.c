/* SPDX-License-Identifier: BSD-2-Clause */
/* An object written to after it was freed: found when it is next handed out. */
#include "misuse.h"

int main(void)
{
	char *p = again(kmalloc(96, GFP_KERNEL));

	kfree(p);
	((char *)again(p))[33] = 'x';
	kfree(kmalloc(96, GFP_KERNEL));
	return 0;
}
