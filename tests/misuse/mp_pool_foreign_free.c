/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of kmalloc() given to mp_free(). */
#include <kmem/mp_pool.h>

#include "misuse.h"

int main(void)
{
	mp_free(mp_create_pool(1024), again(kmalloc(64, GFP_KERNEL)));
	return 0;
}
