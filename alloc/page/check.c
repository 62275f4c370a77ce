/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c - bad pages, page poison and protection of free pages; see check.h. */
#include "page/check.h"

#include "base/os.h"
#include "base/report.h"
#include "page/vmstat.h"

unsigned int page_debug KMEM_STATE;

static const char *type_name(const struct page *page)
{
	static const char *const name[KMEM_PAGE_NR_TYPES] = {
		[KMEM_PAGE_RESERVED] = "reserved", [KMEM_PAGE_FREE] = "free",   [KMEM_PAGE_PCP] = "free (per CPU)",
		[KMEM_PAGE_SLAB] = "slab",	   [KMEM_PAGE_LARGE] = "large", [KMEM_PAGE_PAGES] = "pages",
		[KMEM_PAGE_TAIL] = "tail",
	};

	return page->type < KMEM_PAGE_NR_TYPES ? name[page->type] : "corrupted";
}

void page_bad(const struct page *page, const char *why)
{
	vm_count(KMEM_VM_BAD_PAGE, 1);
	report("BUG: Bad page state in process %s  pfn:%05x", os_program_name(), page_index(page));
	report("page: refcount:%d order:%u type:%s flags:0x%x addr:%p",
	       page->refcount > 0 ? page->refcount & ~PAGE_OWNER_GONE : page->refcount, page->order, type_name(page),
	       page->flags, page_to_addr(page));
	report("page dumped because: %s", why);
	report_misuse_end(true);
}

/* First byte of a page that is neither all poison nor all zero (fresh or purged), or PAGE_SIZE. */
static size_t find_corruption(const uint8_t *p)
{
	uint8_t want = p[0] == 0 ? 0 : PAGE_POISON;
	size_t i;

	if (p[0] == want && !memcmp(p, p + 1, PAGE_SIZE - 1))
		return PAGE_SIZE;
	for (i = 0; i < PAGE_SIZE && p[i] == want; i++)
		;
	return i;
}

/* Every page of a block was poisoned by itself: blocks merge. */
static void check_poison(const uint8_t *p, uint32_t nr_pages)
{
	uint32_t i;

	for (i = 0; i < nr_pages; i++, p += PAGE_SIZE) {
		size_t at = find_corruption(p);

		if (at == PAGE_SIZE)
			continue;
		vm_count(KMEM_VM_BAD_PAGE, 1);
		report("pagealloc: memory corruption: byte 0x%02x at %p, in a free page, was written", p[at], &p[at]);
		report_misuse_end(true);
	}
}

void page_debug_free(const struct page *page, uint32_t nr_pages)
{
	size_t bytes = (size_t)nr_pages << PAGE_SHIFT;

	if (page_debug & PAGE_DEBUG_POISON)
		memset(page_to_addr(page), PAGE_POISON, bytes);
	if (page_debug & PAGE_DEBUG_PROTECT)
		os_protect(page_to_addr(page), bytes, false);
}

void page_debug_alloc(const struct page *page, uint32_t nr_pages)
{
	if (page_debug & PAGE_DEBUG_PROTECT)
		os_protect(page_to_addr(page), (size_t)nr_pages << PAGE_SHIFT, true);
	if (page_debug & PAGE_DEBUG_POISON)
		check_poison(page_to_addr(page), nr_pages);
}
