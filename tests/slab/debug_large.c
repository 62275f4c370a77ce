/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of whole pages: their last page's rest is a red zone, and their exact size is known. */
#include "support.h"

#include "base/trace.h"
#include "slab/debug_large.h"
#include "slab/debug_options.h"
#include "slab/kmalloc.h"

/* Sizes that the compiler does not know, or it would see what the tests do wrong. */
static void *get(volatile size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

static void *resize(void *p, volatile size_t size)
{
	return krealloc(p, size, GFP_KERNEL);
}

static void debug(const char *flags)
{
	debug_options_set(flags);
	debug_large_setup();
}

static const char *free_says(void *p)
{
	capture_start();
	kfree(p);
	return capture_end();
}

Test(debug_large, without_flags_nothing_is_dressed)
{
	void *p = get(9000);

	cr_expect_eq(ksize(p), 16384);
	cr_expect_not(debug_large_on(large_of(p)));
	kfree(p);
}

Test(debug_large, an_overflow_is_found_at_free)
{
	uint8_t *p;
	const char *said;

	debug("ZU");
	p = get(9000);
	cr_expect_eq(ksize(p), 9000);
	memset(p, 1, 9000);
	cr_expect_str_empty(free_says(p));
	p = get(9000);
	p[9000] = 1;
	said = free_says(p);
	cr_expect(strstr(said, "BUG kmalloc-large (Not tainted): kmalloc Redzone overwritten"), "%s", said);
	cr_expect(strstr(said, "Allocated in debug_large_an_overflow_is_found_at_free_impl+0x"), "%s", said);
	cr_expect(strstr(said, "FIX kmalloc-large: Object at "), "%s", said);
	cr_expect_str_empty(free_says(p), "repaired");
}

Test(debug_large, sizes_of_whole_pages_get_a_page_more)
{
	uint8_t *p;

	debug("Z,kmalloc-large");
	p = get(16384);
	p[16384] = 1;
	cr_expect(strstr(free_says(p), "kmalloc Redzone overwritten"));
	p = get(KMALLOC_MAX_SIZE);
	cr_assert_not_null(p, "the largest block has no room for one");
	memset(p, 1, KMALLOC_MAX_SIZE);
	cr_expect_str_empty(free_says(p));
}

Test(debug_large, poison_before_and_after)
{
	uint8_t *p;

	debug("P");
	p = get(20000);
	cr_expect(all_bytes(p, 20000, 0x6b));
	memset(p, 0, 20000);
	kfree(p);
	cr_expect(all_bytes(p, 20000, 0x6b));
	p = kzalloc(20000, GFP_KERNEL);
	cr_expect(all_bytes(p, 20000, 0));
	kfree(p);
}

Test(debug_large, krealloc_moves_the_red_zone)
{
	uint8_t *p, *q;

	debug("Z");
	p = get(9000);
	cr_expect_eq(resize(p, 12000), p);
	memset(p, 1, 12000);
	cr_expect_eq(resize(p, 10000), p);
	cr_expect_eq(ksize(p), 10000);
	q = resize(p, 40000);
	cr_expect(all_bytes(q, 10000, 1));
	q[40000] = 1;
	cr_expect(strstr(free_says(q), "kmalloc Redzone overwritten"));
}

Test(debug_large, events_are_watched)
{
	cr_expect_not(trace_on(TRACE_KMALLOC));
	debug("Z,kmalloc-large");
	cr_expect(trace_on(TRACE_KMALLOC));
}
