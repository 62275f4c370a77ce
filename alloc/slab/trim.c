/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trim.c - memory that caches hold without need; see trim.h.
 *
 * Slack is what slabs hold beyond live objects: free objects, and those in barns
 * and slots. Half as much as is live may stay, and what was learned: pages emptied
 * and soon taken again raise the limit, as in page/purge.c. Beyond that
 *
 *   caches with more slack than live objects   barn and this CPU's slot go back into slabs
 *   those that are nearly dead                 all CPUs' slots, with one barrier
 *   sparse slabs of several pages              pages without an object are emptied
 *
 * and a cache that moved nothing between slots and slabs for half a decay period gives
 * back what it parks in any case. All of this takes at most 1/64 of the time, while
 * nearly everything is free 1/8: a look spends what was saved up since the last one.
 *
 * While pages are emptied no lock is held: the slab's free objects are held in
 * reserve, as if a caller had them prefilled. The registry is locked, so fork()
 * waits.
 */
#include "slab/trim.h"

#include "base/observe.h"
#include "base/os.h"
#include "page/arena.h"
#include "page/purge.h"
#include "page/vmstat.h"
#include "slab/cache.h"
#include "slab/debug.h"
#include "slab/slub.h"

#define TIME_SHARE      64u
#define TIME_SHARE_DEAD 8u
#define SPEND_LEAST_NS  UINT64_C(50000)
#define SPEND_MOST_NS   UINT64_C(3000000)

/* Slack that is never too much, in all caches and in one. */
#define KEEP_BYTES    ((uint64_t)512 << 10)
#define KEEP_ONE      ((uint64_t)16 << 10)

/* From here on a barrier to empty all slots of a nearly dead cache pays. */
#define DRAIN_BYTES   ((uint64_t)256 << 10)

/* Descriptors looked at between two looks at the clock. */
#define SWEEP_PAGES   512u
/* What a sparse slab, and a page emptied, cost in these. */
#define SLAB_LOOKS    32u
#define PAGE_LOOKS    4u

/* The smallest blocks worth a system call. */
#define PURGE_ORDER   4u

#define MASK_PAGES    64u /* slabs of more pages are left alone */

struct slack {
	uint64_t live, slack; /* bytes */
	uint64_t inner;       /* of the slack, free objects in slabs of several pages */
};

static struct {
	uint64_t due_ns;   /* of the next look */
	uint64_t last_ns;  /* of the last one: time saved up since */
	uint64_t rest_ns;  /* when idle caches are looked for next */
	uint64_t period_ns;
	uint32_t share;    /* of the time that a look may take */
	uint64_t limit;    /* bytes of slack that may stay: learned */
	uint64_t debt;     /* bytes emptied, not yet regretted */
	uint64_t refaults; /* slab_refaults() when last looked at */
	uint32_t cursor;   /* of the sweep: page index */
	bool on;
	bool left;         /* the last look found more than may stay */
	uint64_t held[(SLAB_MAX_OBJECTS + 64) / 64];
} trim KMEM_STATE;

/* ---- pages inside slabs ---- */

/* Whether one of the objects `at` to `last` of a slab is taken. */
static bool any_taken(const struct page *slab, uint32_t at, uint32_t last)
{
	uint32_t word;

	for (word = at / 64; word <= last / 64; word++) {
		uint64_t taken = kmem_slab_taken(slab, *slab_word(slab, word), word);

		if (word == at / 64)
			taken &= ~UINT64_C(0) << at % 64;
		if (word == last / 64)
			taken &= ~UINT64_C(0) >> (63 - last % 64);
		if (taken)
			return true;
	}
	return false;
}

/* The pages of a slab that have memory, but no taken object, as bits. */
static uint64_t empty_pages(const struct kmem_cache *s, const struct page *slab)
{
	uint64_t wanted = slab_all_pages(slab) & ~slab->emptied, empty = 0;

	for (; wanted; wanted &= wanted - 1) {
		uint32_t page = (uint32_t)__builtin_ctzll(wanted);
		uint32_t begin = page << PAGE_SHIFT, end = begin + (uint32_t)PAGE_SIZE;
		/* Before the first object, and behind the last one, there may be a rest. */
		uint32_t at = begin > slab->offset ? (begin - slab->offset) / s->size : 0;
		uint32_t last = MIN((end - slab->offset - 1) / s->size, slab->objects - 1u);

		if (at > last || !any_taken(slab, at, last))
			empty |= UINT64_C(1) << page;
	}
	return empty;
}

/* Contents of free objects matter, or readers may still look at them; or a huge page is better kept. */
static bool may_empty(const struct kmem_cache *s, const struct page *slab)
{
	if (s->ctor || (s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_DEBUG_FLAGS)))
		return false;
	if (slab->nr_pages > MASK_PAGES || !(slab->flags & KMEM_PG_PARTIAL))
		return false;
	return slab->inuse <= slab->objects / (pageblock_is_huge(page_index(slab)) ? 8 : 2);
}

/* Adjoining pages by one call. Return: pages. */
static uint32_t empty_runs(const struct page *slab, uint64_t pages)
{
	uint8_t *base = page_to_addr(slab);
	uint32_t nr = 0;

	while (pages) {
		uint32_t first = (uint32_t)__builtin_ctzll(pages), len;
		uint64_t rest = ~(pages >> first);

		len = rest ? (uint32_t)__builtin_ctzll(rest) : MASK_PAGES;
		if (purge_pages(base + ((size_t)first << PAGE_SHIFT), (size_t)len << PAGE_SHIFT))
			nr += len;
		pages &= len + first >= MASK_PAGES ? 0 : ~UINT64_C(0) << (first + len);
	}
	return nr;
}

size_t trim_slab(struct kmem_cache *s, struct page *slab)
{
	struct kmem_cache_node *home = node_of(s, 0);
	struct page *empty = NULL;
	uint64_t pages = 0;
	uint32_t nr;

	node_lock(home);
	if (slab->type == KMEM_PAGE_SLAB && slab->cache_id == s->id && may_empty(s, slab))
		pages = empty_pages(s, slab);
	if (pages)
		node_hold(s, slab, trim.held);
	node_unlock(home);
	if (!pages)
		return 0;
	nr = empty_runs(slab, pages);
	node_lock(home);
	node_unhold(s, slab, trim.held, &empty);
	slab->emptied |= pages;
	node_unlock(home);
	node_release(s, empty);
	vm_count(KMEM_VM_SLAB_PURGE, nr);
	return (size_t)nr << PAGE_SHIFT;
}

/* The cache of a slab that looks sparse, else NULL. Not locked: a hint, and no race to the sanitizer. */
__attribute__((no_sanitize("thread"))) static struct kmem_cache *sparse_slab(const struct page *page)
{
	uint16_t id = READ_ONCE(page->cache_id);

	if (READ_ONCE(page->type) != KMEM_PAGE_SLAB || !READ_ONCE(page->order) ||
	    READ_ONCE(page->inuse) > READ_ONCE(page->objects) / 2 || !id || id >= cache_count())
		return NULL;
	return cache_by_id(id)->state == KMEM_CACHE_LIVE ? cache_by_id(id) : NULL;
}

/* Descriptors from `at` to the next that means something. As sparse_slab(). */
__attribute__((no_sanitize("thread"))) static uint32_t step_over(uint32_t at)
{
	const struct page *page = page_at(at);
	uint8_t type;

	if (block_state(at >> MAX_PAGE_ORDER) != KMEM_BLOCK_BUDDY)
		return BLOCK_PAGES - (at & (BLOCK_PAGES - 1));
	type = READ_ONCE(page->type);
	if (type == KMEM_PAGE_TAIL || type == KMEM_PAGE_RESERVED)
		return 1;
	return MIN(MAX(READ_ONCE(page->nr_pages), 1u), BLOCK_PAGES - (at & (BLOCK_PAGES - 1)));
}

/* Go on through the arena, once round at most, until the time is up. */
static void sweep(uint64_t end_ns)
{
	uint32_t nr_pages = (uint32_t)(READ_ONCE(arena.bytes) >> PAGE_SHIFT), seen = 0, looked = 0;

	while (seen < nr_pages) {
		uint32_t at = trim.cursor < nr_pages ? trim.cursor : 0, step = step_over(at);
		struct kmem_cache *s = step <= MASK_PAGES ? sparse_slab(page_at(at)) : NULL;

		trim.cursor = at + step;
		seen += step;
		looked++;
		if (s) {
			size_t bytes = trim_slab(s, page_at(at));

			trim.debt += bytes;
			looked += SLAB_LOOKS + (uint32_t)(bytes >> PAGE_SHIFT) * PAGE_LOOKS;
		}
		if (looked >= SWEEP_PAGES) {
			looked = 0;
			if (os_now_ns() >= end_ns)
				return;
		}
	}
}

/* ---- caches ---- */

/* Those with slabs that may be looked at. */
static bool is_candidate(const struct kmem_cache *s)
{
	return s->id == s->root_id && !debug_cache(s);
}

static uint64_t slot_objects(const struct kmem_cache *s, unsigned int cpu)
{
	return s->slot_offset ? (uint32_t)(READ_ONCE(slot_of(s, cpu)->word) & 0xffff) : 0;
}

/* Slack of one cache: a guess, nothing is locked. */
static struct slack slack_of(const struct kmem_cache *s)
{
	uint64_t fit = 0, taken = 0, parked = 0;
	uint32_t full, learned;
	unsigned int nid;

	for (nid = 0; nid < s->nr_nodes; nid++) {
		const struct kmem_cache_node *n = node_of(s, nid);

		fit += READ_ONCE(n->nr_objects);
		taken += READ_ONCE(n->nr_taken);
		full = READ_ONCE(n->nr_full);
		learned = READ_ONCE(n->learned);
		/* What was missed before is needed. */
		parked += (uint64_t)(full > learned ? full - learned : 0) * s->sheaf_capacity;
	}
	/* Most caches are in no use. */
	if (!fit)
		return (struct slack){ 0, 0, 0 };
	taken = MIN(taken, fit);
	parked = MIN(parked + slot_objects(s, percpu_this_cpu()), taken);
	return (struct slack){ (taken - parked) * s->size, (fit - taken + parked) * s->size,
			       s->order ? (fit - taken) * s->size : 0 };
}

static struct slack slack_of_all(void)
{
	struct slack sum = { 0, 0, 0 };
	struct kmem_cache *s = NULL;

	while ((s = cache_next(s))) {
		struct slack one;

		if (!is_candidate(s))
			continue;
		one = slack_of(s);
		sum.live += one.live;
		sum.slack += one.slack;
		sum.inner += one.inner;
	}
	return sum;
}

static bool parks_elsewhere(const struct kmem_cache *s)
{
	unsigned int cpu, here = percpu_this_cpu();

	for (cpu = 0; cpu < percpu_nr_cpus(); cpu++)
		if (cpu != here && slot_objects(s, cpu))
			return true;
	return false;
}

/* Parked objects of caches that hold more without need than with. */
static void return_parked(uint64_t end_ns)
{
	struct kmem_cache *s = NULL;

	while ((s = cache_next(s)) && os_now_ns() < end_ns) {
		struct slack one;

		if (!is_candidate(s))
			continue;
		one = slack_of(s);
		if (one.slack < KEEP_ONE || one.slack <= one.live)
			continue;
		if (one.slack >= DRAIN_BYTES && one.slack / 8 >= one.live && parks_elsewhere(s))
			cache_shrink_locked(s);
		else
			slub_trim(s);
	}
}

/* ---- rest ---- */

/* Whether a cache has slabs and moved nothing between slots and them since the last look: true once, until it does. */
static bool fell_idle(const struct kmem_cache *s)
{
	struct kmem_cache_node *home = node_of(s, 0);
	uint64_t moves = 0, slabs = 0;
	unsigned int nid;
	bool rests, idle;

	node_lock(home);
	for (nid = 0; nid < s->nr_nodes; nid++) {
		const struct kmem_cache_node *n = node_of(s, nid);

		moves += n->stat.refill + n->stat.flush;
		slabs += n->nr_slabs;
	}
	rests = moves == home->rest_moves;
	idle = rests && slabs && !home->rested;
	home->rested = rests && (home->rested || idle);
	home->rest_moves = moves;
	node_unlock(home);
	return idle;
}

/*
 * What idle caches hold in slots, barns and empty slabs becomes free pages, and
 * as many of these go back to the system: they were idle for long enough.
 */
static void shrink_idle(void)
{
	uint64_t dirty[KMEM_MAX_ZONES] = { 0 };
	struct kmem_cache *s = NULL;
	unsigned int i;

	for (i = 0; i < zone_config.nr_zones; i++)
		dirty[i] = READ_ONCE(zones[i].dirty_pages);
	while ((s = cache_next(s)))
		if (is_candidate(s) && fell_idle(s))
			cache_shrink_locked(s);
	for (i = 0; i < zone_config.nr_zones; i++)
		purge_blocks(&zones[i], PURGE_ORDER, dirty[i]);
	/* What was learned fades. */
	trim.limit -= trim.limit / 4;
	trim.debt = 0;
}

/* ---- looks ---- */

static void regret(void)
{
	uint64_t now = slab_refaults(), again = MIN((now - trim.refaults) << PAGE_SHIFT, trim.debt);

	trim.refaults = now;
	trim.debt -= again;
	trim.limit += 2 * again;
}

static void return_slack(uint64_t end_ns)
{
	struct slack all = slack_of_all();
	uint64_t may_stay = MAX(MAX(trim.limit, all.live / 2), KEEP_BYTES);

	trim.share = all.slack > 4 * may_stay ? TIME_SHARE_DEAD : TIME_SHARE;
	WRITE_ONCE(trim.left, all.slack > may_stay);
	if (all.slack <= may_stay)
		return;
	return_parked(end_ns);
	if (all.inner > may_stay)
		sweep(end_ns);
}

static noinline void look(uint64_t now)
{
	uint64_t spend = MIN((now - trim.last_ns) / trim.share, SPEND_MOST_NS), end;

	regret();
	if (now >= trim.rest_ns) {
		if (trim.rest_ns)
			shrink_idle();
		trim.rest_ns = now + trim.period_ns / 2;
	}
	return_slack(now + spend);
	end = os_now_ns();
	WRITE_ONCE(trim.last_ns, end);
	WRITE_ONCE(trim.due_ns, end + MAX(end - now, SPEND_LEAST_NS) * trim.share);
}

/* Return: whether it was time. */
static bool look_if_due(void)
{
	uint64_t now;

	if (!trim.on)
		return true;
	purge_now_and_then();
	now = os_now_ns();
	if (now < READ_ONCE(trim.due_ns) || !cache_registry_try())
		return false;
	look(now);
	cache_registry_unlock();
	return true;
}

void trim_look(void)
{
	look_if_due();
}

void trim_look_on_free(void)
{
	if (!look_if_due() || READ_ONCE(trim.left))
		observe_call();
}

/* Frees have called for it: again, while there is more to do and it is being done. */
static void errand(void)
{
	uint64_t before = purge_excess_pages(), left;
	bool looked = look_if_due();

	left = purge_excess_pages();
	if ((looked && READ_ONCE(trim.left)) || (left && left < before))
		observe_call();
}

void trim_init(bool on, unsigned int decay_ms)
{
	trim.on = on;
	trim.share = TIME_SHARE;
	trim.period_ns = (uint64_t)decay_ms * 1000000;
	observe_set_errand(on ? errand : NULL);
}
