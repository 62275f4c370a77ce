/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.c - the pool of guarded objects; see guard.h.
 *
 * One lock for the pool, taken after the page layer's; the fault handler only
 * tries it. System calls are made under it: a sample is rare.
 */
#include "slab/guard.h"

#include "base/os.h"
#include "page/arena.h"
#include "slab/guard_report.h"

#define PAGES_PER_OBJECT 2u

uint64_t guard_next KMEM_STATE_SET = UINT64_MAX;

static struct {
	lock_t lock;
	uint8_t *base;            /* of the block; NULL: off */
	uint64_t interval_ns;
	uint64_t start_ns, start_tsc;
	uint32_t first, last;     /* of the free ones, oldest first; GUARD_OBJECTS ends the list */
	struct guard_object object[GUARD_OBJECTS];
} pool KMEM_STATE;

/* ---- geometry ---- */

static uint8_t *page_of(const struct guard_object *o)
{
	return pool.base + (PAGES_PER_OBJECT * (size_t)(o - pool.object) + 1) * PAGE_SIZE;
}

static bool in_pool(const void *addr)
{
	return pool.base && (uintptr_t)addr - (uintptr_t)pool.base < BLOCK_BYTES;
}

/* The object on whose page addr lies; NULL for a guard. */
static struct guard_object *object_at(const void *addr)
{
	size_t page = ((uintptr_t)addr - (uintptr_t)pool.base) >> PAGE_SHIFT;

	return page % PAGES_PER_OBJECT && page / PAGES_PER_OBJECT < GUARD_OBJECTS ?
		&pool.object[page / PAGES_PER_OBJECT] : NULL;
}

/* ---- pattern around the object ---- */

static uint8_t pattern(const uint8_t *at)
{
	return (uint8_t)(0xaa ^ ((uintptr_t)at & 7));
}

static void fill(const struct guard_object *o)
{
	uint8_t *page = page_of(o), *at;

	for (at = page; at < page + PAGE_SIZE; at++)
		if (at < o->addr || at >= o->addr + o->size)
			*at = pattern(at);
}

static const uint8_t *first_changed(const struct guard_object *o)
{
	const uint8_t *page = page_of(o), *at;

	for (at = page; at < page + PAGE_SIZE; at++)
		if ((at < o->addr || at >= o->addr + o->size) && *at != pattern(at))
			return at;
	return NULL;
}

/* ---- when ---- */

/* Cycles in ns from what both clocks did since the start: no other clock is needed. */
static void set_next(void)
{
	uint64_t ns = os_now_ns() - pool.start_ns, tsc = __builtin_ia32_rdtsc();
	uint64_t per_ns_1024 = ns > 1000 ? ((tsc - pool.start_tsc) << 10) / ns : 2048;

	WRITE_ONCE(guard_next, tsc + (pool.interval_ns * per_ns_1024 >> 10));
}

/* ---- allocation and free ---- */

static void push_free(struct guard_object *o)
{
	uint32_t index = (uint32_t)(o - pool.object);

	o->next = GUARD_OBJECTS;
	if (pool.first == GUARD_OBJECTS)
		pool.first = index;
	else
		pool.object[pool.last].next = index;
	pool.last = index;
}

/* The oldest free one, its page usable. Locked. */
static struct guard_object *take_free(void)
{
	struct guard_object *o;

	if (pool.first == GUARD_OBJECTS)
		return NULL;
	o = &pool.object[pool.first];
	if (os_commit(page_of(o), PAGE_SIZE))
		return NULL;
	pool.first = o->next;
	return o;
}

static void place(struct guard_object *o, struct kmem_cache *s, size_t size)
{
	uint8_t *page = page_of(o);

	/* Left end or right end: which overflow is caught is chance. */
	if (guard_next & 64)
		o->addr = page;
	else
		o->addr = (uint8_t *)ALIGN_DOWN((uintptr_t)page + PAGE_SIZE - size, (uintptr_t)MAX(s->align, 8u));
	o->size = (uint32_t)size;
	o->cache = s;
	memcpy(o->name, s->name, sizeof(o->name));
	fill(o);
}

/* What readers outside, and free, go by: the id last. */
static void publish(const struct guard_object *o)
{
	struct page *page = addr_to_page(o->addr);

	page->nr_pages = 1;
	page->size = o->size;
	page->offset = (uint32_t)(o->addr - page_of(o));
	page->cache_id = o->cache->id;
	page->flags = KMEM_PG_GUARD;
	page_set_type(page, KMEM_PAGE_LARGE);
	WRITE_ONCE(*addr_to_id(o->addr), KMEM_ID_GUARD);
}

void *guard_alloc(struct kmem_cache *s, const struct slab_request *request)
{
	size_t size = MAX(request->size, (size_t)1);
	struct guard_object *o;
	struct guard_stack who;

	if (!(request->gfp & __GFP_DIRECT_RECLAIM) || s->ctor || size > PAGE_SIZE)
		return NULL;
	guard_stack_take(&who, request->call_site);
	if (!lock_try(&pool.lock, LOCK_META))
		return NULL;
	set_next();
	o = take_free();
	if (o) {
		place(o, s, size);
		o->allocated = who;
		o->freed = (struct guard_stack){ 0 };
		o->in_use = true;
		publish(o);
		s->guard_allocs++;
	}
	lock_release(&pool.lock, LOCK_META);
	if (o && request->gfp & __GFP_ZERO)
		memset(o->addr, 0, size);
	return o ? o->addr : NULL;
}

size_t guard_size(const void *p)
{
	const struct guard_object *o = object_at(p);

	return o && o->in_use && o->addr == p ? o->size : 0;
}

const void *guard_next_of(const struct kmem_cache *s, const void *after)
{
	struct guard_object *o = after ? object_at(after) + 1 : pool.object;
	const void *found = NULL;

	if (!pool.base)
		return NULL;
	lock_acquire(&pool.lock, LOCK_META);
	for (; o < pool.object + GUARD_OBJECTS && !found; o++)
		if (o->in_use && o->cache == s)
			found = o->addr;
	lock_release(&pool.lock, LOCK_META);
	return found;
}

/* Back to a page that cannot be touched, its memory given back. Locked. */
static void retire(struct guard_object *o)
{
	struct page *page = addr_to_page(o->addr);

	o->in_use = false;
	WRITE_ONCE(*addr_to_id(o->addr), KMEM_ID_GUARD_FREE);
	page_set_type(page, KMEM_PAGE_RESERVED);
	page->flags = 0;
	os_decommit(page_of(o), PAGE_SIZE);
	/* The guards, too, if an access was let through. */
	if (o->opened) {
		os_decommit(page_of(o) - PAGE_SIZE, PAGE_SIZE);
		os_decommit(page_of(o) + PAGE_SIZE, PAGE_SIZE);
		o->opened = false;
	}
	push_free(o);
}

void guard_free(void *p, const void *call_site)
{
	struct guard_object *o = object_at(p);
	const uint8_t *changed;
	struct guard_stack who;

	guard_stack_take(&who, call_site);
	lock_acquire(&pool.lock, LOCK_META);
	if (!o || !o->in_use || o->addr != p) {
		guard_report(GUARD_INVALID_FREE, p, o, &who);
	} else {
		changed = first_changed(o);
		if (changed)
			guard_report(GUARD_CORRUPTION, changed, o, &who);
		o->freed = who;
		o->cache->guard_frees++;
		o->cache = NULL;
		retire(o);
	}
	lock_release(&pool.lock, LOCK_META);
}

/* ---- faults ---- */

/* The object that an access to a guard most likely belongs to: the nearer neighbour with a use. */
static struct guard_object *neighbour(const uint8_t *addr)
{
	size_t guard = ((size_t)(addr - pool.base) >> PAGE_SHIFT) / PAGES_PER_OBJECT;
	struct guard_object *left = guard > 0 ? &pool.object[guard - 1] : NULL;
	struct guard_object *right = guard < GUARD_OBJECTS ? &pool.object[guard] : NULL;

	if (!left || !left->in_use)
		return right && right->in_use ? right : NULL;
	if (!right || !right->in_use)
		return left;
	return (size_t)(addr - (left->addr + left->size)) <= (size_t)(right->addr - addr) ? left : right;
}

/* Let the access through after its report; the page closes again when the object is freed. */
static bool handle_fault(void *addr, bool write, const struct guard_stack *who)
{
	uint8_t *page = (uint8_t *)ALIGN_DOWN((uintptr_t)addr, PAGE_SIZE);
	struct guard_object *o = object_at(addr);
	bool locked = lock_try(&pool.lock, LOCK_META);
	bool freed = o != NULL;

	if (!o)
		o = neighbour(addr);
	guard_report(freed ? write ? GUARD_WRITE_FREED : GUARD_READ_FREED :
			     write ? GUARD_WRITE_BEYOND : GUARD_READ_BEYOND, addr, o, who);
	if (o && !freed)
		o->opened = true;
	if (locked)
		lock_release(&pool.lock, LOCK_META);
	return !os_commit(page, PAGE_SIZE);
}

static bool fault(void *addr, bool write, uintptr_t pc, uintptr_t frame)
{
	struct guard_stack who;

	if (!in_pool(addr))
		return false;
	guard_stack_take_at(&who, pc, frame);
	return handle_fault(addr, write, &who);
}

/* ---- start ---- */

void guard_init(unsigned int interval_ms)
{
	uint32_t block, i;

	if (!interval_ms)
		return;
	block = arena_take_blocks(1, KMEM_BLOCK_GUARD, 0, false);
	if (!block)
		return;
	pool.base = block_addr(block);
	pool.interval_ns = (uint64_t)interval_ms * 1000000;
	pool.first = GUARD_OBJECTS;
	for (i = 0; i < GUARD_OBJECTS; i++) {
		pool.object[i].number = i;
		push_free(&pool.object[i]);
	}
	pool.start_ns = os_now_ns();
	pool.start_tsc = __builtin_ia32_rdtsc();
	os_on_fault(fault);
	WRITE_ONCE(guard_next, pool.start_tsc);
}

void guard_lock_for_fork(void)
{
	lock_for_fork(&pool.lock, false);
}

void guard_unlock_after_fork(bool child)
{
	lock_after_fork(&pool.lock, child);
}
