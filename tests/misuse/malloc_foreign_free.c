/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of the C library given to kfree(). */
#include "misuse.h"

int main(void)
{
	void *p = malloc(100);

	kfree(again(p));
	return 0;
}
