/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU memory freed twice. */
#include <kmem/percpu.h>

#include "misuse.h"

int main(void)
{
	long *p = alloc_percpu(long);

	free_percpu(p);
	free_percpu(again(p));
	return 0;
}
