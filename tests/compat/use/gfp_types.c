// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/gfp_types.h: the numbers are the kernel's. */
#include <linux/gfp_types.h>

int main(void)
{
	return GFP_KERNEL != 0xcc0 || GFP_ATOMIC != 0x820 || __GFP_ZERO != 0x100 || __GFP_ACCOUNT != 0x400000;
}
