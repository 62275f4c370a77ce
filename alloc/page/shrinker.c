/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrinker.c - registration of shrinkers, and how much each is asked for; see
 * kmem/shrinker.h.
 *
 * A round takes a reference on one shrinker after the other and calls it with the
 * lock dropped, so that a callback may register and free others.
 */
#include "page/shrinker.h"

#include "base/lock.h"
#include "base/meta.h"
#include "base/numa.h"
#include "base/os.h"
#include "base/report.h"
#include "base/trace.h"

#define MOST_SHRINKERS 4096u
#define NAME_BYTES     32
#define NAP_NS         100000

/* The public part comes first. */
struct entry {
	struct shrinker shrinker;
	char name[NAME_BYTES];
	bool registered;
	uint32_t users; /* threads inside its callbacks */
	long deferred[KMEM_MAX_NODES]; /* objects that should have been scanned, and were not */
	struct entry *next; /* registered ones, or free ones */
};

static struct {
	lock_t lock;
	struct meta_range range;
	struct entry *first;
	struct entry *unused;
	unsigned int nr;
} shrinkers KMEM_STATE;

static struct entry *entry_of(struct shrinker *shrinker)
{
	return (struct entry *)(void *)shrinker;
}

static struct entry *new_entry(void)
{
	struct entry *entry;

	lock_acquire(&shrinkers.lock, LOCK_REGISTRY);
	if (!shrinkers.range.base)
		meta_reserve(&shrinkers.range, "kmem shrinkers", MOST_SHRINKERS * sizeof(struct entry));
	entry = shrinkers.unused;
	if (entry)
		shrinkers.unused = entry->next;
	else if (shrinkers.range.base)
		entry = meta_carve(&shrinkers.range, sizeof(*entry), _Alignof(struct entry));
	lock_release(&shrinkers.lock, LOCK_REGISTRY);
	return entry;
}

KMEM_API struct shrinker *shrinker_alloc(unsigned int flags, const char *format, ...)
{
	struct entry *entry = new_entry();
	va_list args;

	if (!entry)
		return NULL;
	memset(entry, 0, sizeof(*entry));
	va_start(args, format);
	report_vformat(entry->name, sizeof(entry->name), format, args);
	va_end(args);
	entry->shrinker.flags = flags;
	entry->shrinker.seeks = DEFAULT_SEEKS;
	return &entry->shrinker;
}

KMEM_API void shrinker_register(struct shrinker *shrinker)
{
	struct entry *entry = entry_of(shrinker);

	if (!shrinker->count_objects || !shrinker->scan_objects) {
		report("shrinker \"%s\" not registered: set count_objects and scan_objects first", entry->name);
		return;
	}
	lock_acquire(&shrinkers.lock, LOCK_REGISTRY);
	if (!entry->registered) {
		entry->registered = true;
		entry->next = shrinkers.first;
		shrinkers.first = entry;
		shrinkers.nr++;
	}
	lock_release(&shrinkers.lock, LOCK_REGISTRY);
}

/* Locked. */
static void unlink_entry(struct entry *entry)
{
	struct entry **link = &shrinkers.first;

	if (!entry->registered)
		return;
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	entry->registered = false;
	shrinkers.nr--;
}

KMEM_API void shrinker_free(struct shrinker *shrinker)
{
	struct entry *entry = entry_of(shrinker);

	if (!shrinker)
		return;
	lock_acquire(&shrinkers.lock, LOCK_REGISTRY);
	/* A round that is inside needs its `next`: wait before taking it off the list. */
	while (READ_ONCE(entry->users)) {
		lock_release(&shrinkers.lock, LOCK_REGISTRY);
		os_sleep_ns(NAP_NS);
		lock_acquire(&shrinkers.lock, LOCK_REGISTRY);
	}
	unlink_entry(entry);
	entry->next = shrinkers.unused;
	shrinkers.unused = entry;
	lock_release(&shrinkers.lock, LOCK_REGISTRY);
}

/* Objects to scan for this pressure alone: cheap ones more, dear ones less. */
static unsigned long scan_share(const struct shrinker *shrinker, unsigned long freeable, unsigned int priority)
{
	if (!shrinker->seeks)
		return freeable / 2;
	return (freeable >> priority) * 4 / (unsigned long)shrinker->seeks;
}

/* Call scan_objects() in batches. Return: objects freed; *scanned is how many were looked at. */
static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc, unsigned long total,
			  unsigned long freeable, unsigned long *scanned)
{
	unsigned long batch = shrinker->batch > 0 ? (unsigned long)shrinker->batch : SHRINK_BATCH, freed = 0;

	while (total >= batch || total >= freeable) {
		unsigned long ret;

		sc->nr_to_scan = MIN(batch, total);
		sc->nr_scanned = sc->nr_to_scan;
		if (!sc->nr_to_scan)
			break;
		ret = shrinker->scan_objects(shrinker, sc);
		if (ret == SHRINK_STOP)
			break;
		freed += ret;
		*scanned += sc->nr_scanned;
		total -= MIN(total, sc->nr_scanned);
		/* It looked at nothing: it would do so for ever. */
		if (!sc->nr_scanned)
			break;
	}
	return freed;
}

unsigned long shrinker_shrink_one(struct shrinker *shrinker, struct shrink_control *sc, unsigned int priority)
{
	long *deferred = &entry_of(shrinker)->deferred[sc->nid];
	unsigned long freeable, share, total, scanned = 0, freed;
	long left_before, left;

	freeable = shrinker->count_objects(shrinker, sc);
	if (!freeable || freeable == SHRINK_EMPTY)
		return 0;
	left_before = __atomic_exchange_n(deferred, 0, __ATOMIC_RELAXED);
	share = scan_share(shrinker, freeable, priority);
	total = MIN(((unsigned long)left_before >> priority) + share, 2 * freeable);
	if (trace_on(TRACE_MM_SHRINK_SLAB_START))
		trace_mm_shrink_slab_start(shrinker, (const void *)(uintptr_t)shrinker->scan_objects, sc->nid, left_before,
					   sc->gfp_mask, freeable, share, total, (int)priority);
	freed = scan(shrinker, sc, total, freeable, &scanned);
	left = left_before + (long)share - (long)scanned;
	left = MIN(MAX(left, 0L), (long)(2 * freeable));
	__atomic_fetch_add(deferred, left, __ATOMIC_RELAXED);
	if (trace_on(TRACE_MM_SHRINK_SLAB_END))
		trace_mm_shrink_slab_end(shrinker, sc->nid, (const void *)(uintptr_t)shrinker->scan_objects, left_before,
					 left, (int)freed, (long)scanned);
	return freed;
}

/* The next one after `entry` with a reference; drops the one on `entry`. */
static struct entry *next_entry(struct entry *entry)
{
	struct entry *next;

	lock_acquire(&shrinkers.lock, LOCK_REGISTRY);
	next = entry ? entry->next : shrinkers.first;
	if (entry)
		entry->users--;
	if (next)
		next->users++;
	lock_release(&shrinkers.lock, LOCK_REGISTRY);
	return next;
}

unsigned long shrinker_shrink_all(gfp_t gfp, unsigned int nid, unsigned int priority)
{
	struct entry *entry = NULL;
	unsigned long freed = 0;

	while ((entry = next_entry(entry))) {
		struct shrink_control sc = { .gfp_mask = gfp };

		sc.nid = entry->shrinker.flags & SHRINKER_NUMA_AWARE ? (int)nid : 0;
		freed += shrinker_shrink_one(&entry->shrinker, &sc, priority);
	}
	return freed;
}

unsigned int shrinker_count(void)
{
	return READ_ONCE(shrinkers.nr);
}

void shrinker_lock_for_fork(void)
{
	lock_for_fork(&shrinkers.lock, false);
}

void shrinker_unlock_after_fork(bool child)
{
	lock_after_fork(&shrinkers.lock, child);
}
