/* SPDX-License-Identifier: BSD-2-Clause */
/* sample.c - random distances, weights, and a hash table of live samples; see sample.h. */
#include "base/sample.h"

#include <kmem/observe.h>

#include "base/depot.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/observe.h"
#include "base/os.h"
#include "base/stack.h"
#include "base/trace.h"

#define CAPACITY (1u << 17)
#define FULL     (CAPACITY / 4 * 3)
#define MOST     ((uint64_t)1 << 46)

struct kmem_samples sample_root KMEM_STATE;

static struct {
	struct meta_range range;
	lock_t lock;
	uint64_t random;
} samples KMEM_STATE;

int sample_init(void)
{
	int rc = meta_reserve(&samples.range, "kmem samples", CAPACITY * sizeof(struct kmem_sample));

	sample_root.capacity = CAPACITY;
	samples.random = os_now_ns() ^ __builtin_ia32_rdtsc();
	observe_root.samples = (uintptr_t)&sample_root;
	return rc;
}

/* ---- chance ---- */

void sample_seed(uint64_t seed)
{
	samples.random = seed;
}

/* Uniform in (0, 1]. Any number of threads: each draws a number of its own from the sequence. */
static double uniform(void)
{
	uint64_t x = __atomic_add_fetch(&samples.random, UINT64_C(0x9e3779b97f4a7c15), __ATOMIC_RELAXED);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return (double)((x >> 11) + 1) * 0x1p-53;
}

/* Natural logarithm of x in (0, 1]: the library has no libm. Relative error below 1e-12. */
static double logarithm(double x)
{
	union { double value; uint64_t bits; } u = { x };
	int exponent = (int)(u.bits >> 52) - 1023;
	double z, square, sum = 0;
	int k;

	u.bits = (u.bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1023 << 52;
	z = (u.value - 1) / (u.value + 1);
	square = z * z;
	for (k = 25; k > 0; k -= 2)
		sum = sum * square + 1.0 / k;
	return exponent * 0.693147180559945309417 + 2 * z * sum;
}

/* 1 - exp(-x) for x >= 0: halved until the series is short, then squared back. */
static double chance(double x)
{
	double sum = 0, term = 1;
	int halvings = 0, k;

	/* The usual case: small objects. The first term left out is below 1e-9 of the result. */
	if (likely(x < 1.0 / 64))
		return x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4)));
	if (x > 40)
		return 1;
	while (x > 0.25) {
		x /= 2;
		halvings++;
	}
	/* 1 - e = x - x^2/2! + x^3/3! - ... */
	for (k = 1; k < 14; k++) {
		term *= x / k;
		sum += k & 1 ? term : -term;
	}
	while (halvings--)
		sum = sum * (2 - sum);
	return sum;
}

static double chance_of(size_t bytes)
{
	uint64_t interval = READ_ONCE(sample_root.interval);

	return interval ? chance((double)bytes / (double)interval) : 0;
}

bool sample_hit(size_t bytes)
{
	/* 1 is drawn, 0 is not. */
	return bytes && 1 - uniform() < chance_of(bytes);
}

double sample_bytes(void)
{
	return -logarithm(uniform()) * (double)READ_ONCE(sample_root.interval);
}

uint64_t sample_distance(size_t bytes)
{
	double distance = sample_bytes() / (double)MAX(bytes, (size_t)1);

	return distance < (double)(MOST - 1) ? (uint64_t)distance + 1 : MOST;
}

/* ---- live samples ---- */

static struct kmem_sample *entries(void)
{
	return (struct kmem_sample *)(void *)samples.range.base;
}

static uint32_t place_of(uint64_t ptr)
{
	return (uint32_t)((ptr >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 47);
}

_Static_assert(CAPACITY == 1u << (64 - 47), "place_of() gives that many bits");

/* Its entry, or the empty one where it belongs. Locked. */
static uint32_t find(uint64_t ptr)
{
	uint32_t i = place_of(ptr);

	while (entries()[i].ptr && entries()[i].ptr != ptr)
		i = (i + 1) % CAPACITY;
	return i;
}

/* Close the gap: later entries of the run move up, unless that is before the place they belong to. */
static void remove_at(uint32_t gap)
{
	uint32_t i = gap;

	for (;;) {
		i = (i + 1) % CAPACITY;
		if (!entries()[i].ptr)
			break;
		if ((i - place_of(entries()[i].ptr)) % CAPACITY >= (i - gap) % CAPACITY) {
			entries()[gap] = entries()[i];
			gap = i;
		}
	}
	entries()[gap].ptr = 0;
}

static bool table_ready(void)
{
	if (!samples.range.base || meta_ensure(&samples.range, samples.range.limit))
		return false;
	WRITE_ONCE(sample_root.entries, (uintptr_t)samples.range.base);
	return true;
}

/* *old: the entry that the address had, of something that was freed unseen. */
static bool enter(const struct kmem_sample *sample, struct kmem_sample *old)
{
	bool room = false;
	uint32_t at;

	lock_acquire_nested(&samples.lock);
	if (table_ready() && sample_root.live < FULL) {
		WRITE_ONCE(sample_root.seq, sample_root.seq + 1);
		at = find(sample->ptr);
		*old = entries()[at];
		entries()[at] = *sample;
		sample_root.live += !old->ptr;
		sample_root.freed += old->ptr != 0;
		sample_root.taken++;
		sample_root.taken_weight += sample->weight;
		__atomic_store_n(&sample_root.seq, sample_root.seq + 1, __ATOMIC_RELEASE);
		room = true;
	}
	lock_release_nested(&samples.lock);
	return room;
}

static bool leave(uint64_t ptr, struct kmem_sample *sample)
{
	uint32_t at;

	lock_acquire_nested(&samples.lock);
	sample->ptr = 0;
	if (sample_root.live) {
		at = find(ptr);
		*sample = entries()[at];
		if (sample->ptr) {
			WRITE_ONCE(sample_root.seq, sample_root.seq + 1);
			remove_at(at);
			sample_root.live--;
			sample_root.freed++;
			__atomic_store_n(&sample_root.seq, sample_root.seq + 1, __ATOMIC_RELEASE);
		}
	}
	lock_release_nested(&samples.lock);
	return sample->ptr;
}

static void tell_freed(const struct kmem_sample *sample, const void *call_site)
{
	const void *ptr = (const void *)(uintptr_t)sample->ptr;

	if (trace_on(TRACE_SAMPLE))
		trace_sample(call_site, ptr, sample->size, sample->weight, sample->stack, 1);
	if (trace_on(TRACE_OTEL_FREE))
		trace_free(ptr);
}

bool sample_taken(const void *ptr, size_t size, size_t chance_bytes, uint32_t cache, const void *call_site)
{
	double by = chance_of(chance_bytes), weight = by > 0 ? (double)size / by : (double)size;
	struct kmem_sample sample = { (uintptr_t)ptr, size, (uint64_t)(weight + 0.5), 0, cache }, old = { 0 };
	uint64_t frame[STACK_FRAMES];

	sample.stack = depot_save(frame, stack_capture(call_site, frame, STACK_FRAMES));
	if (!enter(&sample, &old)) {
		sample_lost();
		return false;
	}
	if (old.ptr)
		tell_freed(&old, call_site);
	if (trace_on(TRACE_SAMPLE))
		trace_sample(call_site, ptr, size, sample.weight, sample.stack, 0);
	if (trace_on(TRACE_OTEL_ALLOC))
		trace_alloc(ptr, size, sample.weight);
	return true;
}

bool sample_gone(const void *ptr, const void *call_site)
{
	struct kmem_sample sample;

	if (!leave((uintptr_t)ptr, &sample))
		return false;
	tell_freed(&sample, call_site);
	return true;
}

/* What takes the place of one that goes comes from behind, and is looked at next: but for those around the end. */
void sample_forget(bool (*which)(uint32_t cache))
{
	uint32_t i;

	lock_acquire_nested(&samples.lock);
	WRITE_ONCE(sample_root.seq, sample_root.seq + 1);
	for (i = 0; sample_root.live && i < CAPACITY; i++)
		while (entries()[i].ptr && which(entries()[i].cache)) {
			remove_at(i);
			sample_root.live--;
			sample_root.forgotten++;
		}
	__atomic_store_n(&sample_root.seq, sample_root.seq + 1, __ATOMIC_RELEASE);
	lock_release_nested(&samples.lock);
}

void sample_lost(void)
{
	__atomic_fetch_add(&sample_root.lost, 1, __ATOMIC_RELAXED);
}

void sample_lock_for_fork(void)
{
	lock_for_fork(&samples.lock, false);
}

void sample_unlock_after_fork(bool child)
{
	lock_after_fork(&samples.lock, child);
}
