/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux/cleanup.h for kernel code in userspace: variables that free what they
 * point at when they go out of scope.
 *
 *   DEFINE_FREE(name, type, code)   code runs with the value in _T
 *   type p __free(name) = ...;
 *   return_ptr(p), no_free_ptr(p)   the value; p forgets it
 */
#ifndef KMEM_COMPAT_LINUX_CLEANUP_H
#define KMEM_COMPAT_LINUX_CLEANUP_H

#ifndef __cplusplus

/* NULL, or an -errno as a pointer. */
#define IS_ERR_VALUE_OR_NULL(p) (!(p) || (unsigned long)(p) >= (unsigned long)-4095)

#ifndef DEFINE_FREE
#define DEFINE_FREE(_name, _type, _free)                           \
	static inline void __free_##_name(void *_at)               \
	{                                                          \
		_type _T = *(_type *)_at;                          \
		_free;                                             \
	}

#define __free(_name) __attribute__((cleanup(__free_##_name)))

#define no_free_ptr(p)                                             \
	__extension__({                                            \
		__typeof__(p) *_from = &(p), _value = *_from;      \
		*_from = NULL;                                     \
		_value;                                            \
	})

#define return_ptr(p) return no_free_ptr(p)
#endif

#endif /* __cplusplus */

#endif
