/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of the C library given to kmem_cache_free(). */
#include "misuse.h"

int main(void)
{
	kmem_cache_free(cache("victim", 64), again(malloc(64)));
	return 0;
}
