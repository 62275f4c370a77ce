/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/overflow.h for kernel code in userspace: sizes of arrays that saturate at SIZE_MAX instead of wrapping. */
#ifndef KMEM_COMPAT_LINUX_OVERFLOW_H
#define KMEM_COMPAT_LINUX_OVERFLOW_H

#include <stddef.h>
#include <stdint.h>

/* True when the result does not fit *d, which then holds the wrapped one. */
#define check_add_overflow(a, b, d) __builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d) __builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d) __builtin_mul_overflow(a, b, d)

/* Whether [start, start + size) goes beyond max or wraps, for unsigned numbers of one type. */
#define range_overflows(start, size, max)                                          \
	__extension__({                                                            \
		__typeof__(start) _start = (start);                                \
		__typeof__(size) _size = (size);                                   \
		__typeof__(max) _max = (max);                                      \
		_start >= _max || _size > _max - _start;                           \
	})

/* SIZE_MAX, which no allocation grants, for what does not fit. */
static inline size_t size_mul(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_mul_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

static inline size_t size_add(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_add_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

/* A saturated operand, and a negative difference, stay SIZE_MAX. */
static inline size_t size_sub(size_t a, size_t b)
{
	size_t bytes;

	if (a == SIZE_MAX || b == SIZE_MAX || __builtin_sub_overflow(a, b, &bytes))
		return SIZE_MAX;
	return bytes;
}

#define array_size(n, size)        size_mul(n, size)
#define array3_size(n, m, size)    size_mul(size_mul(n, m), size)

/* Bytes of `count` elements of a flexible array member, without and with the structure that it ends. */
#define flex_array_size(p, member, count)   size_mul(count, sizeof(*(p)->member))
#define struct_size(p, member, count)       size_add(sizeof(*(p)), flex_array_size(p, member, count))
#define struct_size_t(type, member, count)  struct_size((type *)NULL, member, count)

#endif
