/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* scalar.bpf.h - turns a pointer into a number that the verifier lets us compute with. */
#ifndef SCALAR_BPF_H
#define SCALAR_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/*
 * The verifier refuses arithmetic on map pointers, map values of unknown bounds
 * and results of kfuncs. Read back from the stack, the same bits are a number.
 */
static __always_inline __u64 scalar_of(const void *ptr)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &ptr);
	return number;
}

#endif
