/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.c - start of the layer of pools, and fork(); see pool.h. */
#include "pool/pool.h"

#include "pool/pcpu.h"
#include "pool/reserve.h"
#include "pool/table.h"

int pool_init(void)
{
	int rc = table_init();

	return rc ? rc : pcpu_init();
}

void pool_lock_for_fork(void)
{
	uint32_t i;

	table_lock_for_fork();
	for (i = 0; i < pools.nr_mempools; i++)
		lock_for_fork(&table_mempool(i)->lock, false);
	for (i = 0; i < pools.nr_genpools; i++)
		lock_for_fork(&table_genpool(i)->lock, false);
	pcpu_lock_for_fork();
}

void pool_unlock_after_fork(bool child)
{
	uint32_t i;

	pcpu_unlock_after_fork(child);
	for (i = 0; i < pools.nr_genpools; i++)
		lock_after_fork(&table_genpool(i)->lock, child);
	for (i = 0; i < pools.nr_mempools; i++) {
		if (child)
			reserve_after_fork(table_mempool(i));
		else
			lock_after_fork(&table_mempool(i)->lock, false);
	}
	table_unlock_after_fork(child);
}
