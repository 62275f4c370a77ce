/* SPDX-License-Identifier: BSD-2-Clause */
/* model_geometry.c - orders that kernels were seen to choose, with and without boot parameters. */
#include "kmemtrace/model_geometry.h"

#include <criterion/criterion.h>

static void is(uint32_t size, struct geometry_boot boot, uint32_t order)
{
	cr_assert_eq(geometry_order_of(size, &boot), order, "size %u: order %u", size, geometry_order_of(size, &boot));
}

Test(model_geometry, two_cpus)
{
	static const struct { uint32_t size, order; } seen[] = {
		{ 64, 0 }, { 192, 0 }, { 256, 0 }, { 512, 1 }, { 1024, 2 }, { 2048, 3 }, { 4096, 3 }, { 8192, 3 }, { 632, 2 }, { 640, 1 },
	};

	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		is(seen[i].size, GEOMETRY_DEFAULT(2), seen[i].order);
}

Test(model_geometry, more_cpus)
{
	is(192, GEOMETRY_DEFAULT(64), 1);
	is(256, GEOMETRY_DEFAULT(64), 1);
	is(512, GEOMETRY_DEFAULT(64), 2);
	is(1024, GEOMETRY_DEFAULT(64), 3);
}

Test(model_geometry, boot_parameters)
{
	is(2048, (struct geometry_boot){ .nr_cpus = 2, .max_order = 0 }, 0);
	is(1024, (struct geometry_boot){ .nr_cpus = 2, .max_order = 1 }, 1);
	is(256, (struct geometry_boot){ .nr_cpus = 2, .max_order = 3, .min_objects = 64 }, 2);
	is(64, (struct geometry_boot){ .nr_cpus = 2, .max_order = 3, .min_order = 2 }, 2);
	is(30000, GEOMETRY_DEFAULT(2), 3);
	is(100000, GEOMETRY_DEFAULT(2), 5);
}

Test(model_geometry, limits)
{
	cr_assert_eq(geometry_min_partial_of(8), 5);
	cr_assert_eq(geometry_min_partial_of(8192), 6);
	cr_assert_eq(geometry_min_partial_of(4u << 20), 10);
	cr_assert_eq(geometry_cpu_partial(192), 120);
	cr_assert_eq(geometry_cpu_partial(256), 52);
	cr_assert_eq(geometry_cpu_partial_slabs(120, 21), 12);
	cr_assert_eq(geometry_cpu_partial_slabs(0, 21), 0);
	cr_assert_eq(geometry_sheaf(256), 28);
}
