/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator's own memory: committed as it fills, zero, and known to readers as black. */
#include "support.h"

#include <errno.h>

#include "base/meta.h"
#include "base/observe.h"

static const struct kmem_black_range *black_of(const void *addr)
{
	const struct kmem_black_range *range = (const void *)(uintptr_t)observe_root.black;
	uint32_t i;

	for (i = 0; i < observe_root.nr_black; i++)
		if ((uintptr_t)addr >= range[i].start && (uintptr_t)addr < range[i].end)
			return &range[i];
	return NULL;
}

Test(meta, a_range_is_black_and_starts_without_memory)
{
	struct meta_range range = { 0 };

	cr_assert_eq(meta_reserve(&range, "test range", 1 << 20), 0);
	cr_expect_eq(range.limit, 1 << 20);
	cr_expect_not(readable(range.base));
	cr_assert_not_null(black_of(range.base));
	cr_expect_str_eq(black_of(range.base)->name, "test range");
	cr_expect_not_null(black_of(range.base + range.limit - 1));
	cr_expect_neq(black_of(range.base + range.limit), black_of(range.base));
}

Test(meta, ensure_makes_a_prefix_usable_and_zero)
{
	struct meta_range range = { 0 };

	meta_reserve(&range, "test", 1 << 20);
	cr_assert_eq(meta_ensure(&range, 1), 0);
	cr_expect_geq(range.committed, 1);
	cr_assert_eq(meta_ensure(&range, 200000), 0);
	cr_expect(all_bytes(range.base, 200000, 0));
	memset(range.base, 1, 200000);
	/* A smaller wish changes nothing. */
	cr_assert_eq(meta_ensure(&range, 100), 0);
	cr_expect(all_bytes(range.base, 200000, 1));
}

Test(meta, ensure_stops_at_the_limit)
{
	struct meta_range range = { 0 };

	meta_reserve(&range, "test", 128 << 10);
	cr_expect_eq(meta_ensure(&range, 128 << 10), 0);
	cr_expect_eq(meta_ensure(&range, (128 << 10) + 1), -ENOMEM);
	range.base[(128 << 10) - 1] = 1;
}

Test(meta, ensure_at_fills_a_hole)
{
	struct meta_range range = { 0 };

	meta_reserve(&range, "test", 1 << 20);
	cr_assert_eq(meta_ensure_at(&range, 512 << 10, 10), 0);
	range.base[(512 << 10) + 9] = 1;
	cr_expect_not(readable(range.base));
	cr_expect_eq(meta_ensure_at(&range, 1 << 20, 1), -ENOMEM);
}

Test(meta, carved_pieces_are_aligned_zero_and_apart)
{
	struct meta_range range = { 0 };
	uint8_t *last_end = NULL;
	size_t bytes;

	meta_reserve(&range, "test", 1 << 20);
	for (bytes = 1; bytes < 3000; bytes += 37) {
		uint8_t *p = meta_carve(&range, bytes, 64);

		cr_assert_not_null(p);
		cr_expect_eq((uintptr_t)p % 64, 0);
		cr_expect_geq(p, last_end);
		cr_expect(all_bytes(p, bytes, 0));
		memset(p, 0xff, bytes);
		last_end = p + bytes;
	}
}

Test(meta, carve_says_when_the_range_is_full)
{
	struct meta_range range = { 0 };
	unsigned int nr = 0;

	meta_reserve(&range, "test", 64 << 10);
	while (meta_carve(&range, 1024, 16))
		nr++;
	cr_expect_eq(nr, 64);
	cr_expect_null(meta_carve(&range, 1, 1));
}

Test(meta, place_uses_address_space_that_is_there)
{
	struct meta_range range = { 0 };
	void *base = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	meta_place(&range, "placed", base, 1 << 20);
	cr_expect_eq(range.base, base);
	cr_expect_eq(meta_ensure(&range, 4096), 0);
	range.base[0] = 1;
	cr_expect_str_eq(black_of(base)->name, "placed");
}

Test(meta, black_names_are_cut_to_their_field)
{
	static char object[8];

	observe_black("a name that is much too long", object, object + 8);
	cr_expect_eq(strnlen(black_of(object)->name, 16), 15);
}

Test(meta, a_full_black_table_is_a_bug, .signal = SIGABRT)
{
	static char object[64];
	int i;

	for (i = 0; i < 64; i++)
		observe_black("more", object + i, object + i + 1);
}
