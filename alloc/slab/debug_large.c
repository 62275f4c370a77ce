/* SPDX-License-Identifier: BSD-2-Clause */
/* debug_large.c - red zones, poison and tracks of objects of whole pages; see debug_large.h. */
#include "slab/debug_large.h"

#include "base/depot.h"
#include "base/stack.h"
#include "base/trace.h"
#include "slab/debug_object.h"
#include "slab/debug_options.h"
#include "slab/debug_report.h"

#define NAME "kmalloc-large"

static slab_flags_t flags KMEM_STATE;

void debug_large_setup(void)
{
	flags = debug_options_apply(NAME, 0) & SLAB_DEBUG_METADATA;
	if (flags)
		trace_watch(true);
}

static uint8_t *end_of(const struct page *page)
{
	return (uint8_t *)page_to_addr(page) + ((size_t)page->nr_pages << PAGE_SHIFT);
}

static void dress(struct page *page)
{
	uint8_t *behind = (uint8_t *)page_to_addr(page) + page->size;

	if (flags & SLAB_RED_ZONE)
		memset(behind, RED_ACTIVE, (size_t)(end_of(page) - behind));
}

size_t debug_large_size(size_t size)
{
	bool edge = size > KMALLOC_MAX_SIZE - sizeof(uint64_t) && size <= KMALLOC_MAX_SIZE;

	/* The largest block stays one: there is none beyond it. */
	return size && flags & SLAB_RED_ZONE && !edge ? size + sizeof(uint64_t) : size;
}

void debug_large_alloc(void *p, size_t size, bool zeroed, const void *call_site)
{
	struct page *page = addr_to_page(p);
	uint64_t frame[STACK_FRAMES];

	if (!flags)
		return;
	page->size = size;
	page->flags |= KMEM_PG_DEBUG;
	page->stack = flags & SLAB_STORE_USER ?
		depot_save(frame, stack_capture(call_site, frame, STACK_FRAMES)) : 0;
	/* Pages with an address range of their own are fresh: to fill them would make them real. */
	if (flags & SLAB_POISON && !zeroed && !(page->flags & KMEM_PG_MAPPED))
		memset(p, POISON_FREE, size);
	dress(page);
}

static void report_overflow(const struct page *page, const uint8_t *fault, const uint8_t *end, const void *call_site)
{
	uint8_t *start = page_to_addr(page), *behind = start + page->size;

	debug_call_site = call_site;
	debug_title(NAME, "kmalloc Redzone overwritten");
	report("%p-%p @offset=%zu. First byte 0x%x instead of 0x%x", (const void *)fault, (const void *)(end - 1),
	       (size_t)(fault - start), *fault, RED_ACTIVE);
	if (page->stack)
		debug_stored_stack("Allocated in", page->stack);
	report("Object %p size=%zu pages=%u", (void *)start, (size_t)page->size, page->nr_pages);
	report("%s", "");
	debug_hex("Object", behind - MIN(page->size, (uint64_t)32), MIN(page->size, (uint64_t)32));
	debug_hex("Redzone", behind, MIN((size_t)(end_of(page) - behind), (size_t)64));
	debug_stack();
	debug_call_site = NULL;
	report_misuse_end(false);
	report("FIX %s: Object at %p not freed", NAME, (void *)start);
}

bool debug_large_free(struct page *page, const void *call_site)
{
	uint8_t *behind = (uint8_t *)page_to_addr(page) + page->size, *end, *fault = NULL;

	if (!debug_large_on(page))
		return true;
	if (flags & SLAB_RED_ZONE)
		fault = debug_find_changed(behind, RED_ACTIVE, (size_t)(end_of(page) - behind), &end);
	if (fault) {
		report_overflow(page, fault, end, call_site);
		dress(page);
		return false;
	}
	page->stack = 0;
	if (flags & SLAB_POISON && !(page->flags & KMEM_PG_MAPPED))
		memset(page_to_addr(page), POISON_FREE, (size_t)page->nr_pages << PAGE_SHIFT);
	return true;
}

bool debug_large_resize(struct page *page, size_t size)
{
	if (size > (size_t)page->nr_pages << PAGE_SHIFT)
		return false;
	page->size = size;
	dress(page);
	return true;
}
