/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of somebody else. */
#include "misuse.h"

int main(void)
{
	static int own;

	kfree(again(&own));
	return 0;
}
