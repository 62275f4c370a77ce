/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * depot.c - a hash table that only grows: records are carved one behind the
 * other and put in front of their bucket by compare-and-swap, so that looking up
 * a stack that is there takes no lock.
 */
#include "base/depot.h"

#include "base/lock.h"
#include "base/meta.h"
#include "base/observe.h"
#include "base/stack.h"

#define BUCKETS   16384u
#define MAX_BYTES ((size_t)256 << 20)
#define MIN_BYTES ((size_t)1 << 20)

static struct {
	struct meta_range range; /* the buckets, then the records */
	lock_t lock;
	uint32_t *bucket;        /* handles; NULL until the first use */
} depot KMEM_STATE;

/* Make the table on first use: most processes never store a stack. */
static bool depot_ready(void)
{
	size_t limit = MAX_BYTES;

	if (__atomic_load_n(&depot.bucket, __ATOMIC_ACQUIRE))
		return true;
	lock_acquire_nested(&depot.lock);
	while (!depot.range.base && limit >= MIN_BYTES) {
		if (meta_reserve(&depot.range, "kmem depot", limit))
			limit /= 2;
	}
	if (depot.range.base && !depot.bucket) {
		void *bucket = meta_carve(&depot.range, BUCKETS * sizeof(*depot.bucket), sizeof(uint64_t));

		observe_root.depot = (uintptr_t)depot.range.base;
		__atomic_store_n(&depot.bucket, bucket, __ATOMIC_RELEASE);
	}
	lock_release_nested(&depot.lock);
	return depot.bucket;
}

static uint32_t hash_of(const uint64_t *frame, unsigned int nr)
{
	uint64_t hash = nr;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		hash = (hash ^ frame[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return (uint32_t)(hash >> 16);
}

const struct kmem_depot_record *depot_stack(uint32_t handle)
{
	return handle ? (const void *)(depot.range.base + (size_t)handle * 8) : NULL;
}

static uint32_t find(uint32_t handle, uint32_t hash, const uint64_t *frame, unsigned int nr)
{
	while (handle) {
		const struct kmem_depot_record *record = depot_stack(handle);

		if (record->hash == hash && record->nr == nr && !memcmp(record->frame, frame, nr * sizeof(*frame)))
			return handle;
		handle = record->next;
	}
	return 0;
}

uint32_t depot_save(const uint64_t *frame, unsigned int nr)
{
	uint32_t hash = hash_of(frame, nr), *bucket, head, handle;
	struct kmem_depot_record *record;

	if (!depot_ready())
		return 0;
	bucket = &depot.bucket[hash % BUCKETS];
	head = __atomic_load_n(bucket, __ATOMIC_ACQUIRE);
	handle = find(head, hash, frame, nr);
	if (handle)
		return handle;
	record = meta_carve(&depot.range, sizeof(*record) + nr * sizeof(*frame), sizeof(uint64_t));
	if (!record)
		return 0;
	record->hash = hash;
	record->nr = nr;
	memcpy(record->frame, frame, nr * sizeof(*frame));
	handle = (uint32_t)(((uintptr_t)record - (uintptr_t)depot.range.base) / 8);
	/* Two threads that store the same stack at once store it twice: no harm. */
	do {
		record->next = head;
	} while (!__atomic_compare_exchange_n(bucket, &head, handle, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return handle;
}

void depot_after_fork(void)
{
	lock_reset(&depot.lock);
	lock_reset(&depot.range.lock);
}
