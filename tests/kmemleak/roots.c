/* SPDX-License-Identifier: BSD-2-Clause */
/* roots.c - which parts of a made-up address space are roots. */
#include <string.h>
#include <criterion/criterion.h>

#include "kmemleak/roots.h"

#define RW (TARGET_READ | TARGET_WRITE)

static struct roots roots;
static struct root_cuts cuts;
static struct target_map maps[16];
static struct stop_thread threads[4];
static size_t nr_maps, nr_threads;

static void teardown(void)
{
	roots_free(&roots);
	roots_free_cuts(&cuts);
}

TestSuite(roots, .fini = teardown);

static void add_map(uint64_t start, uint64_t end, uint32_t perms, uint64_t inode, const char *path)
{
	maps[nr_maps++] = (struct target_map){ .start = start, .end = end, .perms = perms, .inode = inode,
					       .path = path };
}

static void add_thread(uint64_t sp, uint64_t thread_ptr)
{
	threads[nr_threads] = (struct stop_thread){ .tid = (pid_t)(100 + nr_threads), .state = STOP_HELD, .sp = sp,
						    .thread_ptr = thread_ptr };
	nr_threads++;
}

static void choose(bool shared)
{
	struct roots_input in = { .maps = maps, .nr_maps = nr_maps, .threads = threads, .nr_threads = nr_threads,
				  .cuts = &cuts, .shared = shared };

	cr_assert_eq(roots_choose(&roots, &in), 0);
}

static void expect(size_t i, uint64_t start, uint64_t end, enum root_kind kind)
{
	cr_assert_lt(i, roots.nr);
	cr_assert_eq(roots.ranges[i].start, start, "range %zu starts at %lx", i, roots.ranges[i].start);
	cr_assert_eq(roots.ranges[i].end, end, "range %zu ends at %lx", i, roots.ranges[i].end);
	cr_assert_eq(roots.ranges[i].kind, kind);
}

Test(roots, kinds_of_mappings)
{
	add_map(0x1000, 0x2000, RW, 77, "/bin/program");
	add_map(0x2000, 0x3000, RW, 0, ""); /* its .bss */
	add_map(0x3000, 0x4000, 0, 0, "");
	add_map(0x4000, 0x5000, RW | TARGET_SHARED, 9, "/dev/zero (deleted)");
	add_map(0x5000, 0x6000, TARGET_READ, 0, "[vvar]");
	add_map(0x6000, 0x7000, TARGET_READ, 0, "[vdso]");
	add_map(0x8000, 0x9000, RW, 5, "/dev/dri/card0");
	choose(false);
	cr_assert_eq(roots.nr, 3);
	expect(0, 0x1000, 0x2000, ROOT_DATA);
	expect(1, 0x2000, 0x3000, ROOT_DATA);
	cr_assert_str_eq(roots.ranges[1].map->path, "/bin/program");
	expect(2, 0x3000, 0x4000, ROOT_ANONYMOUS);
	cr_assert_eq(roots.nr_skipped, 1);
	cr_assert_eq(roots.skipped_bytes, 0x1000);
}

Test(roots, shared_mappings_on_request)
{
	add_map(0x4000, 0x5000, RW | TARGET_SHARED, 9, "/dev/zero (deleted)");
	choose(true);
	cr_assert_eq(roots.nr, 1);
	expect(0, 0x4000, 0x5000, ROOT_SHARED);
	cr_assert_eq(roots.nr_skipped, 0);
}

Test(roots, main_stack_from_the_red_zone_up)
{
	add_map(0x10000, 0x20000, RW, 0, "[stack]");
	add_thread(0x1a008, 0x777000);
	choose(false);
	cr_assert_eq(roots.nr, 1);
	expect(0, 0x1a008 - 128, 0x20000, ROOT_STACK);
	cr_assert_eq(roots.ranges[0].tid, 100);
}

Test(roots, pthread_stack_with_guard)
{
	add_map(0xf000, 0x10000, 0, 0, "");
	add_map(0x10000, 0x20000, RW, 0, "");
	add_thread(0x1a000, 0x1ff00);
	choose(false);
	cr_assert_eq(roots.nr, 2);
	expect(1, 0x1a000 - 128, 0x20000, ROOT_STACK);
}

/* Below the stack pointer of a coroutine may lie anything: scan the whole mapping. */
Test(roots, stack_in_the_middle_of_other_memory)
{
	add_map(0x10000, 0x20000, RW, 0, "");
	add_thread(0x1a000, 0x777000);
	choose(false);
	expect(0, 0x10000, 0x20000, ROOT_STACK);
}

Test(roots, two_stacks_in_one_mapping_keep_the_lower_one)
{
	add_map(0xf000, 0x10000, 0, 0, "");
	add_map(0x10000, 0x20000, RW, 0, "");
	add_thread(0x1a000, 0x1ff00);
	add_thread(0x12000, 0x13f00);
	choose(false);
	expect(1, 0x12000 - 128, 0x20000, ROOT_STACK);
}

Test(roots, stack_pointer_at_the_very_bottom)
{
	add_map(0x10000, 0x20000, RW, 0, "[stack]");
	add_thread(0x10040, 0);
	choose(false);
	expect(0, 0x10000, 0x20000, ROOT_STACK);
}

Test(roots, ended_threads_have_no_stack)
{
	add_map(0x10000, 0x20000, RW, 0, "[stack]");
	add_thread(0x1a000, 0);
	threads[0].state = STOP_GONE;
	choose(false);
	expect(0, 0x10000, 0x20000, ROOT_ANONYMOUS);
}

Test(roots, cuts_split_and_overlap)
{
	add_map(0x10000, 0x20000, RW, 0, "");
	roots_add_cut(&cuts, 0x18000, 0x19000);
	roots_add_cut(&cuts, 0x12000, 0x14000);
	roots_add_cut(&cuts, 0x13000, 0x15000);
	roots_add_cut(&cuts, 0x13800, 0x13900);
	roots_add_cut(&cuts, 0x1f000, 0x30000);
	roots_add_cut(&cuts, 0x5000, 0x5000);
	choose(false);
	cr_assert_eq(roots.nr, 3);
	expect(0, 0x10000, 0x12000, ROOT_ANONYMOUS);
	expect(1, 0x15000, 0x18000, ROOT_ANONYMOUS);
	expect(2, 0x19000, 0x1f000, ROOT_ANONYMOUS);
}

Test(roots, a_covered_mapping_is_no_root)
{
	add_map(0x10000, 0x20000, RW, 0, "");
	roots_add_cut(&cuts, 0x10000, 0x20000);
	choose(false);
	cr_assert_eq(roots.nr, 0);
}

/* Cuts of the allocator's variables need not be aligned; words that straddle their edge are left out. */
Test(roots, unaligned_cuts_leave_whole_words)
{
	add_map(0x10000, 0x11000, RW, 0, "");
	roots_add_cut(&cuts, 0x10104, 0x10209);
	choose(false);
	cr_assert_eq(roots.nr, 2);
	expect(0, 0x10000, 0x10100, ROOT_ANONYMOUS);
	expect(1, 0x10210, 0x11000, ROOT_ANONYMOUS);
}

Test(roots, everything_that_the_descriptor_names_is_cut)
{
	struct kmem_black_range black = { .start = 0x70000, .end = 0x71000 };
	struct kmem_observe root = {
		.arena_base = 0x100000, .arena_limit = 0x200000, .nr_nodes = 1, .nr_caches = 2, .nr_black = 1,
		.pages = 0x300000, .percpu = { 0x400000, 0x500000 }, .percpu_bytes = 0x1000, .sheaves = 0x600000,
		.sheaves_end = 0x601000, .caches = 0x20000,
	};

	cr_assert_eq(roots_cut_allocator(&cuts, 0x10008, &root, &black), 0);
	add_map(0x10000, 0x11000, RW, 1, "/lib/libkmem.so.0");
	add_map(0x20000, 0x21000, RW, 0, "");
	add_map(0x70000, 0x71000, RW, 0, "");
	add_map(0x100000, 0x200000, 0, 0, "");
	add_map(0x400000, 0x401000, RW, 0, "");
	add_map(0x500000, 0x501000, RW, 0, "");
	add_map(0x600000, 0x601000, RW, 0, "");
	choose(false);
	cr_assert_eq(roots.nr, 3);
	expect(0, 0x10000, 0x10008, ROOT_DATA);
	expect(1, 0x10008 + sizeof(root), 0x11000, ROOT_DATA);
	expect(2, 0x20000 + 2 * sizeof(struct kmem_cache), 0x21000, ROOT_ANONYMOUS);
}
