/* SPDX-License-Identifier: BSD-2-Clause */
/* live.c - the table holds what a plain array says it must, however addresses collide. */
#include "kmemtrace/live.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define ADDRESSES 5000u
#define STEPS     400000u

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state % below);
}

static uint64_t address(uint32_t i)
{
	/* Dense ones, and ones a page apart. */
	return 0x7f0000000000 + (i & 1 ? (uint64_t)i * 4096 + 8 : (uint64_t)i * 8);
}

static void check_all(const struct live *live, const uint32_t *want)
{
	const struct live_object *o;
	uint64_t at = 0, nr = 0;

	for (uint32_t i = 0; i < ADDRESSES; i++) {
		o = live_find(live, i % 3, LIVE_OBJECT, address(i));
		cr_assert_eq(o != NULL, want[i] != 0, "%u", i);
		cr_assert(!o || o->time_ns == want[i]);
	}
	while ((o = live_next(live, &at)))
		nr++;
	cr_assert_eq(nr, live->nr);
}

Test(live, as_an_array)
{
	static uint32_t want[ADDRESSES];
	struct live live = { 0 };
	struct live_object taken;
	uint64_t nr = 0;

	for (uint32_t step = 1; step <= STEPS; step++) {
		/* It fills, and empties, by turns. */
		uint32_t i = draw(ADDRESSES), grows = step / (STEPS / 8) % 2 ? 1 : 3;
		bool existed;

		if (draw(4) < grows) {
			struct live_object *o = live_add(&live, i % 3, LIVE_OBJECT, address(i), &existed);

			cr_assert_not_null(o);
			cr_assert_eq(existed, want[i] != 0);
			nr += !existed;
			o->time_ns = want[i] = step;
		} else {
			bool there = live_take(&live, i % 3, LIVE_OBJECT, address(i), &taken);

			cr_assert_eq(there, want[i] != 0);
			cr_assert(!there || taken.time_ns == want[i]);
			nr -= there;
			want[i] = 0;
		}
		cr_assert_eq(live.nr, nr);
		if (step % 50000 == 0)
			check_all(&live, want);
	}
	live_free(&live);
}

Test(live, keys)
{
	struct live live = { 0 };
	struct live_object taken;
	bool existed;

	cr_expect_null(live_find(&live, 1, LIVE_OBJECT, 0x1000));
	cr_expect_not(live_take(&live, 1, LIVE_OBJECT, 0x1000, &taken));
	live_prefetch(&live, 1, 0x1000);
	live_add(&live, 1, LIVE_OBJECT, 0x1000, &existed)->size = 7;
	/* The same address of another process, or of pages, is something else. */
	cr_expect_null(live_find(&live, 2, LIVE_OBJECT, 0x1000));
	cr_expect_null(live_find(&live, 1, LIVE_PAGES, 0x1000));
	live_add(&live, 1, LIVE_PAGES, 0x1000, &existed);
	cr_expect_not(existed);
	cr_expect(live_take(&live, 1, LIVE_OBJECT, 0x1000, &taken));
	cr_expect_eq(taken.size, 7);
	cr_expect_not_null(live_find(&live, 1, LIVE_PAGES, 0x1000));
	live_free(&live);
	live_free(&live);
}
