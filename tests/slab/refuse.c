/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong frees that are seen at once: by every way in, with and without slots per CPU. */
#include "support.h"

#include <kmem/fastpath.h>

#include "base/report.h"
#include "base/trace.h"
#include "slab/refuse.h"
#include "slab/slub.h"

static struct kmem_cache *s;
static uint8_t *object;

static void setup(void)
{
	pin_to(0);
	s = kmem_cache_create("victim", 64, 0, 0, NULL);
	object = kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert_not_null(object);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
}

TestSuite(refuse, .init = setup);

static void by_cache(void *p)
{
	kmem_cache_free(s, p);
}

static void inlined(void *p)
{
	kmem_cache_free_inline(s, p);
}

static void by_address(void *p)
{
	kfree(p);
}

static void watched(void *p)
{
	trace_watch(true);
	kmem_cache_free(s, p);
	trace_watch(false);
}

static void anywhere(void *p)
{
	kfree_nolock(p);
}

static void (*const ways[])(void *) = { by_cache, inlined, by_address, watched, anywhere };

static const char *say(void (*way)(void *), void *p)
{
	capture_start();
	way(p);
	return capture_end();
}

static void expect_twice(void (*way)(void *))
{
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "kmem: BUG victim: Object already free: %p; it was left alone\n", (void *)object);
	cr_expect_str_eq(say(way, object), "", "the first time");
	cr_expect_str_eq(say(way, object), wanted);
	cr_expect_str_eq(say(way, object), wanted);
	cr_expect_eq(kmem_cache_alloc(s, GFP_KERNEL), object, "it is there once");
	ASSERT_BALANCED(s, 1);
}

Test(refuse, the_object_freed_last)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(ways); i++)
		expect_twice(ways[i]);
}

static void expect_invalid(void (*way)(void *), size_t offset)
{
	const char *out = say(way, object + offset);
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "kmem: BUG victim: Invalid object pointer %p: ", (void *)(object + offset));
	cr_expect_eq(strncmp(out, wanted, strlen(wanted)), 0, "%s", out);
	cr_expect_not_null(strstr(out, "; it was left alone\n"));
	ASSERT_BALANCED(s, 1);
}

Test(refuse, unaligned_and_interior_addresses)
{
	static const size_t offset[] = { 1, 4, 8, 32, 63 };
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(ways); i++)
		for (j = 0; j < ARRAY_LEN(offset); j++)
			expect_invalid(ways[i], offset[j]);
}

Test(refuse, nothing_is_written_to_what_is_refused)
{
	memset(object, 0x77, 64);
	kmem_set_init_on_free(true);
	expect_invalid(by_cache, 8);
	kmem_set_init_on_free(false);
	cr_expect(all_bytes(object, 64, 0x77));
}

Test(refuse, an_unaligned_address_elsewhere)
{
	static uint64_t own[2];

	cr_expect_not_null(strstr(say(by_cache, (uint8_t *)own + 4), "no object of this cache; it was left alone\n"));
}

Test(refuse, an_object_that_moved_on_is_fine)
{
	void *other = kmem_cache_alloc(s, GFP_KERNEL);

	capture_start();
	kmem_cache_free(s, object);
	cr_expect_eq(kmem_cache_alloc(s, GFP_KERNEL), object);
	kmem_cache_free(s, object);
	kmem_cache_free(s, other);
	cr_expect_str_eq(capture_end(), "");
	ASSERT_BALANCED(s, 0);
}

static void mask_is(uint32_t size, uint64_t mask)
{
	struct kmem_cache *of_size = kmem_cache_create("sized", size, 0, SLAB_NO_MERGE, NULL);

	cr_expect_eq(of_size->address_mask, mask, "%u: %lx", size, of_size->address_mask);
	cr_expect_eq(kmem_cache_destroy(of_size), 0);
}

Test(refuse, the_mask_is_what_the_size_is_a_multiple_of)
{
	mask_is(8, 7);
	mask_is(24, 7);
	mask_is(96, 31);
	mask_is(192, 63);
	mask_is(4096, 4095);
	mask_is(8192, 4095);
	mask_is(3 << 13, 4095);
}

Test(refuse, a_debug_cache_looks_itself)
{
	struct kmem_cache *debugged = kmem_cache_create("debugged", 64, 0, SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS, NULL);
	uint8_t *p = kmem_cache_alloc(debugged, GFP_KERNEL);

	cr_expect_eq(debugged->address_mask, 0);
	cr_expect_not(refuse_free(debugged, p + 1));
	kmem_cache_free(debugged, p);
	cr_expect_eq(kmem_cache_destroy(debugged), 0);
}

Test(refuse, the_policy_comes_behind_the_report, .signal = SIGABRT)
{
	report_set_policy(KMEM_MISUSE_ABORT);
	kmem_cache_free(s, object);
	kmem_cache_free(s, object);
}

Test(refuse, the_policy_comes_behind_a_report_at_the_flush, .signal = SIGABRT)
{
	void *other = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, object);
	kmem_cache_free(s, other);
	kmem_cache_free(s, object);
	report_set_policy(KMEM_MISUSE_ABORT);
	kmem_cache_shrink(s);
}

/* ---- slots that are shared, and slots of several nodes ---- */

__attribute__((constructor(200))) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");
	void *p;

	if (!name || strcmp(name, "refuse") != 0)
		return;
	pin_to(0);
	s = kmem_cache_create("victim", 64, 0, 0, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p);
	kmem_cache_free(s, p);
	kmem_cache_free(s, (uint8_t *)p + 8);
	_exit(kmem_cache_alloc(s, GFP_KERNEL) == p ? 0 : 1);
}

static void expect_role(const char *options)
{
	char out[512], *line;

	cr_expect_eq(run_role("refuse", options, NULL, out, sizeof(out)), 0, "%s", options);
	line = strchr(out, '\n');
	cr_assert_not_null(line, "%s", options);
	cr_expect_eq(strncmp(out, "kmem: BUG victim: Object already free: ", 39), 0, "%s: %s", options, out);
	cr_expect_eq(strncmp(line + 1, "kmem: BUG victim: Invalid object pointer ", 41), 0, "%s: %s", options, out);
}

Test(refuse, without_slots_per_cpu)
{
	expect_role("rseq=off");
}

Test(refuse, with_several_nodes)
{
	expect_role("nodes=2");
	expect_role("nodes=2,rseq=off");
}
