/* SPDX-License-Identifier: BSD-2-Clause */
/* The middle of an array given to free_percpu(). */
#include <kmem/percpu.h>

#include "misuse.h"

int main(void)
{
	long *p = __alloc_percpu(4 * sizeof(long), 8);

	free_percpu(again(p + 1));
	return 0;
}
