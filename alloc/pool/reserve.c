/* SPDX-License-Identifier: BSD-2-Clause */
/* reserve.c - a mempool's elements in reserve and the queue for them; see reserve.h. */
#include "pool/reserve.h"

#include "base/os.h"
#include "base/report.h"
#include "base/shadow.h"

/* As in the kernel: memory may have become free without anybody freeing to this pool. */
#define POLL_NS UINT64_C(5000000000)

#define HELD_LOOK 64 /* elements in which a double free is looked for */

/* The byte values of slab_debug's P: a free object, and its last byte. */
#define POISON_FREE 0x6b
#define POISON_END  0xa5

void reserve_lock(struct kmem_mempool *m)
{
	lock_acquire(&m->lock, LOCK_POOL);
	seq_begin(&m->seq);
}

void reserve_unlock(struct kmem_mempool *m)
{
	seq_end(&m->seq);
	lock_release(&m->lock, LOCK_POOL);
}

/* ---- elements ---- */

/* Bytes of an element that are memory; that of pages is a struct page. */
static size_t shadowed(const struct kmem_mempool *m)
{
	return SHADOW && m->kind != KMEM_MEMPOOL_PAGES ? m->element_bytes : 0;
}

static void poison(const struct kmem_mempool *m, uint8_t *element)
{
	if (m->poison_bytes) {
		memset(element, POISON_FREE, m->poison_bytes - 1);
		element[m->poison_bytes - 1] = POISON_END;
	}
	shadow_close(element, shadowed(m));
}

static void check_poison(const struct kmem_mempool *m, uint8_t *element)
{
	uint64_t i;

	shadow_forget(element, shadowed(m));
	for (i = 0; i < m->poison_bytes; i++) {
		uint8_t want = i < m->poison_bytes - 1 ? POISON_FREE : POISON_END;

		if (element[i] == want)
			continue;
		report("BUG: mempool element poison mismatch: %s: byte %llu of %p is 0x%02x, not 0x%02x: "
		       "it was written to after mempool_free()", m->name, (unsigned long long)i, (void *)element,
		       element[i], want);
		report_misuse_end(false);
		break;
	}
	/* What the next owner finds is what a new object holds, as in the kernel: 0x5a. */
	if (m->poison_bytes)
		memset(element, 0x5a, m->poison_bytes);
}

static void **elements(const struct kmem_mempool *m)
{
	return (void **)(uintptr_t)m->elements;
}

void reserve_push(struct kmem_mempool *m, void *element)
{
	BUG_ON(m->min_nr ? m->curr_nr >= m->min_nr : m->curr_nr);
	poison(m, element);
	elements(m)[m->curr_nr] = element;
	WRITE_ONCE(m->curr_nr, m->curr_nr + 1);
}

void *reserve_pop(struct kmem_mempool *m)
{
	void *element;

	BUG_ON(m->curr_nr <= 0);
	element = elements(m)[m->curr_nr - 1];
	/* A leak scan must not find it here. */
	elements(m)[m->curr_nr - 1] = NULL;
	WRITE_ONCE(m->curr_nr, m->curr_nr - 1);
	m->low_water = MIN(m->low_water, m->curr_nr);
	check_poison(m, element);
	return element;
}

/* A second free comes soon after the first, as a rule; a large reserve must not make refills slow. */
bool reserve_holds(const struct kmem_mempool *m, const void *element)
{
	int32_t i, last = MAX(m->curr_nr - HELD_LOOK, 0);

	for (i = m->curr_nr - 1; i >= last; i--)
		if (elements(m)[i] == element)
			return true;
	return false;
}

/* ---- the queue ---- */

static struct reserve_waiter *first_waiter(const struct kmem_mempool *m)
{
	return (struct reserve_waiter *)(uintptr_t)m->waiter_head;
}

/* More than the reserve ever holds cannot be promised: such a thread only polls, and holds up nobody. */
static bool can_be_met(const struct kmem_mempool *m, const struct reserve_waiter *w)
{
	return w->need <= MAX(m->min_nr, 1);
}

bool reserve_has(const struct kmem_mempool *m, int32_t need, bool can_wait)
{
	const struct reserve_waiter *w;

	if (m->curr_nr - m->promised < need)
		return false;
	for (w = can_wait ? first_waiter(m) : NULL; w; w = w->next)
		if (!w->granted && can_be_met(m, w))
			return false;
	return true;
}

void reserve_join(struct kmem_mempool *m, struct reserve_waiter *w, int32_t need)
{
	struct reserve_waiter *last = (struct reserve_waiter *)(uintptr_t)m->waiter_tail;

	*w = (struct reserve_waiter){ .need = need };
	if (last)
		last->next = w;
	else
		m->waiter_head = (uintptr_t)w;
	m->waiter_tail = (uintptr_t)w;
	WRITE_ONCE(m->nr_waiting, m->nr_waiting + 1);
}

void reserve_leave(struct kmem_mempool *m, struct reserve_waiter *w)
{
	struct reserve_waiter *before = NULL, *at = first_waiter(m);

	while (at != w) {
		before = at;
		at = at->next;
	}
	if (before)
		before->next = w->next;
	else
		m->waiter_head = (uintptr_t)w->next;
	if (!w->next)
		m->waiter_tail = (uintptr_t)before;
	m->promised -= w->promised;
	WRITE_ONCE(m->nr_waiting, m->nr_waiting - 1);
}

void reserve_grant(struct kmem_mempool *m)
{
	struct reserve_waiter *w;

	for (w = first_waiter(m); w; w = w->next) {
		if (w->granted || !can_be_met(m, w))
			continue;
		if (m->curr_nr - m->promised < w->need)
			break;
		w->promised = w->need;
		m->promised += w->need;
		__atomic_store_n(&w->granted, 1, __ATOMIC_RELEASE);
		/* It cannot leave, and take its memory along, before it has had the lock. */
		os_futex_wake(&w->granted, 1);
	}
}

void reserve_sleep(struct reserve_waiter *w)
{
	os_futex_wait_for(&w->granted, 0, POLL_NS);
}

void reserve_after_fork(struct kmem_mempool *m)
{
	lock_reset(&m->lock);
	m->waiter_head = m->waiter_tail = 0;
	m->nr_waiting = 0;
	m->promised = 0;
}
