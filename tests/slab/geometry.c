/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout formulas against values seen on real kernels, with 2 and with 64 CPUs. */
#include <criterion/criterion.h>

#include "slab/geometry.h"

static struct geometry compute(uint32_t size, unsigned int nr_cpus)
{
	struct geometry g;

	cr_assert(geometry_compute(&g, size, 0, false, nr_cpus));
	return g;
}

#define EXPECT_LAYOUT(bytes, cpus, want_order, want_objects)                       \
	do {                                                                       \
		struct geometry g = compute(bytes, cpus);                          \
		cr_expect_eq(g.order, want_order, "%u: order %u", bytes, g.order); \
		cr_expect_eq(g.objects, want_objects, "%u: %u objects", bytes, g.objects); \
	} while (0)

Test(geometry, orders_on_two_cpus_equal_the_kernel)
{
	EXPECT_LAYOUT(256, 2, 0, 16);
	EXPECT_LAYOUT(512, 2, 1, 16);
	EXPECT_LAYOUT(1024, 2, 2, 16);
	EXPECT_LAYOUT(2048, 2, 3, 16);
	EXPECT_LAYOUT(4096, 2, 3, 8);
	EXPECT_LAYOUT(8192, 2, 3, 4);
	EXPECT_LAYOUT(632, 2, 2, 25);
	EXPECT_LAYOUT(640, 2, 1, 12);
}

Test(geometry, orders_on_64_cpus_equal_the_kernel)
{
	EXPECT_LAYOUT(192, 64, 1, 42);
	EXPECT_LAYOUT(256, 64, 1, 32);
	EXPECT_LAYOUT(512, 64, 2, 32);
	EXPECT_LAYOUT(1024, 64, 3, 32);
}

Test(geometry, sheaf_capacity_follows_the_kernel)
{
	cr_expect_eq(geometry_sheaf_capacity(8), 60);
	cr_expect_eq(geometry_sheaf_capacity(255), 60);
	cr_expect_eq(geometry_sheaf_capacity(256), 28);
	cr_expect_eq(geometry_sheaf_capacity(1024), 12);
	cr_expect_eq(geometry_sheaf_capacity(4096), 4);
}

Test(geometry, hwcache_align_halves_while_two_objects_fit)
{
	cr_expect_eq(geometry_align(64, 0, true), 64);
	cr_expect_eq(geometry_align(33, 0, true), 64);
	cr_expect_eq(geometry_align(32, 0, true), 32);
	cr_expect_eq(geometry_align(8, 0, true), 8);
	cr_expect_eq(geometry_align(100, 0, false), 8);
	cr_expect_eq(geometry_align(100, 128, true), 128);
}

Test(geometry, an_object_never_overlaps_the_next)
{
	uint32_t size;

	for (size = 1; size <= 40000; size += 7) {
		struct geometry g = compute(size, 2);

		cr_assert_geq(g.size, size);
		cr_assert_eq(g.size % g.align, 0);
		cr_assert_leq((uint64_t)g.size * g.objects, UINT64_C(4096) << g.order);
		cr_assert_geq(g.objects, 1);
	}
}

Test(geometry, refuses_what_no_slab_holds)
{
	struct geometry g;

	cr_expect(geometry_compute(&g, 4u << 20, 0, false, 2));
	cr_expect_not(geometry_compute(&g, (4u << 20) + 1, 0, false, 2));
}
