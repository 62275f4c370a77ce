/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_kernel.h - what both labs in the kernel share: reading the state of the script's caches, their tunables.
 */
#ifndef COMMON_LAB_KERNEL_H
#define COMMON_LAB_KERNEL_H

#include "common/kcaches.h"
#include "common/lab.h"

struct lab_kernel {
	struct kcaches *kcaches;
	char name[SCRIPT_CACHES][KMEM_INFO_NAME_BYTES]; /* of the script's caches in the kernel */
	long min_partial[SCRIPT_CACHES], cpu_partial[SCRIPT_CACHES]; /* to be restored; -1: not changed */
};

/* Open the walker. lab_kernel_close() in any case. */
int lab_kernel_open(struct lab_kernel *lk, struct lab *lab);

/* Set what the script sets, once the names are known. lab_kernel_close() sets it back. */
int lab_kernel_tune(struct lab_kernel *lk, struct lab *lab);

/* The rows of the script's caches. */
int lab_kernel_read(struct lab_kernel *lk, struct lab *lab, struct kmem_cache_info *row);

/* Give back what cache i holds in reserve. */
int lab_kernel_shrink(struct lab_kernel *lk, struct lab *lab, unsigned int i);

/* Caches start without slabs: shrink them; -EBUSY for one that somebody else uses. */
int lab_kernel_empty(struct lab_kernel *lk, struct lab *lab);

void lab_kernel_close(struct lab_kernel *lk);

#endif
