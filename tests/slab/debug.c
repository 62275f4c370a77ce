/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug caches: the cases of the kernel's slub_kunit with exactly its error counts, and what F checks at each call. */
#include "support.h"

#include <errno.h>
#include <kmem/debug.h>
#include <kmem/rcu.h>
#include <pthread.h>

#include "base/trace.h"
#include "slab/debug.h"
#include "slab/debug_slab.h"
#include "slab/watch.h"

#define ALL (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

static struct kmem_cache *cache(const char *name, unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create(name, size, 0, flags | SLAB_NO_USER_FLAGS, NULL);

	cr_assert_not_null(s);
	return s;
}

/* Errors that `call` reports; its text is in `said`. */
static const char *said;
#define ERRORS(s, call)                                        \
	({                                                     \
		size_t before = kmem_cache_errors(s);          \
		capture_start();                               \
		call;                                          \
		said = capture_end();                          \
		(long)(kmem_cache_errors(s) - before);         \
	})

#define SAYS(text) cr_expect(strstr(said, text), "\"%s\" is not in:\n%s", text, said)

/* ---- slub_kunit ---- */

Test(debug, kunit_clobber_zone)
{
	struct kmem_cache *s = cache("TestSlub_RZ_alloc", 64, SLAB_RED_ZONE);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	p[64] = 0x12;
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 2);
	SAYS("BUG TestSlub_RZ_alloc (Not tainted): Right Redzone overwritten");
	SAYS("First byte 0x12 instead of 0xcc");
	SAYS("FIX TestSlub_RZ_alloc: Restoring Right Redzone ");
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 0, "repaired");
	kmem_cache_free(s, p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, kunit_next_pointer)
{
	struct kmem_cache *s = cache("TestSlub_next_ptr_free", 64, SLAB_POISON);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);
	uint64_t *at = (uint64_t *)(p + s->freeptr), saved;

	kmem_cache_free(s, p);
	saved = *at;
	p[s->freeptr] = (uint8_t)~p[s->freeptr];
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 3);
	SAYS("Freechain corrupt");
	SAYS("Wrong object count. Counter is 0 but counted were ");
	SAYS("FIX TestSlub_next_ptr_free: Object count adjusted");
	*at = saved;
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 2);
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, kunit_first_word)
{
	struct kmem_cache *s = cache("TestSlub_1th_word_free", 64, SLAB_POISON);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	*p = 0x78;
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 2);
	SAYS("Poison overwritten");
	SAYS("FIX TestSlub_1th_word_free: Restoring Poison ");
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, kunit_clobber_50th_byte)
{
	struct kmem_cache *s = cache("TestSlub_50th_word_free", 64, SLAB_POISON);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	p[50] = 0x9a;
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 2);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, kunit_clobber_redzone_free)
{
	struct kmem_cache *s = cache("TestSlub_RZ_free", 64, SLAB_RED_ZONE);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	p[64] = 0xab;
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 2);
	SAYS("First byte 0xab instead of 0xbb");
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, kunit_kmalloc_redzone_access)
{
	struct kmem_cache *s = cache("TestSlub_RZ_kmalloc", 32, SLAB_KMALLOC | SLAB_STORE_USER | SLAB_RED_ZONE);
	const struct slab_request request = { GFP_KERNEL, -1, 18, __builtin_return_address(0) };
	uint8_t *p = watch_alloc(s, &request);

	p[18] = 0xab;
	p[19] = 0xab;
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 2);
	SAYS("kmalloc Redzone overwritten");
	kmem_cache_free(s, p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

static void no_readers(void)
{
}

Test(debug, kunit_kfree_rcu)
{
	static const struct kmem_rcu_ops ops = { no_readers };
	struct kmem_cache *s = cache("TestSlub_kfree_rcu", 64, SLAB_NO_MERGE | ALL);
	struct {
		uint64_t a;
		void *head[2];
	} *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_rcu_register(&ops);
	kfree_rcu(p, head);
	cr_expect_eq(ERRORS(s, kmem_cache_destroy(s)), 0);
}

static void *destroy(void *s)
{
	return (void *)kmem_cache_destroy(s);
}

/* Since 6.14: destroyed by another thread than the one whose object still waits. */
Test(debug, kunit_kfree_rcu_wq_destroy)
{
	static const struct kmem_rcu_ops ops = { no_readers };
	struct kmem_cache *s = cache("TestSlub_kfree_rcu_wq_destroy", 64, SLAB_NO_MERGE | ALL);
	struct {
		uint64_t a;
		void *head[2];
	} *p = kmem_cache_alloc(s, GFP_KERNEL);
	void *left = s;
	pthread_t thread;

	kmem_rcu_register(&ops);
	kfree_rcu(p, head);
	cr_expect_eq(ERRORS(s, ({
		pthread_create(&thread, NULL, destroy, s);
		pthread_join(thread, &left);
	})), 0);
	cr_expect_null(left);
}

static bool bytes_are(const uint8_t *p, unsigned int from, unsigned int to, uint8_t value)
{
	return all_bytes(p + from, to - from, value);
}

/* Since 6.14: with __GFP_ZERO, krealloc() clears what it uncovers, and never the red zone. */
Test(debug, kunit_krealloc_redzone_zeroing)
{
	struct kmem_cache *s = cache("TestSlub_krealloc", 64, SLAB_KMALLOC | SLAB_STORE_USER | SLAB_RED_ZONE);
	const struct slab_request request = { GFP_KERNEL, -1, 48, __builtin_return_address(0) };
	uint8_t *p = watch_alloc(s, &request);

	memset(p, 0xff, 48);
	cr_expect_eq(krealloc(p, 40, GFP_KERNEL | __GFP_ZERO), p, "shrinks in place");
	cr_expect(bytes_are(p, 40, 64, 0xcc));
	cr_expect_eq(krealloc(p, 56, GFP_KERNEL | __GFP_ZERO), p, "grows in place");
	cr_expect(bytes_are(p, 40, 56, 0));
	cr_expect(bytes_are(p, 56, 64, 0xcc));
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 0);
	memset(p, 0xff, 56);
	p = krealloc(p, 112, GFP_KERNEL | __GFP_ZERO);
	cr_assert_not_null(p);
	cr_expect(bytes_are(p, 0, 56, 0xff));
	cr_expect(bytes_are(p, 56, 112, 0));
	kfree(p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, kunit_leak_destroy)
{
	struct kmem_cache *s = cache("TestSlub_kmem_cache_destroy", 64, SLAB_NO_MERGE);

	cr_assert(kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect_eq(ERRORS(s, kmem_cache_destroy(s)), 2);
	SAYS("Objects remaining on __kmem_cache_shutdown()");
}

/* ---- the life of an object ---- */

static void churn(slab_flags_t flags, unsigned int size, void (*ctor)(void *))
{
	struct kmem_cache *s = kmem_cache_create("churned", size, 0, flags | SLAB_NO_USER_FLAGS, ctor);
	void *object[200];
	uint64_t random = flags;
	unsigned int i, round;

	memset(object, 0, sizeof(object));
	for (round = 0; round < 4000; round++) {
		i = random_next(&random) % 200;
		if (object[i])
			kmem_cache_free(s, object[i]);
		object[i] = object[i] ? NULL : kmem_cache_alloc(s, GFP_KERNEL);
		if (object[i] && !ctor)
			memset(object[i], (int)round, size);
		if (round % 500 == 0)
			cr_assert_eq(kmem_cache_validate(s), 0);
	}
	for (i = 0; i < 200; i++)
		if (object[i])
			kmem_cache_free(s, object[i]);
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(kmem_cache_errors(s), 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

static void construct(void *object)
{
	memset(object, 0x11, 40);
}

Test(debug, correct_use_is_never_reported, .timeout = 60)
{
	static const unsigned int sizes[] = { 1, 8, 13, 40, 64, 100, 256, 1000, 4096, 9000 };
	static const slab_flags_t flags[] = {
		SLAB_CONSISTENCY_CHECKS, SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE, SLAB_CONSISTENCY_CHECKS | SLAB_POISON,
		SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER, ALL, ALL | SLAB_KMALLOC, ALL | SLAB_TYPESAFE_BY_RCU,
		ALL | SLAB_HWCACHE_ALIGN, SLAB_RED_ZONE | SLAB_POISON,
	};
	unsigned int i, k;

	for (i = 0; i < ARRAY_LEN(sizes); i++)
		for (k = 0; k < ARRAY_LEN(flags); k++)
			churn(flags[k], sizes[i], NULL);
	churn(ALL, 40, construct);
	churn(SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS, 64, construct);
}

Test(debug, constructed_objects_keep_their_state)
{
	struct kmem_cache *s = kmem_cache_create("built", 40, 0, ALL | SLAB_NO_USER_FLAGS, construct);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	cr_expect(all_bytes(p, 40, 0x11));
	kmem_cache_free(s, p);
	cr_expect(all_bytes(p, 40, 0x11), "no poison over it");
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, bytes_are_those_of_the_kernel)
{
	struct kmem_cache *s = cache("bytes", 64, ALL);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	cr_expect(all_bytes(p - s->red_left_pad, s->red_left_pad, 0xcc));
	cr_expect(all_bytes(p + 64, s->inuse - 64, 0xcc));
	cr_expect(all_bytes(p, 63, 0x6b), "not written yet");
	cr_expect(all_bytes(p + s->info_end, s->size - s->red_left_pad - s->info_end, 0x5a));
	kmem_cache_free(s, p);
	cr_expect(all_bytes(p - s->red_left_pad, s->red_left_pad, 0xbb));
	cr_expect(all_bytes(p + 64, s->inuse - 64, 0xbb));
	cr_expect(all_bytes(p, 63, 0x6b));
	cr_expect_eq(p[63], 0xa5);
	p = kmem_cache_zalloc(s, GFP_KERNEL);
	cr_expect(all_bytes(p, 64, 0));
	kmem_cache_free(s, p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

/* ---- what F finds ---- */

Test(debug, double_free)
{
	struct kmem_cache *s = cache("victim", 64, ALL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	cr_expect_eq(ERRORS(s, kmem_cache_free(s, p)), 2);
	SAYS("Object already free");
	SAYS("Allocated in ");
	SAYS("Freed in ");
	SAYS("not freed");
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, double_free_without_f)
{
	struct kmem_cache *s = cache("victim", 64, SLAB_POISON);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	cr_expect_eq(ERRORS(s, kmem_cache_free(s, p)), 2);
	SAYS("Object already free");
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, interior_pointer)
{
	struct kmem_cache *s = cache("victim", 64, ALL);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	cr_expect_eq(ERRORS(s, kmem_cache_free(s, p + 8)), 2);
	SAYS("Invalid object pointer ");
	cr_expect_eq(ERRORS(s, kmem_cache_free(s, p - s->red_left_pad)), 2);
	kmem_cache_free(s, p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, wrong_cache_and_no_slab)
{
	struct kmem_cache *s = cache("victim", 64, ALL), *other = cache("other", 64, ALL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	cr_expect_eq(ERRORS(other, kmem_cache_free(other, p)), 2);
	SAYS("kmem_cache_free: Wrong slab cache. other but object is from victim");
	cr_expect_eq(ERRORS(other, kmem_cache_free(other, &p)), 2);
	SAYS("Attempt to free object(");
	kmem_cache_free(s, p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
	cr_expect_eq(kmem_cache_destroy(other), 0);
}

Test(debug, overflow_at_free)
{
	struct kmem_cache *s = cache("victim", 60, ALL);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	p[60] = 0;
	cr_expect_eq(ERRORS(s, kmem_cache_free(s, p)), 3, "title, restore, not freed");
	SAYS("Right Redzone overwritten");
	cr_expect_eq(ERRORS(s, kmem_cache_free(s, p)), 0, "repaired: now it can be freed");
	p = kmem_cache_alloc(s, GFP_KERNEL);
	p[-1] = 0;
	cr_expect_eq(ERRORS(s, kmem_cache_free(s, p)), 3);
	SAYS("Left Redzone overwritten");
	kmem_cache_free(s, p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, write_after_free_at_the_next_allocation)
{
	struct kmem_cache *s = cache("victim", 64, ALL);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL), *q;

	kmem_cache_free(s, p);
	p[10] = 1;
	cr_expect_eq(ERRORS(s, q = kmem_cache_alloc(s, GFP_KERNEL)), 3);
	SAYS("Poison overwritten");
	SAYS("FIX victim: Marking all objects used");
	cr_expect_not_null(q, "from another slab");
	cr_expect_neq(q, p);
	kmem_cache_free(s, q);
	cr_expect_eq(node_of(s, 0)->nr_taken, node_of(s, 0)->nr_objects / 2, "the damaged slab is out of use");
}

Test(debug, chain_overwritten_at_the_next_allocations)
{
	struct kmem_cache *s = cache("victim", 64, SLAB_POISON | SLAB_CONSISTENCY_CHECKS);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	memset(p + s->freeptr, 0x41, 8);
	cr_expect_geq(ERRORS(s, p = kmem_cache_alloc(s, GFP_KERNEL)), 2);
	SAYS("Freepointer corrupt");
	cr_expect_not_null(p);

	s = cache("victim2", 64, SLAB_POISON);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p);
	memset(p + s->freeptr, 0x41, 8);
	cr_expect_eq(ERRORS(s, p = kmem_cache_alloc(s, GFP_KERNEL)), 0, "the first is still right");
	cr_expect_eq(ERRORS(s, p = kmem_cache_alloc(s, GFP_KERNEL)), 2);
	SAYS("Freelist Pointer check fails");
	SAYS("Marking all objects used");
	cr_expect_not_null(p);
}

/* ---- kmalloc ---- */

Test(debug, krealloc_keeps_the_exact_size)
{
	struct kmem_cache *s = cache("sized", 64, ALL | SLAB_KMALLOC);
	const struct slab_request request = { GFP_KERNEL, -1, 20, __builtin_return_address(0) };
	uint8_t *p = watch_alloc(s, &request);

	memset(p, 7, 20);
	cr_expect(all_bytes(p + 20, 44, 0xcc));
	cr_expect_eq(krealloc(p, 30, GFP_KERNEL | __GFP_ZERO), p);
	cr_expect(all_bytes(p, 20, 7));
	cr_expect(all_bytes(p + 20, 10, 0));
	cr_expect(all_bytes(p + 30, 34, 0xcc));
	cr_expect_eq(krealloc(p, 10, GFP_KERNEL), p);
	cr_expect(all_bytes(p + 10, 54, 0xcc));
	cr_expect_eq(kmem_cache_validate(s), 0);
	p[10] = 1;
	cr_expect_eq(ERRORS(s, kmem_cache_validate(s)), 2);
	cr_expect_eq(ksize(p), 64);
	memset(p, 1, 64);
	cr_expect_eq(kmem_cache_validate(s), 0, "what ksize() promised may be used");
	kfree(p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, krealloc_beyond_the_bucket_copies_what_was_asked_for)
{
	struct kmem_cache *s = cache("sized", 64, ALL | SLAB_KMALLOC);
	const struct slab_request request = { GFP_KERNEL, -1, 20, __builtin_return_address(0) };
	uint8_t *p = watch_alloc(s, &request), *q;

	memset(p, 7, 20);
	q = krealloc(p, 100, GFP_KERNEL | __GFP_ZERO);
	cr_assert(q && q != p);
	cr_expect(all_bytes(q, 20, 7));
	cr_expect(all_bytes(q + 20, 80, 0));
	kfree(q);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, zero_stops_at_the_size_asked_for)
{
	struct kmem_cache *s = cache("sized", 64, ALL | SLAB_KMALLOC);
	const struct slab_request request = { GFP_KERNEL | __GFP_ZERO, -1, 20, __builtin_return_address(0) };
	uint8_t *p = watch_alloc(s, &request);

	cr_expect(all_bytes(p, 20, 0));
	cr_expect(all_bytes(p + 20, 44, 0xcc));
	kfree(p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

/* ---- other ---- */

Test(debug, bulk_and_inline_calls_are_checked_too)
{
	struct kmem_cache *s = cache("victim", 64, ALL);
	void *object[40];
	unsigned int i;

	cr_expect_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 40, object), 40);
	ASSERT_BALANCED(s, 40);
	((uint8_t *)object[7])[64] = 1;
	cr_expect_eq(ERRORS(s, kmem_cache_free_bulk(s, 40, object)), 3);
	ASSERT_BALANCED(s, 1);
	kmem_cache_free(s, object[7]);
	for (i = 0; i < 40; i++)
		kmem_cache_free_inline(s, kmem_cache_alloc_inline(s, GFP_KERNEL));
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(kmem_cache_shrink(s), 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, without_flags_there_is_nothing_to_validate)
{
	struct kmem_cache *s = cache("plain", 64, 0);

	cr_expect_eq(kmem_cache_validate(s), -EINVAL);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, trace_tells_each_call)
{
	struct kmem_cache *s = cache("told", 16, SLAB_TRACE);
	void *p;
	char line[128];

	capture_start();
	p = kmem_cache_alloc(s, GFP_KERNEL);
	said = capture_end();
	snprintf(line, sizeof(line), "TRACE told alloc %p inuse=1 fp=0x", p);
	SAYS(line);
	SAYS("Call Trace:");
	capture_start();
	kmem_cache_free(s, p);
	said = capture_end();
	snprintf(line, sizeof(line), "TRACE told free %p inuse=1 fp=0x", p);
	SAYS(line);
	SAYS("Object ");
	cr_expect_eq(kmem_cache_errors(s), 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug, calls_are_watched_while_a_debug_cache_exists)
{
	struct kmem_cache *s = cache("a", 64, ALL);

	cr_expect(trace_on(TRACE_KMALLOC));
	cr_expect_eq(kmem_cache_destroy(s), 0);
	cr_expect_not(trace_on(TRACE_KMALLOC));
}
