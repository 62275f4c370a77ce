/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of vmalloc() given to kfree(). */
#include "misuse.h"

#include <kmem/vmalloc.h>

int main(void)
{
	kfree(again(vmalloc(20000)));
	return 0;
}
