// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/vmalloc.h. */
#include <linux/vmalloc.h>

int main(void)
{
	char *p = vzalloc(100000), *q = vmalloc_array(1000, 8), *r = __vmalloc(10, GFP_KERNEL | __GFP_ZERO);
	int rc = !p || !q || !r || p[99999];

	p = vrealloc(p, 200000, GFP_KERNEL);
	p[199999] = 1;
	vfree(p);
	vfree(q);
	vfree(r);
	vfree(NULL);
	return rc;
}
