/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account.c - groups, and who owns which object.
 *
 * Owners are out of line: 2 bytes for each 8 bytes of the arena, in a range that
 * is reserved with the first group and made usable block by block (4 MiB of arena,
 * 1 MiB of owners). An object's entry is its holder's: no lock.
 */
#include "slab/account.h"

#include "base/report.h"
#include "base/trace.h"
#include "page/page.h"

#define MAX_GROUPS 1024 /* id 0 is nobody */
#define GRANULE    8
#define OWNER_BYTES (BLOCK_BYTES / GRANULE * sizeof(uint16_t)) /* of a block */

enum { GROUP_FREE, GROUP_LIVE, GROUP_DYING };

struct kmem_group {
	char name[32];
	uint32_t state;
	uint64_t limit, bytes, objects, peak, failures;
};

uint32_t account_groups KMEM_STATE;

static struct {
	lock_t lock;
	struct meta_range owners, usable; /* usable: one byte per block */
	struct kmem_group group[MAX_GROUPS];
} account KMEM_STATE;

/* The calling thread's group, 0 none. */
static __thread uint16_t current_group;

static int reserve(void)
{
	size_t blocks = arena.limit >> BLOCK_SHIFT;
	int rc = 0;

	if (!account.usable.base)
		rc = meta_reserve(&account.usable, "kmem charged", ALIGN_UP(blocks, PAGE_SIZE));
	if (!rc && !account.owners.base)
		rc = meta_reserve(&account.owners, "kmem owners", blocks * OWNER_BYTES);
	return rc ? rc : meta_ensure(&account.usable, blocks);
}

static uint16_t id_of(const struct kmem_group *group)
{
	return (uint16_t)(group - account.group);
}

KMEM_API struct kmem_group *kmem_group_create(const char *name, size_t limit)
{
	struct kmem_group *group = NULL;
	unsigned int id;

	lock_acquire(&account.lock, LOCK_ARENA);
	for (id = 1; id < MAX_GROUPS && account.group[id].state != GROUP_FREE; id++)
		;
	if (id < MAX_GROUPS && !reserve()) {
		group = &account.group[id];
		*group = (struct kmem_group){ .limit = limit };
		report_format(group->name, sizeof(group->name), "%s", name);
		__atomic_store_n(&group->state, GROUP_LIVE, __ATOMIC_RELEASE);
		__atomic_fetch_add(&account_groups, 1, __ATOMIC_RELAXED);
	}
	lock_release(&account.lock, LOCK_ARENA);
	if (group)
		trace_watch(true);
	else
		report("kmem_group_create(%s) failed: too many groups, or no address space left", name);
	return group;
}

/* A group without a creator and without objects is over; the one who sees both last, ends it. */
static void end_if_unused(struct kmem_group *group)
{
	uint32_t dying = GROUP_DYING;

	if (__atomic_load_n(&group->bytes, __ATOMIC_ACQUIRE) ||
	    !__atomic_compare_exchange_n(&group->state, &dying, GROUP_FREE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	__atomic_fetch_sub(&account_groups, 1, __ATOMIC_RELAXED);
	trace_watch(false);
}

KMEM_API size_t kmem_group_destroy(struct kmem_group *group)
{
	size_t left;

	if (!group)
		return 0;
	left = READ_ONCE(group->bytes);
	__atomic_store_n(&group->state, GROUP_DYING, __ATOMIC_RELEASE);
	end_if_unused(group);
	return left;
}

KMEM_API struct kmem_group *kmem_group_enter(struct kmem_group *group)
{
	uint16_t before = current_group;

	if (group && READ_ONCE(group->state) != GROUP_LIVE) {
		report("BUG: kmem_group_enter(%p): not a live group; the thread stays where it is", (void *)group);
		return before ? &account.group[before] : NULL;
	}
	current_group = group ? id_of(group) : 0;
	return before ? &account.group[before] : NULL;
}

KMEM_API void kmem_group_set_limit(struct kmem_group *group, size_t limit)
{
	WRITE_ONCE(group->limit, limit);
}

KMEM_API void kmem_group_stat(const struct kmem_group *group, struct kmem_group_stat *stat)
{
	stat->bytes = READ_ONCE(group->bytes);
	stat->objects = READ_ONCE(group->objects);
	stat->peak_bytes = READ_ONCE(group->peak);
	stat->limit = READ_ONCE(group->limit);
	stat->failures = READ_ONCE(group->failures);
}

/* ---- charging ---- */

static void note_peak(struct kmem_group *group, uint64_t bytes)
{
	uint64_t peak = READ_ONCE(group->peak);

	while (bytes > peak && !__atomic_compare_exchange_n(&group->peak, &peak, bytes, true, __ATOMIC_RELAXED,
							    __ATOMIC_RELAXED))
		;
}

int account_charge(gfp_t gfp, size_t bytes)
{
	struct kmem_group *group = &account.group[current_group];
	uint64_t limit, now;

	if (!current_group || READ_ONCE(group->state) != GROUP_LIVE)
		return 0;
	limit = READ_ONCE(group->limit);
	now = __atomic_add_fetch(&group->bytes, bytes, __ATOMIC_RELAXED);
	if (limit && now > limit && !(gfp & __GFP_NOFAIL)) {
		__atomic_fetch_sub(&group->bytes, bytes, __ATOMIC_RELAXED);
		__atomic_fetch_add(&group->failures, 1, __ATOMIC_RELAXED);
		return -1;
	}
	note_peak(group, now);
	return id_of(group);
}

static void uncharge(struct kmem_group *group, size_t bytes)
{
	__atomic_fetch_sub(&group->bytes, bytes, __ATOMIC_RELEASE);
	if (unlikely(READ_ONCE(group->state) == GROUP_DYING))
		end_if_unused(group);
}

/* Owner entry of an object; NULL when its block has none. */
static uint16_t *owner_of(const void *object)
{
	uintptr_t offset = (uintptr_t)object - arena.base;
	uint8_t *usable = account.usable.base;

	if (!usable || !__atomic_load_n(&usable[offset >> BLOCK_SHIFT], __ATOMIC_ACQUIRE))
		return NULL;
	return &((uint16_t *)(void *)account.owners.base)[offset / GRANULE];
}

static uint16_t *make_owner(const void *object)
{
	uintptr_t block = ((uintptr_t)object - arena.base) >> BLOCK_SHIFT;
	uint16_t *owner = owner_of(object);

	if (owner)
		return owner;
	lock_acquire(&account.lock, LOCK_ARENA);
	if (!owner_of(object) && !meta_ensure_at(&account.owners, block * OWNER_BYTES, OWNER_BYTES))
		__atomic_store_n(&account.usable.base[block], 1, __ATOMIC_RELEASE);
	lock_release(&account.lock, LOCK_ARENA);
	return owner_of(object);
}

void account_own(int id, void *object, size_t bytes)
{
	struct kmem_group *group = &account.group[id];
	uint16_t *owner;

	if (!id)
		return;
	owner = object ? make_owner(object) : NULL;
	if (!owner) {
		uncharge(group, bytes);
		return;
	}
	/* Freed where nobody watched: its charge ends now. */
	if (unlikely(*owner))
		account_release(object, bytes);
	*owner = (uint16_t)id;
	__atomic_fetch_add(&group->objects, 1, __ATOMIC_RELAXED);
}

void account_release(const void *object, size_t bytes)
{
	uint16_t *owner = owner_of(object), id = owner ? *owner : 0;

	if (!id)
		return;
	*owner = 0;
	__atomic_fetch_sub(&account.group[id].objects, 1, __ATOMIC_RELAXED);
	uncharge(&account.group[id], bytes);
}

void account_after_fork(void)
{
	lock_reset(&account.lock);
}
