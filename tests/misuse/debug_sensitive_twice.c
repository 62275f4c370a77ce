/* SPDX-License-Identifier: BSD-2-Clause */
/* kfree_sensitive() of a freed object: nothing is cleared. */
#include "misuse.h"

int main(void)
{
	void *p = kmalloc(128, GFP_KERNEL);

	kfree_sensitive(p);
	kfree_sensitive(again(p));
	return 0;
}
