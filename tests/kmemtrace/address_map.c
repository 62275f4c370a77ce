/* SPDX-License-Identifier: BSD-2-Clause */
/* address_map.c - against an array. */
#include "kmemtrace/address_map.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(address_map, as_an_array)
{
	enum { ADDRESSES = 5000 };
	struct address_map map = { 0 };
	static char values[ADDRESSES];
	static bool there[ADDRESSES];
	unsigned int seed = 1;
	size_t nr = 0;

	cr_assert_null(address_map_get(&map, 64));
	cr_assert_null(address_map_take(&map, 64));
	for (int i = 0; i < 100000; i++) {
		int n = rand_r(&seed) % ADDRESSES;
		uint64_t address = UINT64_C(0xffff888000000000) + (uint64_t)n * 64;

		cr_assert_eq(address_map_get(&map, address), there[n] ? &values[n] : NULL);
		if (rand_r(&seed) % 2) {
			cr_assert_eq(address_map_take(&map, address), there[n] ? &values[n] : NULL);
			nr -= there[n];
			there[n] = false;
		} else {
			cr_assert_eq(address_map_put(&map, address, &values[n]), 0);
			nr += !there[n];
			there[n] = true;
		}
		cr_assert_eq(map.nr, nr);
	}
	address_map_close(&map);
}
