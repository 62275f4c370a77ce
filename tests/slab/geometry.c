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

/* ---- the kernel's layout: sizes seen in /sys/kernel/slab of 6.12, plain and with slab_debug ---- */

#define FZPU (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

static struct geometry compute_kernel(struct geometry_args args)
{
	struct geometry g;

	args.nr_cpus = 2;
	cr_assert(geometry_compute_kernel(&g, &args));
	return g;
}

Test(geometry, a_plain_layout_has_no_metadata)
{
	struct geometry g = compute(100, 2);

	cr_expect_eq(g.inuse, 104);
	cr_expect_eq(g.info_end, 104);
	cr_expect_eq(g.size, 104);
	cr_expect_eq(g.offset, GEOMETRY_NONE);
	cr_expect_eq(g.track, GEOMETRY_NONE);
	cr_expect_eq(g.orig_size, GEOMETRY_NONE);
	cr_expect_eq(g.red_left_pad, 0);
	cr_expect_not(g.object_poison);
}

Test(geometry, the_free_pointer_lies_in_the_middle_when_the_content_is_dead)
{
	struct geometry g = compute_kernel((struct geometry_args){ .object_size = 100 });

	cr_expect_eq(g.offset, 48);
	cr_expect_eq(g.size, 104);
	g = compute_kernel((struct geometry_args){ .object_size = 4 });
	cr_expect_eq(g.offset, 0);
	cr_expect_eq(g.size, 8);
}

Test(geometry, the_free_pointer_lies_behind_what_must_survive)
{
	struct geometry g = compute_kernel((struct geometry_args){ .object_size = 96, .ctor = true });

	cr_expect_eq(g.offset, 96);
	cr_expect_eq(g.size, 104);
	g = compute_kernel((struct geometry_args){ .object_size = 96, .flags = SLAB_TYPESAFE_BY_RCU });
	cr_expect_eq(g.offset, 96);
	cr_expect_eq(g.size, 104);
	g = compute_kernel((struct geometry_args){ .object_size = 96, .flags = SLAB_TYPESAFE_BY_RCU,
						   .use_freeptr_offset = true, .freeptr_offset = 40 });
	cr_expect_eq(g.offset, 40);
	cr_expect_eq(g.size, 96);
}

Test(geometry, kmalloc_64_with_all_debug_flags_is_256_bytes)
{
	struct geometry g = compute_kernel((struct geometry_args){ .object_size = 64, .align = 64, .kmalloc = true,
								   .flags = FZPU });

	cr_expect_eq(g.inuse, 72, "object and the right red zone");
	cr_expect_eq(g.offset, 72);
	cr_expect_eq(g.track, 80);
	cr_expect_eq(g.orig_size, 144);
	cr_expect_eq(g.info_end, 148);
	cr_expect_eq(g.red_left_pad, 64);
	cr_expect_eq(g.size, 256);
	cr_expect_eq(g.objects, 16);
	cr_expect(g.object_poison);
}

Test(geometry, filp_with_all_debug_flags_is_384_bytes)
{
	struct geometry g = compute_kernel((struct geometry_args){ .object_size = 184, .use_freeptr_offset = true,
		.flags = FZPU | SLAB_HWCACHE_ALIGN | SLAB_TYPESAFE_BY_RCU });

	cr_expect_eq(g.size, 384);
	cr_expect_not(g.object_poison, "its content must survive being free");
	cr_expect_eq(g.orig_size, GEOMETRY_NONE);
}

Test(geometry, a_red_zone_uses_the_bytes_that_rounding_leaves)
{
	struct geometry g = compute_kernel((struct geometry_args){ .object_size = 30, .flags = SLAB_RED_ZONE });

	cr_expect_eq(g.inuse, 32);
	cr_expect_eq(g.offset, 8, "inside: the free pointer is no part of a red zone");
	cr_expect_eq(g.red_left_pad, 8);
	cr_expect_eq(g.size, 48);
	g = compute_kernel((struct geometry_args){ .object_size = 4, .flags = SLAB_RED_ZONE });
	cr_expect_eq(g.offset, 8, "no room in 4 bytes");
	cr_expect_eq(g.size, 32);
	g = compute_kernel((struct geometry_args){ .object_size = 32, .align = 32, .kmalloc = true,
						   .flags = SLAB_RED_ZONE | SLAB_STORE_USER });
	cr_expect_eq(g.offset, 40, "the middle may be behind the requested size");
}

Test(geometry, fields_of_an_object_never_overlap)
{
	const slab_flags_t flag[] = { SLAB_RED_ZONE, SLAB_POISON, SLAB_STORE_USER, SLAB_TYPESAFE_BY_RCU };
	uint32_t size, bits, i;

	for (size = 1; size <= 9000; size += 61) {
		for (bits = 0; bits < 64; bits++) {
			struct geometry_args args = { .object_size = size, .kmalloc = bits & 16, .ctor = bits & 32 };
			struct geometry g;

			for (i = 0; i < 4; i++)
				args.flags |= bits & 1u << i ? flag[i] : 0;
			g = compute_kernel(args);
			cr_assert_geq(g.inuse, size + !!(args.flags & SLAB_RED_ZONE));
			cr_assert(g.offset >= g.inuse || g.offset + 8 <= g.inuse);
			cr_assert_geq(g.info_end, g.inuse);
			if (args.flags & SLAB_STORE_USER) {
				cr_assert_geq(g.track, g.inuse);
				cr_assert(g.offset + 8 <= g.track);
				cr_assert_geq(g.info_end, g.track + 64);
			}
			cr_assert_geq(g.size, g.red_left_pad + g.info_end);
			cr_assert_eq(g.size % g.align, 0);
			cr_assert_eq(g.red_left_pad % g.align, 0);
		}
	}
}
