/* SPDX-License-Identifier: BSD-2-Clause */
/* Creating, destroying, shrinking and asking caches. */
#include "support.h"

#include <kmem/debug.h>
#include <pthread.h>

#include "base/observe.h"
#include "page/buddy.h"
#include "slab/geometry.h"

struct request {
	char body[72];
};

struct __attribute__((aligned(64))) aligned_request {
	char body[65];
};

static struct kmem_cache *cache(const char *name, unsigned int size)
{
	struct kmem_cache *s = kmem_cache_create(name, size, 0, 0, NULL);

	cr_assert_not_null(s);
	return s;
}

/* ---- create ---- */

static char text[256];

Test(cache, both_forms_create)
{
	struct kmem_cache_args args = { .align = 32, .sheaf_capacity = 40 };
	const struct kmem_cache_args *constant = &args;
	struct kmem_cache *a = kmem_cache_create("args", 100, &args, SLAB_HWCACHE_ALIGN);
	struct kmem_cache *b = kmem_cache_create("legacy", 100, 32, 0, NULL);
	struct kmem_cache *c = kmem_cache_create("constant", 100, constant, 0);
	struct kmem_cache *d = kmem_cache_create("none", 100, NULL, 0);

	cr_assert(a && b && c && d);
	cr_expect_eq(a->align, 64, "HWCACHE_ALIGN");
	cr_expect_eq(a->sheaf_capacity, 60, "the floor is below the kernel's");
	cr_expect_eq(b->align, 32);
	cr_expect_eq(b->size, 128);
	cr_expect_eq(c->align, 32);
	cr_expect_eq(d->align, 8);
	cr_expect_eq(d->size, 104);
}

Test(cache, questions_are_answered)
{
	struct kmem_cache *s = cache("question", 100);

	cr_expect_eq(kmem_cache_size(s), 100);
	cr_expect_str_eq(kmem_cache_name(s), "question");
	cr_expect_eq(s->refcount, 1);
	cr_expect_eq(s->state, KMEM_CACHE_LIVE);
	cr_expect_gt(s->created_ns, 0);
	cr_expect_neq(s->call_site, 0);
	cr_expect_eq(cache_by_id(s->id), s);
}

Test(cache, the_name_is_copied)
{
	char name[] = "changing";
	struct kmem_cache *s = cache(name, 8);

	name[0] = 'X';
	cr_expect_str_eq(kmem_cache_name(s), "changing");
}

Test(cache, a_long_name_is_cut_and_reported)
{
	char name[100];
	struct kmem_cache *s;
	const char *out;

	memset(name, 'n', 99);
	name[99] = '\0';
	capture_start();
	s = kmem_cache_create(name, 8, 0, 0, NULL);
	out = capture_end();
	cr_assert_not_null(s);
	cr_expect_eq(strlen(kmem_cache_name(s)), 63);
	cr_expect_not_null(strstr(out, "the name is cut to 63 bytes"));
	name[63] = '\0';
	capture_start();
	s = kmem_cache_create(name, 8, 0, 0, NULL);
	out = capture_end();
	cr_expect_str_eq(kmem_cache_name(s), name);
	cr_expect_str_eq(out, "");
}

Test(cache, by_type)
{
	struct kmem_cache *a = KMEM_CACHE(request, 0), *b = KMEM_CACHE(aligned_request, SLAB_PANIC);

	cr_expect_str_eq(kmem_cache_name(a), "request");
	cr_expect_eq(kmem_cache_size(a), sizeof(struct request));
	cr_expect_str_eq(kmem_cache_name(b), "aligned_request");
	cr_expect_eq((uintptr_t)kmem_cache_alloc(b, GFP_KERNEL) % 64, 0);
}

Test(cache, two_caches_may_have_one_name)
{
	struct kmem_cache *a = cache("twin", 64), *b = cache("twin", 64);

	cr_expect_neq(a, b, "merging is off");
}

static void expect_refused(struct kmem_cache *s, const char *why)
{
	char line[200];
	const char *out = capture_end();

	snprintf(line, sizeof(line), "failed: %s\n", why);
	cr_expect_null(s);
	cr_expect_not_null(strstr(out, line), "got: %s", out);
	cr_expect_eq(strncmp(out, "kmem: kmem_cache_create(", 24), 0);
	capture_start();
}

Test(cache, every_bad_argument_has_its_reason)
{
	struct kmem_cache_args window = { .useroffset = 60, .usersize = 5 };
	struct kmem_cache_args overflow = { .useroffset = UINT32_MAX, .usersize = 2 };
	struct kmem_cache_args sheaf = { .sheaf_capacity = 16385 };
	struct kmem_cache_args align = { .align = 24 };
	unsigned int before = cache_count();

	capture_start();
	expect_refused(kmem_cache_create(NULL, 64, 0, 0, NULL), "it has no name");
	expect_refused(kmem_cache_create("", 64, 0, 0, NULL), "it has no name");
	expect_refused(kmem_cache_create("x", 0, 0, 0, NULL), "object size is 0");
	expect_refused(kmem_cache_create("x", (4u << 20) + 1, 0, 0, NULL), "object size is beyond 4 MiB");
	expect_refused(kmem_cache_create("x", 64, 0, 0x80000000u, NULL), "unknown flags");
	expect_refused(kmem_cache_create("x", 64, &align, 0), "align is no power of two");
	expect_refused(kmem_cache_create("x", 64, 8192, 0, NULL), "align is beyond a page");
	expect_refused(kmem_cache_create("x", 64, &window, 0), "the usercopy window lies outside the object");
	expect_refused(kmem_cache_create("x", 64, &overflow, 0), "the usercopy window lies outside the object");
	expect_refused(kmem_cache_create("x", 64, &sheaf, 0), "sheaf_capacity is beyond 16384");
	capture_end();
	cr_expect_eq(cache_count(), before);
}

Test(cache, the_kernel_s_flags_are_accepted)
{
	static const slab_flags_t flags[] = {
		SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_POISON, SLAB_STORE_USER, SLAB_TRACE, SLAB_FAILSLAB,
		SLAB_HWCACHE_ALIGN, SLAB_CACHE_DMA, SLAB_CACHE_DMA32, SLAB_PANIC, SLAB_TYPESAFE_BY_RCU,
		SLAB_NOLEAKTRACE, SLAB_NO_MERGE, SLAB_RECLAIM_ACCOUNT, SLAB_TEMPORARY, SLAB_ACCOUNT, SLAB_NO_USER_FLAGS,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(flags); i++) {
		struct kmem_cache *s = kmem_cache_create("flag", 64, 0, flags[i], NULL);

		cr_assert_not_null(s);
		cr_expect_eq(s->flags, flags[i]);
		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		cr_expect_eq(kmem_cache_destroy(s), 0);
	}
}

Test(cache, panic_aborts_where_null_would_do, .signal = SIGABRT)
{
	if (!kmem_cache_create("x", 0, 0, SLAB_PANIC, NULL))
		exit(0);
}

Test(cache, layout_is_the_geometry_of_this_machine)
{
	static const unsigned int sizes[] = { 8, 100, 256, 700, 4096, 9000, 100000 };
	struct geometry g;
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		struct kmem_cache *s = cache("layout", sizes[i]);

		cr_assert(geometry_compute(&g, sizes[i], 0, false, (unsigned int)sysconf(_SC_NPROCESSORS_CONF)));
		cr_expect_eq(s->size, g.size);
		cr_expect_eq(s->order, g.order);
		cr_expect_eq(s->objects, g.objects);
		cr_expect_eq(s->min_partial, g.min_partial);
		cr_expect_eq(s->sheaf_capacity, g.sheaf_capacity);
	}
}

Test(cache, a_sheaf_capacity_is_a_floor)
{
	struct kmem_cache_args args = { .sheaf_capacity = 200 };
	struct kmem_cache *s = kmem_cache_create("sheaf", 64, &args, 0);
	void *object[3000];
	struct kmem_cache_stat stat;

	cr_expect_eq(s->sheaf_capacity, 200);
	cr_expect_eq(s->slot_capacity, 400);
	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 3000, object), 3000);
	kmem_cache_free_bulk(s, 3000, object);
	ASSERT_BALANCED(s, 0);
	kmem_cache_stat(s, &stat);
	cr_expect_gt(stat.cached, 2000);
}

/* ---- destroy ---- */

Test(cache, an_empty_cache_goes_without_a_trace)
{
	struct kmem_cache *s = cache("gone", 64);
	void *object[1000];

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1000, object), 1000);
	kmem_cache_free_bulk(s, 1000, object);
	capture_start();
	cr_expect_eq(kmem_cache_destroy(s), 0);
	cr_expect_eq(kmem_cache_destroy(NULL), 0);
	cr_expect_str_eq(capture_end(), "");
	cr_expect_eq(s->state, KMEM_CACHE_FREE);
	drain_all_pages();
	cr_expect_eq(zones[0].free_pages, zones[0].present_pages);
}

Test(cache, live_objects_are_counted_listed_and_kept)
{
	struct kmem_cache *s = cache("leaky", 64);
	uint64_t *object[3], *freed;
	const char *out, *at;
	char address[32];
	int i, lines = 0;

	for (i = 0; i < 3; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	freed = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, freed);
	*object[1] = 12345;
	capture_start();
	cr_expect_eq(kmem_cache_destroy(s), 3);
	out = capture_end();
	cr_expect_not_null(strstr(out, "kmem: BUG leaky: Objects remaining on __kmem_cache_shutdown(): 3;"));
	for (at = out; (at = strstr(at, "  Object 0x")); at++)
		lines++;
	cr_expect_eq(lines, 3);
	for (i = 0; i < 3; i++) {
		snprintf(address, sizeof(address), "%lx @offset=%lu", (uintptr_t)object[i],
			 (uintptr_t)object[i] & (PAGE_SIZE - 1));
		cr_expect_not_null(strstr(out, address), "%s missing in %s", address, out);
	}
	cr_expect_eq(s->state, KMEM_CACHE_DEAD);
	cr_expect_eq(*object[1], 12345);
}

Test(cache, of_many_live_objects_ten_are_listed)
{
	struct kmem_cache *s = cache("leaky", 64);
	void *object[200];
	const char *out;

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 200, object), 200);
	capture_start();
	cr_expect_eq(kmem_cache_destroy(s), 200);
	out = capture_end();
	cr_expect_not_null(strstr(out, "and 190 more\n"));
}

Test(cache, a_leaked_cache_is_not_listed_and_its_id_not_reused)
{
	struct kmem_cache *s = cache("leaky", 64), *next, *at = NULL;

	if (!kmem_cache_alloc(s, GFP_KERNEL))
		cr_assert(false);
	capture_start();
	kmem_cache_destroy(s);
	capture_end();
	next = cache("next", 64);
	cr_expect_neq(next->id, s->id);
	while ((at = cache_next(at)))
		cr_expect_neq(at, s);
}

Test(cache, destroying_twice_is_a_bug, .signal = SIGABRT)
{
	struct kmem_cache *s = cache("twice", 64);

	kmem_cache_destroy(s);
	kmem_cache_destroy(s);
}

Test(cache, a_destroyed_cache_s_id_is_reused_clean)
{
	struct kmem_cache *a = cache("first", 64), *b;
	uint16_t id = a->id;
	uint32_t slot = a->slot_offset;

	kmem_cache_free(a, kmem_cache_alloc(a, GFP_KERNEL));
	kmem_cache_destroy(a);
	b = cache("second", 64);
	cr_expect_eq(b->id, id);
	cr_expect_eq(b->slot_offset, slot);
	ASSERT_BALANCED(b, 0);
	kmem_cache_free(b, kmem_cache_alloc(b, GFP_KERNEL));
	ASSERT_BALANCED(b, 0);
}

Test(cache, create_and_destroy_for_ever_needs_no_more_memory)
{
	uint64_t sheaves = 0;
	int i;

	for (i = 0; i < 3000; i++) {
		struct kmem_cache *s = cache("round", 64);
		void *object[300];

		cr_assert(percpu_mode() == PERCPU_NONE || s->slot_offset, "round %d lost its slots", i);
		cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 300, object), 300);
		kmem_cache_free_bulk(s, 300, object);
		cr_assert_eq(kmem_cache_destroy(s), 0);
		if (i == 100)
			sheaves = observe_root.sheaves_end;
	}
	cr_expect_eq(observe_root.sheaves_end, sheaves);
	cr_expect_leq(zones[0].present_pages, 1024);
}

Test(cache, without_rseq_create_and_destroy_need_no_more_memory)
{
	uint64_t sheaves = 0;
	int i;

	cr_assert_eq(percpu_init(false), 0);
	for (i = 0; i < 300; i++) {
		struct kmem_cache *s = cache("round", 64);

		cr_assert_neq(node_of(s, 0)->shared, 0);
		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		ASSERT_BALANCED(s, 0);
		cr_assert_eq(kmem_cache_destroy(s), 0);
		if (i == 10)
			sheaves = observe_root.sheaves_end;
	}
	cr_expect_eq(observe_root.sheaves_end, sheaves);
}

/* ---- many ---- */

Test(cache, when_slots_run_out_caches_share_one_and_work, .timeout = 60)
{
	enum { CACHES = 2000 };
	static struct kmem_cache *s[CACHES];
	static void *object[CACHES];
	struct kmem_cache_args args = { .sheaf_capacity = 1000 };
	unsigned int i, shared = 0;

	if (percpu_mode() == PERCPU_NONE)
		cr_skip("no rseq here");
	for (i = 0; i < CACHES; i++) {
		cr_assert_not_null(s[i] = kmem_cache_create("many", 64, &args, 0));
		shared += !s[i]->slot_offset;
	}
	cr_expect_gt(shared, 500);
	cr_expect_lt(shared, 1500);
	for (i = 0; i < CACHES; i++) {
		cr_assert_not_null(object[i] = kmem_cache_alloc(s[i], GFP_KERNEL));
		memset(object[i], (int)i, 64);
	}
	for (i = 0; i < CACHES; i++) {
		cr_assert(all_bytes(object[i], 64, (uint8_t)i));
		kmem_cache_free(s[i], object[i]);
	}
	for (i = 0; i < CACHES; i += 97)
		ASSERT_BALANCED(s[i], 0);
	for (i = 0; i < CACHES; i++)
		cr_assert_eq(kmem_cache_destroy(s[i]), 0);
}

Test(cache, the_list_is_walked_by_id)
{
	struct kmem_cache *a = cache("a", 8), *b = cache("b", 8), *c = cache("c", 8), *at = NULL;
	unsigned int nr = 0, seen = 0;

	kmem_cache_destroy(b);
	while ((at = cache_next(at))) {
		nr++;
		seen += at == a || at == c;
		cr_expect_neq(at, b);
	}
	cr_expect_eq(seen, 2);
	cr_expect_eq(nr, 26 + 2, "kmalloc has 26");
}

/* ---- shrink ---- */

/* Whether some object lies behind a colour. */
static bool any_colour(void *const *object, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (slab_of(object[i])->offset)
			return true;
	return false;
}

Test(cache, coloured_objects_come_and_go)
{
	struct kmem_cache_args args = { .colour = true, .usersize = 700 };
	struct kmem_cache *s = kmem_cache_create("coloured", 700, &args, 0);
	void *object[500];
	const char *out;
	int i;

	for (i = 0; i < 500; i++)
		cr_assert_not_null(object[i] = memset(kmem_cache_alloc(s, GFP_KERNEL), i, 700));
	cr_expect(any_colour(object, 500));
	ASSERT_BALANCED(s, 500);
	for (i = 0; i < 500; i++) {
		cr_expect(all_bytes(object[i], 700, (uint8_t)i));
		cr_expect(kmem_valid_obj((uint8_t *)object[i] + 699));
		cr_expect(kmem_check_usercopy(object[i], 700, true));
		cr_expect_not(kmem_valid_obj((uint8_t *)object[i] + 700), "padding");
	}
	for (i = 0; i < 499; i++)
		kmem_cache_free(s, object[i]);
	kmem_cache_shrink(s);
	ASSERT_BALANCED(s, 1);
	cr_expect_eq(node_of(s, 0)->nr_slabs, 1);
	capture_start();
	cr_expect_eq(kmem_cache_destroy(s), 1);
	out = capture_end();
	snprintf(text, sizeof(text), "Object %p @offset=%zu\n", object[499], (size_t)((uintptr_t)object[499] -
		 (uintptr_t)page_to_addr(slab_of(object[499]))));
	cr_expect_not_null(strstr(out, text), "%s in %s", text, out);
}

Test(cache, debug_caches_have_no_colour)
{
	struct kmem_cache_args args = { .colour = true };
	struct kmem_cache *s = kmem_cache_create("coloured", 700, &args, SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS);
	void *object[20];
	int i;

	cr_expect_eq(s->colour_off, 0);
	for (i = 0; i < 20; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	cr_expect_not(any_colour(object, 20));
	cr_expect_eq(kmem_cache_validate(s), 0);
	for (i = 0; i < 20; i++)
		kmem_cache_free(s, object[i]);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(cache, coloured_caches_do_not_merge)
{
	struct kmem_cache_args args = { .colour = true };
	struct kmem_cache *plain, *coloured, *after;

	cache_set_merge(true);
	plain = kmem_cache_create("plain", 1400, 0, 0, NULL);
	coloured = kmem_cache_create("coloured", 1400, &args, 0);
	cr_expect_not(kmem_cache_is_alias(coloured));
	cr_expect_eq(kmem_cache_destroy(plain), 0);
	after = kmem_cache_create("after", 1400, 0, 0, NULL);
	cr_expect_not(kmem_cache_is_alias(after));
}

Test(cache, shrink_says_whether_slabs_are_left)
{
	struct kmem_cache *s = cache("shrink", 64);
	void *object;

	cr_expect_eq(kmem_cache_shrink(s), 0);
	object = kmem_cache_alloc(s, GFP_KERNEL);
	cr_expect_eq(kmem_cache_shrink(s), 1);
	kmem_cache_free(s, object);
	cr_expect_eq(kmem_cache_shrink(s), 0);
	drain_all_pages();
	cr_expect_eq(zones[0].free_pages, zones[0].present_pages);
}

static int try_shrinking(struct kmem_cache *s, int64_t unused)
{
	(void)unused;
	if (cache_registry_try())
		cr_assert_fail("it is locked");
	return (int)node_of(s, 0)->nr_slabs;
}

Test(cache, a_try_for_the_registry_does_nothing_while_it_is_locked)
{
	struct kmem_cache *s = cache("try", 64);

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect_eq(cache_change(s->id, try_shrinking, 0), 1);
	cr_assert(cache_registry_try());
	cache_shrink_locked(s);
	cache_registry_unlock();
	cr_expect_eq(node_of(s, 0)->nr_slabs, 0);
}

Test(cache, shrinking_all_leaves_what_is_used)
{
	void *p = kmalloc(100, GFP_KERNEL), *q = kmalloc(1000, GFP_KERNEL);

	kfree(kmalloc(10, GFP_KERNEL));
	cr_expect_eq(cache_shrink_all(), 2);
	kfree(p);
	kfree(q);
	cr_expect_eq(cache_shrink_all(), 0);
}

Test(cache, statistics_agree_with_what_was_done)
{
	struct kmem_cache *s = cache("stat", 64);
	struct kmem_cache_stat stat;
	void *object[100];

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, object), 100);
	kmem_cache_free_bulk(s, 30, object);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.allocs, 100);
	cr_expect_eq(stat.frees, 30);
	cr_expect_eq(stat.active, 70);
	cr_expect_eq(stat.slabs, stat.slab_allocs - stat.slab_frees);
	cr_expect_eq(stat.objects, stat.slabs * 64);
	cr_expect_eq(stat.alloc_fail, 0);
}

Test(cache, fork_locks_pair_up, .timeout = 10)
{
	struct kmem_cache *s = cache("fork", 64);

	cache_lock_for_fork();
	cache_unlock_after_fork(false);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	cache_lock_for_fork();
	cache_unlock_after_fork(true);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

static void *create_many(void *unused)
{
	int i;

	for (i = 0; i < 200; i++) {
		struct kmem_cache *s = cache("thread", 64);

		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		if (kmem_cache_destroy(s))
			abort();
	}
	return unused;
}

Test(cache, threads_create_and_destroy, .timeout = 60)
{
	pthread_t thread[4];
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, create_many, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	cr_expect_leq(cache_count(), 27 + 4);
}
