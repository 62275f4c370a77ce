/* SPDX-License-Identifier: BSD-2-Clause */
/* usercopy.c - bounds and windows for copies to and from user space; see kmem/slab.h. */
#include "base/report.h"
#include "slab/kmalloc.h"

static bool refuse(const char *what, size_t offset, size_t n, const char *name, bool to_user)
{
	report("usercopy: Kernel memory %s attempt detected %s %s%s%s%s (offset %zu, size %zu)!",
	       to_user ? "exposure" : "overwrite", to_user ? "from" : "to", what,
	       name ? " '" : "", name ? name : "", name ? "'" : "", offset, n);
	return false;
}

static bool check_slab(const struct page *slab, const void *ptr, size_t n, bool to_user)
{
	const struct kmem_cache *s = cache_by_id(slab->cache_id);
	uint32_t index = slab_object_index(s, slab, ptr);
	size_t offset = (size_t)((uintptr_t)ptr - (uintptr_t)slab_object(s, slab, index));

	if (index >= slab->objects || !slab_object_taken(s, slab, ptr))
		return refuse("SLUB object not allocated", offset, n, s->name, to_user);
	if (offset >= s->useroffset && offset - s->useroffset <= s->usersize &&
	    n <= s->useroffset - offset + s->usersize)
		return true;
	return refuse("SLUB object", offset, n, s->name, to_user);
}

/* Head of the block that holds a page which is no slab's; its tail descriptors mean nothing. */
static const struct page *block_of(const void *ptr)
{
	uint32_t at = addr_to_index(ptr), behind;

	for (behind = 0; behind < MIN(at, BLOCK_PAGES); behind++) {
		const struct page *head = page_at(at - behind);

		if ((head->type == KMEM_PAGE_LARGE || head->type == KMEM_PAGE_PAGES) && behind < head->nr_pages)
			return head;
	}
	return NULL;
}

KMEM_API bool kmem_check_usercopy(const void *ptr, size_t n, bool to_user)
{
	const struct page *page;
	size_t offset;

	if (!n)
		return true;
	if ((uintptr_t)ptr + n < (uintptr_t)ptr)
		return refuse("wrapped address", 0, n, NULL, to_user);
	if (ZERO_OR_NULL_PTR(ptr))
		return refuse("null address", 0, n, NULL, to_user);
	if (!arena_contains(ptr))
		return true;
	page = slab_of(ptr);
	if (page)
		return check_slab(page, ptr, n, to_user);
	page = block_of(ptr);
	if (!page)
		return true;
	offset = (size_t)((uintptr_t)ptr - (uintptr_t)page_to_addr(page));
	if (n <= ((size_t)page->nr_pages << PAGE_SHIFT) - offset)
		return true;
	return refuse("page alloc", offset, n, NULL, to_user);
}
