/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples on and off, while the program runs. */
#include "support.h"

#include <errno.h>

#include <kmem/slab.h>

#include "base/sample.h"
#include "base/trace.h"
#include "entry/control.h"
#include "entry/init.h"
#include "slab/sampling.h"

#define INTERVAL 16384u

Test(sampling, off_and_on_again)
{
	struct kmem_cache *s = kmem_cache_create("switched", 64, 0, 0, NULL);
	void *object[4000], *kept[4000];
	uint64_t taken;
	unsigned int k;

	kmem_init();
	sample_seed(7);
	cr_assert_eq(sampling_set(INTERVAL), 0);
	for (k = 0; k < 4000; k++) {
		object[k] = kmem_cache_alloc(s, GFP_KERNEL);
		kept[k] = kmalloc(64, GFP_KERNEL);
	}
	cr_expect_gt(sample_root.taken, 0);
	cr_expect_eq(sampling_set(0), 0);
	cr_expect(!trace_on(TRACE_KMEM_CACHE_ALLOC));
	taken = sample_root.taken;
	for (k = 0; k < 100000; k++)
		kfree(kmalloc(64, GFP_KERNEL));
	cr_expect_eq(sample_root.taken, taken);
	for (k = 0; k < 4000; k++) {
		kfree(kept[k]);
		kmem_cache_free(s, object[k]);
	}
	cr_expect_eq(sample_root.live, 0);
	cr_expect_eq(sample_root.freed + sample_root.forgotten, sample_root.taken);
	/* A slot that was never counting is called: the loop below never leaves the fast path by itself. */
	cr_expect_eq(sampling_set(INTERVAL), 0);
	for (k = 0; k < 200000; k++)
		kfree(kmalloc(64, GFP_KERNEL));
	cr_expect_gt(sample_root.taken - taken, 500);
	cr_expect_eq(sampling_set(100), -EINVAL);
}

Test(sampling, an_observer_may_ask_for_it)
{
	unsigned int k;

	kmem_init();
	cr_expect_eq(control_write(1, "sample", 4095), -EINVAL);
	cr_expect_eq(control_write(1, "sample", -1), -EINVAL);
	cr_expect_eq(control_write(1, "sample", INTERVAL), 0);
	for (k = 0; k < 100000; k++)
		kfree(kmalloc(64, GFP_KERNEL));
	cr_expect_gt(sample_root.taken, 200);
	cr_expect_eq(control_write(1, "sample", 0), 0);
	cr_expect_eq(sample_root.interval, 0);
}
