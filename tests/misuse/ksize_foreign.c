/* SPDX-License-Identifier: BSD-2-Clause */
/* ksize() of somebody else's memory. */
#include "misuse.h"

int main(void)
{
	static int own;

	if (ksize(again(&own)))
		return 9;
	return 0;
}
