/* SPDX-License-Identifier: BSD-2-Clause */
/* kslabs.c - what needs no BPF. The rest: tests/bpf/kslabs.sh. */
#include "common/kslabs.h"

#include <criterion/criterion.h>

Test(kslabs, descriptors_and_addresses_are_two_views_of_one_row)
{
	const struct kmem_page_map map = {
		.descriptor = 0xffffea0000100040,
		.address = 0xffff888004001000,
		.descriptor_bytes = 64,
	};

	cr_assert_eq(kslabs_map_address(&map, map.descriptor), map.address);
	cr_assert_eq(kslabs_map_address(&map, map.descriptor + 64), map.address + 4096);
	cr_assert_eq(kslabs_map_address(&map, map.descriptor - 3 * 64), map.address - 3 * 4096);
	cr_assert_eq(kslabs_map_address(&map, map.descriptor + (1ULL << 30) * 64), map.address + (1ULL << 42));
}

Test(kslabs, an_empty_map)
{
	const struct kmem_page_map map = { 0 };

	cr_assert_eq(kslabs_map_address(&map, 0xffffea0000100040), 0);
	kslabs_close(NULL);
}
