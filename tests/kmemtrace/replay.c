/* SPDX-License-Identifier: BSD-2-Clause */
/* replay.c - a window made by hand: slabs from before it, events, silence. With a real kernel: predict.sh. */
#include "kmemtrace/replay.h"

#include <criterion/criterion.h>

#define SLAB(n) (UINT64_C(0xffff888000000000) + (uint64_t)(n) * 4096)

static struct kmem_slab_info begin[] = {
	{ .address = SLAB(1), .place = KMEM_SLAB_CPU, .objects = 4, .inuse = 4, .cpu_free = 1 },
	{ .address = SLAB(2), .place = KMEM_SLAB_NODE_PARTIAL, .objects = 4, .inuse = 1 },
};
static struct kmem_slab_info end[3];
static struct window_cache cache = {
	.row = { .name = "c", .size = 1024, .objects_per_slab = 4, .min_partial = 5, .cpu_partial_max = 2 },
	.begin = { .moment = { .end_ns = 10, .slabs = 3, .objects = 12 }, .slabs = begin, .nr_slabs = 2 },
	.end = { .moment = { .begin_ns = 100 }, .slabs = end },
};
static struct window_event event[8];
static struct window w = { .cache = &cache, .nr_caches = 1, .event = event, .nr_cpus = 1 };
static struct replay_result r;

static void add(bool alloc, uint64_t address)
{
	event[w.nr_events] = (struct window_event){ .time_ns = 20 + w.nr_events, .address = address, .alloc = alloc };
	w.nr_events++;
}

static void real(uint64_t slabs, unsigned int listed)
{
	cache.end.moment.slabs = slabs;
	cache.end.moment.objects = 4 * slabs;
	cache.end.nr_slabs = listed;
}

Test(replay, old_slabs_and_new)
{
	add(true, SLAB(1));       /* the last of the CPU slab */
	add(true, SLAB(2));       /* from the partial slab, which becomes the CPU slab */
	add(false, SLAB(3) + 1024); /* of a full slab that nobody has seen: to the CPU's list */
	add(false, SLAB(1));
	end[0] = (struct kmem_slab_info){ .place = KMEM_SLAB_CPU, .objects = 4, .inuse = 4, .cpu_free = 2 };
	end[1] = end[2] = (struct kmem_slab_info){ .place = KMEM_SLAB_CPU_PARTIAL, .objects = 4, .inuse = 3 };
	real(3, 3);
	cr_assert_eq(replay_window(&w, &r), 0);
	cr_assert(r.exact);
	cr_assert_eq(r.residue, 0);
	cr_assert_eq(r.predicted.cpu_partial_slabs, 2);
	cr_assert_eq(r.predicted.cpu_free, 2);
	cr_assert_eq(r.allocs, 2);
	cr_assert_eq(r.frees, 2);
}

Test(replay, silence_is_residue)
{
	end[0] = (struct kmem_slab_info){ .place = KMEM_SLAB_CPU, .objects = 4, .inuse = 4, .cpu_free = 3 };
	end[1] = begin[1];
	real(4, 2);
	cr_assert_eq(replay_window(&w, &r), 0);
	cr_assert_not(r.exact);
	/* 12 - 4 free of 3 slabs before, 16 - 6 of 4 slabs after. */
	cr_assert_eq(r.residue, 2);
}

Test(replay, an_address_that_is_live_was_freed_in_silence)
{
	add(true, SLAB(1));
	add(true, SLAB(1));
	cr_assert_eq(replay_window(&w, &r), 0);
	cr_assert_eq(r.implicit_frees, 1);
	cr_assert_eq(r.predicted.in_use, 12 - 4 + 1);
}
