/* SPDX-License-Identifier: BSD-2-Clause */
/* barn.c - barns, how much room they learn to have, and the memory of sheaves; see barn.h. */
#include "slab/barn.h"

#include <errno.h>

#include "base/observe.h"
#include "base/os.h"

/* Freed sheaves are kept per capacity; the kernel's four, what callers asked for, and the barns' longer lists. */
#define SHEAF_CLASSES 32

/* Address space for sheaves: about 10 KiB for each cache in use. */
#define SHEAVES_MAX ((size_t)1 << 30)
#define SHEAVES_MIN ((size_t)4 << 20)

/* What a node may learn to keep: bytes of objects, and sheaves. */
#define LEARN_BYTES   ((size_t)16 << 20)
#define LEARN_SHEAVES 16384u

/* As long as free pages wait for the purge, unless told otherwise. Looked at every so many refills and flushes. */
#define PERIOD_NS UINT64_C(1000000000)
#define TICKS     32u

static struct {
	struct meta_range range;
	lock_t lock;
	struct {
		uint32_t capacity;
		struct kmem_sheaf *free;
	} class[SHEAF_CLASSES];
} sheaves KMEM_STATE;

/* ---- full and empty sheaves ---- */

struct kmem_sheaf *barn_get_full(struct kmem_cache_node *n)
{
	struct kmem_sheaf *sheaf;

	if (!n->nr_full)
		return NULL;
	n->stat.barn_get++;
	WRITE_ONCE(n->nr_full, n->nr_full - 1);
	sheaf = barn_sheaf(n, n->nr_full);
	n->parked -= sheaf->count;
	n->low = MIN(n->low, n->nr_full);
	return sheaf;
}

void *barn_take_object(struct kmem_cache_node *n)
{
	struct kmem_sheaf *sheaf = n->nr_full ? barn_sheaf(n, n->nr_full - 1) : NULL;

	if (!sheaf || sheaf->count < 2)
		return NULL;
	n->parked--;
	return sheaf_objects(sheaf)[--sheaf->count];
}

struct kmem_sheaf *barn_get_empty(struct kmem_cache_node *n)
{
	struct kmem_sheaf *sheaf = (struct kmem_sheaf *)(uintptr_t)n->spare;

	if (sheaf) {
		WRITE_ONCE(n->spare, sheaf->object[0]);
		n->nr_spare--;
		return sheaf;
	}
	if (!n->nr_empty)
		return NULL;
	WRITE_ONCE(n->nr_empty, n->nr_empty - 1);
	return (struct kmem_sheaf *)(uintptr_t)n->empty[n->nr_empty];
}

static bool put_empty(const struct kmem_cache *s, struct kmem_cache_node *n, struct kmem_sheaf *sheaf)
{
	if (n->nr_empty < s->barn_empty) {
		n->empty[n->nr_empty] = (uintptr_t)sheaf;
		WRITE_ONCE(n->nr_empty, n->nr_empty + 1);
		return true;
	}
	/* Where so many are full at times. */
	if (n->nr_spare >= n->learned)
		return false;
	sheaf->object[0] = n->spare;
	WRITE_ONCE(n->spare, (uintptr_t)sheaf);
	n->nr_spare++;
	return true;
}

bool barn_put(const struct kmem_cache *s, struct kmem_cache_node *n, struct kmem_sheaf *sheaf)
{
	if (!sheaf->count)
		return put_empty(s, n, sheaf);
	if (!barn_has_room(s, n))
		return false;
	*barn_entry(n, n->nr_full) = (uintptr_t)sheaf;
	WRITE_ONCE(n->nr_full, n->nr_full + 1);
	n->parked += sheaf->count;
	n->stat.barn_put++;
	return true;
}

/* ---- learning how many to keep ---- */

/* more[] is the array of a sheaf of that capacity. */
static struct kmem_sheaf *more_sheaf(const struct kmem_cache_node *n)
{
	return (struct kmem_sheaf *)(uintptr_t)(n->more - sizeof(struct kmem_sheaf));
}

static void drop_more(struct kmem_cache_node *n)
{
	if (n->more)
		sheaf_free(more_sheaf(n));
	n->more = 0;
	n->more_room = 0;
}

/* Room for one more full sheaf, doubled when there is none. */
static bool make_entries(struct kmem_cache_node *n)
{
	enum { FIRST = 64 };
	uint32_t used = n->nr_full > KMEM_BARN_SHEAVES ? n->nr_full - KMEM_BARN_SHEAVES : 0;
	uint32_t room = n->more_room ? 2 * n->more_room : FIRST;
	struct kmem_sheaf *list;

	if (n->learned < n->more_room)
		return true;
	list = sheaf_alloc(room);
	if (!list)
		return false;
	if (used)
		memcpy(list->object, (void *)(uintptr_t)n->more, used * sizeof(list->object[0]));
	drop_more(n);
	n->more = (uintptr_t)list->object;
	n->more_room = room;
	return true;
}

void barn_lacks_room(struct kmem_cache_node *n, uint32_t count)
{
	n->debt = MIN(n->debt + count, (uint32_t)LEARN_BYTES);
}

void barn_missed(const struct kmem_cache *s, struct kmem_cache_node *n)
{
	if (likely(n->debt < s->sheaf_capacity) || s->behaviour & KMEM_CACHE_BARN_FIXED)
		return;
	if (n->learned >= LEARN_SHEAVES || (size_t)(n->learned + 1) * s->sheaf_capacity * s->size > LEARN_BYTES ||
	    !make_entries(n))
		return;
	n->debt -= s->sheaf_capacity;
	WRITE_ONCE(n->learned, n->learned + 1);
}

static void end_period(struct kmem_cache_node *n)
{
	uint64_t now = os_now_ns();

	n->ticks = TICKS;
	if (now < n->period_ns)
		return;
	/* What was never taken below in a whole period; the first one has no beginning. */
	if (n->period_ns)
		WRITE_ONCE(n->learned, n->learned - MIN(n->learned, n->low));
	n->period_ns = now + PERIOD_NS;
	n->low = n->nr_full;
	n->debt /= 2;
}

/* Full sheaf number i goes back to the slabs; the last one takes its place. */
static void give_back(const struct kmem_cache *s, struct kmem_cache_node *n, uint32_t i, struct page **empty)
{
	struct kmem_sheaf *sheaf = barn_sheaf(n, i);

	*barn_entry(n, i) = *barn_entry(n, n->nr_full - 1);
	WRITE_ONCE(n->nr_full, n->nr_full - 1);
	n->low = MIN(n->low, n->nr_full);
	n->parked -= sheaf->count;
	node_put(s, sheaf_objects(sheaf), sheaf->count, empty);
	sheaf_free(sheaf);
}

void barn_age(const struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	uint32_t keep;

	if (unlikely(n->ticks-- == 0))
		end_period(n);
	keep = s->barn_full + n->learned;
	/* The first ones have waited longest: the highest of them, so that what takes its place is not the next to go. */
	if (unlikely(n->nr_full > keep))
		give_back(s, n, n->nr_full - keep - 1, empty);
	if (unlikely(n->nr_spare > n->learned))
		sheaf_free(barn_get_empty(n));
}

bool barn_drain(const struct kmem_cache *s, struct kmem_cache_node *n, uint32_t max, struct page **empty)
{
	struct kmem_sheaf *sheaf;

	for (; n->nr_full && max; max--)
		give_back(s, n, n->nr_full - 1, empty);
	if (n->nr_full)
		return false;
	while ((sheaf = barn_get_empty(n)))
		sheaf_free(sheaf);
	drop_more(n);
	WRITE_ONCE(n->learned, 0);
	n->debt = 0;
	return true;
}

void barn_trim(const struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	while (n->nr_full > n->learned) {
		barn_lacks_room(n, barn_sheaf(n, n->nr_full - 1)->count);
		give_back(s, n, n->nr_full - 1, empty);
	}
	n->closed = !n->learned;
}

/* ---- sheaf memory ---- */

int sheaf_init(void)
{
	/* Under ulimit -v the arena needs most of what there is. */
	size_t limit = MIN(SHEAVES_MAX, MAX(os_address_limit() / 16, SHEAVES_MIN));
	int rc;

	do {
		rc = meta_reserve(&sheaves.range, "kmem sheaves", limit);
		limit /= 2;
	} while (rc && limit >= SHEAVES_MIN);
	observe_root.sheaves = (uintptr_t)sheaves.range.base;
	observe_root.sheaves_end = observe_root.sheaves;
	return rc;
}

void *sheaf_memory(size_t bytes)
{
	void *memory = meta_carve(&sheaves.range, bytes, 16);

	WRITE_ONCE(observe_root.sheaves_end, (uintptr_t)sheaves.range.base + READ_ONCE(sheaves.range.used));
	return memory;
}

/* Index of the free list for a capacity; SHEAF_CLASSES when the table is full. */
static unsigned int class_of(uint32_t capacity)
{
	unsigned int i;

	for (i = 0; i < SHEAF_CLASSES; i++) {
		if (!sheaves.class[i].capacity)
			sheaves.class[i].capacity = capacity;
		if (sheaves.class[i].capacity == capacity)
			break;
	}
	return i;
}

struct kmem_sheaf *sheaf_alloc(uint32_t capacity)
{
	struct kmem_sheaf *sheaf = NULL;
	unsigned int i;

	lock_acquire(&sheaves.lock, LOCK_META);
	i = class_of(capacity);
	if (i < SHEAF_CLASSES && sheaves.class[i].free) {
		sheaf = sheaves.class[i].free;
		sheaves.class[i].free = (struct kmem_sheaf *)(uintptr_t)sheaf->object[0];
	}
	lock_release(&sheaves.lock, LOCK_META);
	if (!sheaf)
		sheaf = sheaf_memory(sizeof(*sheaf) + capacity * sizeof(sheaf->object[0]));
	if (!sheaf)
		return NULL;
	sheaf->count = 0;
	sheaf->capacity = capacity;
	return sheaf;
}

void sheaf_free(struct kmem_sheaf *sheaf)
{
	unsigned int i;

	lock_acquire(&sheaves.lock, LOCK_META);
	i = class_of(sheaf->capacity);
	if (i < SHEAF_CLASSES) {
		sheaf->count = 0;
		sheaf->object[0] = (uintptr_t)sheaves.class[i].free;
		sheaves.class[i].free = sheaf;
	}
	lock_release(&sheaves.lock, LOCK_META);
}

void sheaf_after_fork(void)
{
	lock_reset(&sheaves.lock);
	lock_reset(&sheaves.range.lock);
}
