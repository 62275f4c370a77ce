/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * kmemlab.h - what is written to /dev/kmemlab, the device of tests/vm/module: an array of requests, carried out one
 * after the other on the CPU of the writer. write() returns the bytes of those that were done, or -errno of the first.
 * When the file is closed all objects are freed and all caches destroyed.
 */
#ifndef COMMON_KMEMLAB_H
#define COMMON_KMEMLAB_H

#ifndef __KERNEL__
#include <linux/types.h>
#endif

#define KMEMLAB_CACHES     32
#define KMEMLAB_NAME_BYTES 32
#define KMEMLAB_OBJECTS    (4u << 20)

enum kmemlab_kind {
	KMEMLAB_ALLOC, /* cache, object */
	KMEMLAB_FREE,
	KMEMLAB_CREATE, /* cache, size, align, flags, name */
};

enum kmemlab_flags {
	KMEMLAB_HWCACHE = 1 << 0,
	KMEMLAB_RECLAIM = 1 << 1,
	KMEMLAB_ACCOUNT = 1 << 2,
	KMEMLAB_RCU = 1 << 3,
	KMEMLAB_NOMERGE = 1 << 4, /* always */
	KMEMLAB_CTOR = 1 << 5,
};

struct kmemlab_request {
	__u8 kind;
	__u8 cache;  /* index, below KMEMLAB_CACHES */
	__u16 flags;
	__u32 object; /* index, below KMEMLAB_OBJECTS */
	__u32 size, align;
	char name[KMEMLAB_NAME_BYTES];
};

#endif
