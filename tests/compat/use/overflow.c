// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/overflow.h. */
#include <linux/overflow.h>

struct message {
	unsigned int length;
	unsigned short word[];
};

int main(void)
{
	struct message *message = NULL;
	size_t huge = SIZE_MAX / 2, n = 10;
	unsigned char sum;
	int rc = 0;

	rc |= struct_size(message, word, n) != 24 || struct_size_t(struct message, word, n) != 24;
	rc |= flex_array_size(message, word, n) != 20 || array_size(n, 4) != 40 || array3_size(n, 4, 2) != 80;
	rc |= struct_size(message, word, huge) != SIZE_MAX || array3_size(n, huge, 3) != SIZE_MAX;
	rc |= size_add(huge, huge) != SIZE_MAX - 1 || size_add(SIZE_MAX, 1) != SIZE_MAX || size_mul(huge, 3) != SIZE_MAX;
	rc |= size_sub(5, 3) != 2 || size_sub(3, 5) != SIZE_MAX || size_sub(SIZE_MAX, 5) != SIZE_MAX;
	rc |= !check_add_overflow(200, 100, &sum) || sum != 44 || check_sub_overflow(200, 100, &sum) || sum != 100;
	rc |= !check_mul_overflow(huge, (size_t)3, &n);
	rc |= range_overflows(10u, 5u, 15u) || !range_overflows(10u, 6u, 15u) || !range_overflows(~0u, 1u, 15u);
	return rc;
}
