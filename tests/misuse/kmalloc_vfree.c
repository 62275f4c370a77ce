/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of kmalloc() given to vfree(). */
#include "misuse.h"

#include <kmem/vmalloc.h>

int main(void)
{
	void *p = kmalloc(20000, GFP_KERNEL);

	vfree(again(p));
	kfree(p);
	return 0;
}
