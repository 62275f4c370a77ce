/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad pages are named in the kernel's words and leaked on purpose; poison and protection of free pages. */
#include "support.h"

#include <errno.h>

#include "base/report.h"
#include "page/alloc.h"
#include "page/check.h"
#include "page/vmstat.h"

static void repair(void)
{
	pin_to(0);
	report_set_policy(KMEM_MISUSE_REPAIR);
}

TestSuite(check, .init = repair);

/* What a bad free printed; the rest of the allocator is whole. */
static const char *bad_free(struct page *page, unsigned int order)
{
	const char *out;

	capture_start();
	__free_pages(page, order);
	out = capture_end();
	page_validate();
	return out;
}

static void expect_bad(const char *out, const char *why)
{
	char first[100], last[200];

	snprintf(first, sizeof(first), "kmem: BUG: Bad page state in process %s  pfn:0", program_invocation_short_name);
	snprintf(last, sizeof(last), "\nkmem: page dumped because: %s\n", why);
	cr_expect_eq(strstr(out, first), out, "%s", out);
	cr_expect_not_null(strstr(out, last), "%s: %s", why, out);
}

Test(check, a_wrong_order)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	const char *out = bad_free(page, 1);

	expect_bad(out, "wrong order");
	cr_expect_not_null(strstr(out, "\nkmem: page: refcount:1 order:2 type:pages flags:0x0 addr:0x"), "%s", out);
	cr_expect_eq(vmstat_event(KMEM_VM_BAD_PAGE), 1);
	/* Still there, and the right order frees it. */
	__free_pages(page, 2);
	page_validate();
}

Test(check, a_double_free)
{
	struct page *small = alloc_page(GFP_KERNEL), *big = alloc_pages(GFP_KERNEL, 6);

	__free_page(small);
	expect_bad(bad_free(small, 0), "free of a page that is free already");
	__free_pages(big, 6);
	expect_bad(bad_free(big, 6), "free of a page that is free already");
}

Test(check, a_tail_page)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);

	expect_bad(bad_free(page_behind(page, 3), 0), "free of a tail page, or of one that is free already");
	__free_pages(page, 3);
}

Test(check, what_alloc_pages_did_not_hand_out)
{
	void *p = kmalloc(64, GFP_KERNEL);

	expect_bad(bad_free(compound_head(virt_to_page(p)), 0), "free of a page that alloc_pages() has not handed out");
	kfree(p);
}

Test(check, twice_by_the_owner_while_somebody_holds_it)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);

	get_page(page);
	__free_pages(page, 1);
	expect_bad(bad_free(page, 1), "free of a page that its owner has freed already");
	put_page(page);
	page_validate();
}

Test(check, more_references_dropped_than_taken)
{
	struct page *page = alloc_page(GFP_KERNEL);
	const char *out;

	put_page(page);
	capture_start();
	put_page(page);
	out = capture_end();
	expect_bad(out, "nonzero _refcount");
}

Test(check, without_repair_it_ends, .signal = SIGABRT)
{
	report_set_policy(KMEM_MISUSE_MIXED);
	__free_pages(alloc_pages(GFP_KERNEL, 2), 1);
}

/* ---- poison ---- */

Test(check, freed_pages_are_poisoned_and_what_writes_to_them_is_found)
{
	uint8_t *p;
	const char *out;

	page_debug = PAGE_DEBUG_POISON;
	p = (uint8_t *)__get_free_pages(GFP_KERNEL, 1);
	memset(p, 1, 2 * PAGE_SIZE);
	free_pages((unsigned long)p, 1);
	cr_expect(all_bytes(p, 2 * PAGE_SIZE, PAGE_POISON));
	p[PAGE_SIZE + 77] = 5;
	capture_start();
	cr_expect_eq((uint8_t *)__get_free_pages(GFP_KERNEL, 1), p);
	out = capture_end();
	cr_expect_not_null(strstr(out, "kmem: pagealloc: memory corruption: byte 0x05 at 0x"), "%s", out);
	free_pages((unsigned long)p, 1);
}

Test(check, poison_lies_about_no_page, .timeout = 60)
{
	struct { unsigned long p; unsigned int order; } live[64] = { { 0, 0 } };
	uint64_t seed = 3;
	const char *out;
	int i;

	page_debug = PAGE_DEBUG_POISON;
	capture_start();
	for (i = 0; i < 5000; i++) {
		unsigned int at = random_next(&seed) % 64;

		if (live[at].p) {
			free_pages(live[at].p, live[at].order);
			live[at].p = 0;
			if (i % 500 == 0)
				kmem_page_purge(0);
			continue;
		}
		live[at].order = random_next(&seed) % 6;
		live[at].p = __get_free_pages(random_next(&seed) % 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO, live[at].order);
		memset((void *)live[at].p, (int)i, PAGE_SIZE << live[at].order);
	}
	out = capture_end();
	cr_expect_str_eq(out, "");
	page_validate();
}

Test(check, zeroed_memory_is_zero_under_poison_too)
{
	unsigned long p;

	page_debug = PAGE_DEBUG_POISON;
	free_pages(__get_free_pages(GFP_KERNEL, 3), 3);
	p = __get_free_pages(GFP_KERNEL | __GFP_ZERO, 3);
	cr_expect(all_bytes((void *)p, PAGE_SIZE << 3, 0));
}

Test(check, protected_pages_cannot_be_read_while_free)
{
	unsigned long p, q;

	page_debug = PAGE_DEBUG_PROTECT | PAGE_DEBUG_POISON;
	p = __get_free_pages(GFP_KERNEL, 2);
	q = __get_free_pages(GFP_KERNEL, 2);
	cr_expect(readable((void *)p));
	free_pages(p, 2);
	cr_expect_not(readable((void *)p));
	cr_expect_not(readable((void *)(p + 3 * PAGE_SIZE)));
	cr_expect(readable((void *)q));
	p = __get_free_pages(GFP_KERNEL, 2);
	memset((void *)p, 1, PAGE_SIZE << 2);
}
