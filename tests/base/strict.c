/* SPDX-License-Identifier: BSD-2-Clause */
/* Strict mode: what may block is reported inside sections that must not, once for each place. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "base/strict.h"
#include "base/trace.h"
#include "support.h"

static const char *might(gfp_t gfp)
{
	capture_start();
	kmem_might_alloc(gfp);
	return capture_end();
}

Test(strict, off_it_says_nothing_and_watches_nothing)
{
	kmem_nonblock_enter();
	cr_expect_str_empty(might(GFP_KERNEL));
	cr_expect_not(trace_on(TRACE_KMALLOC));
	kmem_set_strict(true);
	cr_expect(trace_on(TRACE_KMALLOC));
	kmem_set_strict(true);
	kmem_set_strict(false);
	cr_expect_not(trace_on(TRACE_KMALLOC));
}

Test(strict, what_may_block_is_reported_inside_a_section_only)
{
	const char *text;

	kmem_set_strict(true);
	cr_expect_str_empty(might(GFP_KERNEL));
	kmem_nonblock_enter();
	kmem_nonblock_enter();
	kmem_nonblock_leave();
	cr_expect_str_empty(might(GFP_ATOMIC));
	cr_expect_str_empty(might(GFP_NOWAIT));
	text = might(GFP_KERNEL);
	cr_expect(strstr(text, "kmem: BUG: sleeping function called from invalid context at "), "%s", text);
	cr_expect(strstr(text, ": gfp 0xcc0 may block, non_block: 1\n"), "%s", text);
	cr_expect_str_empty(might(GFP_KERNEL), "the same place");
	kmem_nonblock_leave();
}

Test(strict, nofail_needs_reclaim)
{
	const char *text;

	kmem_set_strict(true);
	cr_expect_str_empty(might(GFP_KERNEL | __GFP_NOFAIL));
	text = might(GFP_ATOMIC | __GFP_NOFAIL);
	cr_expect(strstr(text, "BUG: __GFP_NOFAIL without __GFP_DIRECT_RECLAIM at "), "%s", text);
}

static void *elsewhere(void *arg)
{
	(void)arg;
	kmem_might_alloc(GFP_KERNEL);
	return NULL;
}

Test(strict, a_section_is_the_thread_s_own)
{
	pthread_t thread;

	kmem_set_strict(true);
	kmem_nonblock_enter();
	capture_start();
	pthread_create(&thread, NULL, elsewhere, NULL);
	pthread_join(thread, NULL);
	cr_expect_str_empty(capture_end());
}

Test(strict, leaving_what_was_not_entered_is_reported)
{
	capture_start();
	kmem_nonblock_leave();
	cr_expect(strstr(capture_end(), "without kmem_nonblock_enter()"));
}
