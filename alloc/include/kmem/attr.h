/* SPDX-License-Identifier: BSD-2-Clause */
/* attr.h - short names for the function attributes that the public headers use. */
#ifndef KMEM_ATTR_H
#define KMEM_ATTR_H

#define KMEM_API    __attribute__((visibility("default")))
#define KMEM_CHECK  __attribute__((warn_unused_result))
#define KMEM_MALLOC __attribute__((malloc, warn_unused_result))
#define KMEM_SIZE(...)  __attribute__((alloc_size(__VA_ARGS__)))
#define KMEM_ALIGNS(n)  __attribute__((assume_aligned(n)))

#ifdef __cplusplus
#define KMEM_BEGIN extern "C" {
#define KMEM_END   }
#else
#define KMEM_BEGIN
#define KMEM_END
#endif

#endif
