/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recent.c - a table of stacks as they lay in memory: return addresses and the frame pointers between
 * them. Nothing is taken for granted: a stack is that of an entry when each of its frames still says
 * the same, and a frame is read only in the known part of the thread's stack above the first: an entry
 * that is read while somebody writes it may lead anywhere.
 *
 * Entries are shared by all threads, under a sequence count each: who meets a writer, or loses to
 * one, walks. Safe in signal handlers; and across fork(), where one that was being written stays out of use.
 */
#include "base/recent.h"

#include <kmem/observe.h>

#include "base/depot.h"
#include "base/meta.h"
#include "base/stack.h"

#define ENTRIES_SHIFT 9

struct recent {
	uint32_t seq;            /* odd while somebody writes; 0: never written */
	uint32_t handle;
	uint64_t call_site;
	uint64_t first;          /* address of the frame of the function that made the call */
	uint32_t nr;             /* frames of which both is compared; */
	uint32_t ends;           /* 0: of one more the return address is */
	struct {
		uint64_t return_address, up;
	} frame[RECENT_FRAMES - 1];
};

static struct meta_range range KMEM_STATE;
static struct recent *table KMEM_STATE;

int recent_init(void)
{
	size_t bytes = sizeof(*table) << ENTRIES_SHIFT;
	int rc = meta_reserve(&range, "kmem recent", bytes);

	if (!rc)
		rc = meta_ensure(&range, range.limit);
	if (!rc)
		table = (struct recent *)(void *)range.base;
	return rc;
}

static bool is_known(uintptr_t at)
{
	return at >= stack_known.start && at <= stack_known.last;
}

/* The frame of the function that called; NULL when it is not where it usually is, or not known to be readable. */
static STACK_UNCHECKED force_inline const struct stack_frame *caller_frame(const void *call_site,
									   const struct stack_frame *frame)
{
	uintptr_t up = stack_above(frame);

	if (unlikely((uintptr_t)frame < stack_known.start || !up || up > stack_known.last))
		return NULL;
	if (frame->return_address == call_site)
		return (const struct stack_frame *)up;
	frame = (const struct stack_frame *)up;
	up = stack_above(frame);
	if (unlikely(frame->return_address != call_site || !up || up > stack_known.last))
		return NULL;
	return (const struct stack_frame *)up;
}

/* By who called, from where in the stack, and who called that. */
static STACK_UNCHECKED force_inline struct recent *entry_of(const void *call_site, const struct stack_frame *caller)
{
	uint64_t hash = ((uintptr_t)call_site ^ (uintptr_t)caller << 20) * UINT64_C(0x9e3779b97f4a7c15) ^
			(uintptr_t)caller->return_address * UINT64_C(0xd1310ba698dfb5ad);

	return &table[hash >> (64 - ENTRIES_SHIFT)];
}

static STACK_UNCHECKED force_inline bool is_same(const struct recent *entry, const struct stack_frame *frame)
{
	uintptr_t first = (uintptr_t)frame, known = stack_known.last - first;
	uint32_t i, nr = READ_ONCE(entry->nr);

	for (i = 0; i < nr; i++) {
		const struct stack_frame *up;

		if (unlikely((uintptr_t)frame - first > known))
			return false;
		up = frame->up;
		if (unlikely((uintptr_t)frame->return_address != entry->frame[i].return_address ||
			     (uintptr_t)up != entry->frame[i].up))
			return false;
		frame = up;
	}
	if (entry->ends)
		return true;
	return (uintptr_t)frame - first <= known && (uintptr_t)frame->return_address == entry->frame[i].return_address;
}

/* What the walk found, with the frame pointers; false when these lead elsewhere. */
static STACK_UNCHECKED bool describe(struct recent *entry, const struct stack_frame *frame, const uint64_t *site,
				     unsigned int nr)
{
	unsigned int i;

	entry->call_site = site[0];
	entry->first = (uintptr_t)frame;
	for (i = 0; i < nr - 1; i++) {
		uintptr_t up = stack_above(frame);

		if ((uintptr_t)frame->return_address != site[i + 1])
			return false;
		entry->frame[i].return_address = site[i + 1];
		entry->frame[i].up = (uintptr_t)frame->up;
		if (up && i < nr - 2) {
			if (!is_known(up))
				return false;
			frame = (const struct stack_frame *)up;
		}
	}
	entry->ends = nr < RECENT_FRAMES;
	entry->nr = entry->ends ? nr - 1 : nr - 2;
	/* A chain that ends for another reason than its last frame pointer may go on another time. */
	return !entry->ends || !stack_above(frame);
}

static noinline uint32_t walk(const void *call_site, const void *frame_address)
{
	const struct stack_frame *caller;
	struct recent now, *entry;
	uint64_t frame[RECENT_FRAMES];
	unsigned int nr = stack_capture(call_site, frame, RECENT_FRAMES);
	uint32_t handle = depot_save(frame, nr), seq;

	caller = is_known((uintptr_t)frame_address) ? caller_frame(call_site, frame_address) : NULL;
	if (!handle || !caller || nr < 2 || !describe(&now, caller, frame, nr))
		return handle;
	entry = entry_of(call_site, caller);
	seq = READ_ONCE(entry->seq);
	if (seq & 1 || !__atomic_compare_exchange_n(&entry->seq, &seq, seq + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return handle;
	now.seq = seq + 1;
	now.handle = handle;
	*entry = now;
	__atomic_store_n(&entry->seq, seq + 2, __ATOMIC_RELEASE);
	return handle;
}

uint32_t recent_stack(const void *call_site, const void *frame_address)
{
	const struct stack_frame *caller = caller_frame(call_site, frame_address);
	const struct recent *entry;
	uint32_t seq, handle;

	if (unlikely(!caller))
		return walk(call_site, frame_address);
	entry = entry_of(call_site, caller);
	seq = __atomic_load_n(&entry->seq, __ATOMIC_ACQUIRE);
	if (unlikely(entry->call_site != (uintptr_t)call_site || entry->first != (uintptr_t)caller ||
		     !is_same(entry, caller)))
		return walk(call_site, frame_address);
	handle = entry->handle;
	__atomic_signal_fence(__ATOMIC_ACQUIRE);
	if (unlikely(seq & 1 || READ_ONCE(entry->seq) != seq))
		return walk(call_site, frame_address);
	return handle;
}
