/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmalloc.c - memory that is contiguous in addresses only, and the kv* functions
 * that use it when there is no block of pages; see kmem/vmalloc.h.
 *
 * An area is a LARGE object with KMEM_PG_VMALLOC. One from the buddy marks its
 * later pages in the id map, so that is_vmalloc_addr() knows every address of
 * it; one with an address range of its own is known by its arena blocks.
 */
#include <kmem/vmalloc.h>

#include "base/fault.h"
#include "base/report.h"
#include "base/strict.h"
#include "base/event.h"
#include "page/alloc.h"
#include "page/arena.h"
#include "page/large.h"
#include "slab/kmalloc.h"

/* The head page of the area that starts at p, NULL when none does. */
static struct page *area_of(const void *p)
{
	struct page *page = large_of(p);

	return page && page->flags & KMEM_PG_VMALLOC ? page : NULL;
}

static void mark_tail(const struct page *head, uint16_t id)
{
	uint16_t *entry = addr_to_id(page_to_addr(head));
	uint32_t i;

	if (head->flags & KMEM_PG_MAPPED)
		return;
	for (i = 1; i < head->nr_pages; i++)
		WRITE_ONCE(entry[i], id);
}

/* A block of pages if it is to be had without effort, else an address range. */
static struct page *area_take(size_t size, gfp_t gfp, int nid)
{
	gfp_t light = size > PAGE_SIZE ? (gfp | __GFP_NORETRY | __GFP_NOWARN) & ~__GFP_NOFAIL : gfp;
	void *p = size <= KMALLOC_MAX_SIZE ? large_alloc(size, light, true, false, nid) : NULL;

	if (p)
		return large_of(p);
	return gfp & __GFP_DIRECT_RECLAIM ? large_map(size, nid) : NULL;
}

static void *area_alloc(size_t size, gfp_t gfp, int nid)
{
	struct page *head;

	do {
		head = area_take(size, gfp, nid);
	} while (!head && (gfp & __GFP_NOFAIL) && (gfp & __GFP_DIRECT_RECLAIM));
	if (!head)
		return NULL;
	head->flags |= KMEM_PG_VMALLOC;
	mark_tail(head, KMEM_ID_VMALLOC);
	return page_to_addr(head);
}

static void area_free(struct page *head, const void *call_site)
{
	if (trace_on(TRACE_KFREE))
		event_kfree(call_site, page_to_addr(head));
	mark_tail(head, KMEM_ID_NONE);
	large_free(head);
}

static void trace_area(const void *call_site, const void *p, size_t size, gfp_t gfp, int node)
{
	if (trace_on(TRACE_KMALLOC))
		event_kmalloc(call_site, p, size, ALIGN_UP(size, PAGE_SIZE), gfp, node, (gfp & __GFP_ACCOUNT) != 0);
}

static void *vmalloc_from(size_t size, gfp_t gfp, int node, const void *call_site)
{
	void *p = NULL;

	strict_check(gfp, call_site);
	if (trace_on(TRACE_KMALLOC) && fault_object(gfp, call_site))
		return NULL;
	if (size && size < arena.limit && (usable_node(node) == node || !(gfp & __GFP_THISNODE)))
		p = area_alloc(size, gfp, usable_node(node));
	trace_area(call_site, p, size, gfp, node);
	return p;
}

/* ---- vmalloc ---- */

KMEM_API void *vmalloc(size_t size)
{
	return vmalloc_from(size, GFP_KERNEL, -1, __builtin_return_address(0));
}

KMEM_API void *vzalloc(size_t size)
{
	return vmalloc_from(size, GFP_KERNEL | __GFP_ZERO, -1, __builtin_return_address(0));
}

KMEM_API void *vmalloc_user(size_t size)
{
	return vmalloc_from(size, GFP_KERNEL | __GFP_ZERO, -1, __builtin_return_address(0));
}

KMEM_API void *vmalloc_node(size_t size, int nid)
{
	return vmalloc_from(size, GFP_KERNEL, nid, __builtin_return_address(0));
}

KMEM_API void *vzalloc_node(size_t size, int nid)
{
	return vmalloc_from(size, GFP_KERNEL | __GFP_ZERO, nid, __builtin_return_address(0));
}

KMEM_API void *vmalloc_32(size_t size)
{
	return vmalloc_from(size, GFP_KERNEL | GFP_DMA32, -1, __builtin_return_address(0));
}

KMEM_API void *vmalloc_huge(size_t size, gfp_t gfp)
{
	return vmalloc_from(size, gfp, -1, __builtin_return_address(0));
}

KMEM_API void *__vmalloc(size_t size, gfp_t gfp)
{
	return vmalloc_from(size, gfp, -1, __builtin_return_address(0));
}

static void *array_from(size_t n, size_t size, gfp_t gfp, const void *call_site)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return vmalloc_from(bytes, gfp, -1, call_site);
}

KMEM_API void *vmalloc_array(size_t n, size_t size)
{
	return array_from(n, size, GFP_KERNEL, __builtin_return_address(0));
}

KMEM_API void *vcalloc(size_t n, size_t size)
{
	return array_from(n, size, GFP_KERNEL | __GFP_ZERO, __builtin_return_address(0));
}

KMEM_API void *__vmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return array_from(n, size, gfp, __builtin_return_address(0));
}

static cold void bad_area(const char *function, const char *what, const void *p)
{
	report("BUG: Trying to %s() %s (%p); it was left alone", function, what, p);
	report_misuse_end(false);
}

static void vfree_from(const void *p, const void *call_site)
{
	struct page *head = p ? area_of(p) : NULL;

	if (head)
		area_free(head, call_site);
	else if (p)
		bad_area("vfree", (uintptr_t)p & (PAGE_SIZE - 1) ? "bad address" : "nonexistent vm area", p);
}

KMEM_API void vfree(const void *p)
{
	vfree_from(p, __builtin_return_address(0));
}

KMEM_API void vfree_atomic(const void *p)
{
	vfree_from(p, __builtin_return_address(0));
}

KMEM_API bool is_vmalloc_addr(const void *p)
{
	enum kmem_block_state state;
	uint16_t id;

	if (!arena_contains(p))
		return false;
	state = block_state((uint32_t)(((uintptr_t)p - arena.base) >> BLOCK_SHIFT));
	if (state == KMEM_BLOCK_LARGE || state == KMEM_BLOCK_LARGE_TAIL)
		return true;
	id = READ_ONCE(*addr_to_id(p));
	return id == KMEM_ID_VMALLOC || (id == KMEM_ID_LARGE && addr_to_page(p)->flags & KMEM_PG_VMALLOC);
}

KMEM_API struct page *vmalloc_to_page(const void *p)
{
	return is_vmalloc_addr(p) ? addr_to_page(p) : NULL;
}

KMEM_API unsigned long vmalloc_to_pfn(const void *p)
{
	return is_vmalloc_addr(p) ? page_index(addr_to_page(p)) : 0;
}

/* ---- resize ---- */

/* Grow an area that has an address range of its own, without copying. NULL: there is no room. */
static void *area_remap(struct page *head, size_t size, gfp_t gfp, const void *call_site)
{
	size_t old = head->size;
	void *p = page_to_addr(head);
	struct page *moved;

	/* Before the address can be another thread's; a tracer sees a new object at either place. */
	if (trace_on(TRACE_KFREE))
		event_kfree(call_site, p);
	moved = large_remap(head, size);
	if (moved)
		moved->flags |= KMEM_PG_VMALLOC;
	trace_area(call_site, moved ? page_to_addr(moved) : p, moved ? size : old, gfp, -1);
	return moved ? page_to_addr(moved) : NULL;
}

static void *area_grow(struct page *head, size_t size, gfp_t gfp, const void *call_site)
{
	void *copy;

	if (head->flags & KMEM_PG_MAPPED)
		return area_remap(head, size, gfp, call_site);
	copy = vmalloc_from(size, gfp, -1, call_site);
	if (!copy)
		return NULL;
	memcpy(copy, page_to_addr(head), large_usable(head));
	area_free(head, call_site);
	return copy;
}

static void *vrealloc_from(const void *p, size_t size, gfp_t gfp, const void *call_site)
{
	struct page *head = area_of(p);

	if (!head) {
		bad_area("vrealloc", "nonexistent vm area", p);
		return NULL;
	}
	if (!size) {
		area_free(head, call_site);
		return NULL;
	}
	if (size > large_usable(head))
		return area_grow(head, size, gfp, call_site);
	if (gfp & __GFP_ZERO)
		memset((char *)page_to_addr(head) + size, 0, large_usable(head) - size);
	return page_to_addr(head);
}

KMEM_API void *vrealloc(const void *p, size_t size, gfp_t gfp)
{
	const void *call_site = __builtin_return_address(0);

	return p ? vrealloc_from(p, size, gfp, call_site) : vmalloc_from(size, gfp, -1, call_site);
}

/* ---- kvmalloc ---- */

/* The first try, as a block of pages: with little effort, because there is a second one. */
static gfp_t first_try(size_t size, gfp_t gfp)
{
	if (size <= PAGE_SIZE)
		return gfp;
	gfp |= __GFP_NOWARN;
	return gfp & __GFP_RETRY_MAYFAIL ? gfp & ~__GFP_NOFAIL : (gfp | __GFP_NORETRY) & ~__GFP_NOFAIL;
}

static void *kvmalloc_from(size_t size, gfp_t gfp, int node, const void *call_site)
{
	void *p = NULL;

	if (size <= KMALLOC_MAX_SIZE)
		p = kmalloc_at(size, first_try(size, gfp), node, call_site);
	if (p || size <= PAGE_SIZE || size > INT32_MAX || !(gfp & __GFP_DIRECT_RECLAIM))
		return p;
	return vmalloc_from(size, gfp, node, call_site);
}

KMEM_API void *kvmalloc(size_t size, gfp_t gfp)
{
	return kvmalloc_from(size, gfp, -1, __builtin_return_address(0));
}

KMEM_API void *kvmalloc_node(size_t size, gfp_t gfp, int nid)
{
	return kvmalloc_from(size, gfp, nid, __builtin_return_address(0));
}

KMEM_API void *kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kvmalloc_from(bytes, gfp, -1, __builtin_return_address(0));
}

static void kvfree_from(const void *p, const void *call_site)
{
	struct page *head = area_of(p);

	if (head)
		area_free(head, call_site);
	else
		kfree_from(p, call_site);
}

KMEM_API void kvfree(const void *p)
{
	kvfree_from(p, __builtin_return_address(0));
}

KMEM_API void kvfree_sensitive(const void *p, size_t len)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	memset((void *)(uintptr_t)p, 0, len);
	/* The compiler must not drop stores to memory about to be freed. */
	__asm__ volatile("" : : "r"(p) : "memory");
	kvfree_from(p, __builtin_return_address(0));
}

KMEM_API void *kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	const void *call_site = __builtin_return_address(0);
	void *moved = NULL;

	if (area_of(p))
		return vrealloc_from(p, size, gfp, call_site);
	if (size <= KMALLOC_MAX_SIZE)
		moved = krealloc_from(p, size, first_try(size, gfp), call_site);
	if (moved)
		return moved;
	moved = kvmalloc_from(size, gfp, -1, call_site);
	if (moved && !ZERO_OR_NULL_PTR(p)) {
		memcpy(moved, p, object_usable(p));
		kfree_from(p, call_site);
	}
	return moved;
}
