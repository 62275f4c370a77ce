/* SPDX-License-Identifier: BSD-2-Clause */
/* free_pages() of somebody else's memory. */
#include "misuse.h"

int main(void)
{
	static char own[8192];

	free_pages((unsigned long)again(own), 0);
	return 0;
}
