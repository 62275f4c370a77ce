/* SPDX-License-Identifier: BSD-2-Clause */
/* A flag that no kernel has: NULL and one line. */
#include "misuse.h"

int main(void)
{
	if (kmem_cache_create("victim", 64, 0, 0x80000000u, NULL))
		return 9;
	return 0;
}
