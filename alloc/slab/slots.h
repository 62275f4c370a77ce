/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slots.h - the per-CPU slots of a cache as a whole: how large they are, and draining.
 *
 * A slot starts with the kernel's main and spare sheaf, 2 * sheaf_capacity objects.
 * One that is to be flushed after a run of refills would have needed neither, had it
 * been larger: it grows by as many sheaves. When there is no room for that, the
 * cache moves once to slots with room for many more. A CPU that only allocates or
 * only frees never grows its slot.
 */
#ifndef SLAB_SLOTS_H
#define SLAB_SLOTS_H

#include "slab/node.h"
#include "slab/slot.h"

/* Slot of a CPU in the current region of a cache. */
static inline struct kmem_slot *slot_of(const struct kmem_cache *s, unsigned int cpu)
{
	return (struct kmem_slot *)(uintptr_t)(READ_ONCE(s->percpu) + ((uint64_t)cpu << KMEM_PERCPU_SHIFT));
}

static inline struct kmem_slot *shared_slot(const struct kmem_cache_node *n)
{
	return (struct kmem_slot *)(uintptr_t)n->shared;
}

/*
 * For the slow paths, with the node locked: the slot of the running CPU, or the
 * shared one, made ready for use. A hint, the thread may migrate at any time.
 */
struct kmem_slot *slots_enable(const struct kmem_cache *s, const struct kmem_cache_node *n);

/* Objects leave slabs again: as much room as at first, where slub_trim() has left less. */
void slots_widen(const struct kmem_cache *s, struct kmem_slot *slot);

/* It was refilled. It is full: true when it can hold more from now on. */
void slots_refilled(const struct kmem_cache *s, struct kmem_slot *slot);
bool slots_grow(struct kmem_cache *s, struct kmem_slot *slot);

/* How many sheaves to move at once. */
uint32_t slots_burst(const struct kmem_cache *s, const struct kmem_slot *slot);

/* When s->slots_wanted is 1, in a context that may wait, nothing locked: larger slots, if they can be had. */
void slots_enlarge(struct kmem_cache *s);

/* With the cache locked: free what slub_free_try() could not. */
void slots_free_deferred(struct kmem_cache *s, struct page **empty);

/*
 * Empty every slot and the barn of a cache, and the slots of all that share its
 * slabs, into them; fold the slots' counters into their cache. What slots and barn
 * have learned about their sizes is forgotten. Caller holds the registry lock.
 */
void slub_drain(struct kmem_cache *s);

/*
 * Whether a drain would find nothing: a look without lock or barrier, to leave out caches in rest. Caller holds the
 * registry lock.
 */
bool slub_is_drained(struct kmem_cache *root);

/*
 * Put what the running CPU's slot and the barn hold back into slabs, but what was
 * learned to be missed: no barrier, no lock but the cache's. `s` has slabs of its own.
 */
void slub_trim(struct kmem_cache *s);

/*
 * Slots of another size, while they are in use: *offset and *capacity as in
 * struct kmem_cache, shared[nid] the slots of a cache without per-CPU ones. All are
 * swapped with the old ones. Caller holds the registry lock. Return: 0, or -EPERM:
 * the program's filter of system calls does not let their users be waited for.
 */
int slub_change_slots(struct kmem_cache *s, uint32_t *offset, uint32_t *capacity, struct kmem_slot **shared);

#endif
