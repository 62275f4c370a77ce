// SPDX-License-Identifier: BSD-2-Clause
/* One byte too much: the fortified memset() ends the program. */
#include <stdlib.h>
#include <string.h>
#include <linux/slab.h>

int main(int argc, char **argv)
{
	char *p = kmalloc(40, GFP_KERNEL);

	memset(p, 0, argc > 1 ? strtoul(argv[1], NULL, 10) : 40);
	kfree(p);
	return 0;
}
