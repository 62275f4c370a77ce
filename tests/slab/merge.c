/* SPDX-License-Identifier: BSD-2-Clause */
/* Which caches are merged, and that each name is counted by itself whatever they share. */
#include "support.h"

#include <errno.h>
#include <pthread.h>

#include <kmem/info.h>

#include "slab/kmalloc.h"

static void merging(void)
{
	cache_set_merge(true);
}

TestSuite(merge, .init = merging, .timeout = 60);

static void construct(void *object)
{
	memset(object, 1, 8);
}

static struct kmem_cache *like(const char *name, unsigned int size)
{
	struct kmem_cache *s = kmem_cache_create(name, size, 0, 0, NULL);

	cr_assert_not_null(s);
	return s;
}

/* ---- the rules ---- */

struct shape {
	unsigned int size, align;
	slab_flags_t flags;
	bool ctor, usersize, sheaves;
};

static struct kmem_cache *make(const char *name, const struct shape *shape)
{
	struct kmem_cache_args args = { .align = shape->align, .ctor = shape->ctor ? construct : NULL,
					.usersize = shape->usersize ? 8 : 0, .sheaf_capacity = shape->sheaves ? 100 : 0 };
	struct kmem_cache *s = __kmem_cache_create_args(name, shape->size, &args, shape->flags);

	cr_assert_not_null(s);
	return s;
}

Test(merge, rules)
{
	static const struct {
		struct shape first, second;
		bool merged;
	} cases[] = {
		{ { .size = 1000 }, { .size = 1000 }, true },
		{ { .size = 1000 }, { .size = 993 }, true },
		{ { .size = 1000 }, { .size = 992 }, false },
		{ { .size = 1000 }, { .size = 1001 }, false },
		{ { .size = 997 }, { .size = 1000 }, true },
		{ { .size = 1000 }, { .size = 1000, .align = 8 }, true },
		{ { .size = 1000 }, { .size = 1000, .align = 16 }, false },
		{ { .size = 1024 }, { .size = 1024, .align = 64 }, true },
		{ { .size = 1024 }, { .size = 1024, .flags = SLAB_HWCACHE_ALIGN }, true },
		{ { .size = 1000, .flags = SLAB_PANIC }, { .size = 1000 }, true },
		{ { .size = 1000 }, { .size = 1000, .ctor = true }, false },
		{ { .size = 1000, .ctor = true }, { .size = 1000 }, false },
		{ { .size = 1000 }, { .size = 1000, .usersize = true }, false },
		{ { .size = 1000, .usersize = true }, { .size = 1000 }, false },
		{ { .size = 1000 }, { .size = 1000, .sheaves = true }, false },
		{ { .size = 1000, .sheaves = true }, { .size = 1000 }, false },
		{ { .size = 1000, .flags = SLAB_ACCOUNT }, { .size = 1000, .flags = SLAB_ACCOUNT }, true },
		{ { .size = 1000 }, { .size = 1000, .flags = SLAB_ACCOUNT }, false },
		{ { .size = 1000, .flags = SLAB_RECLAIM_ACCOUNT }, { .size = 1000 }, false },
		{ { .size = 1000 }, { .size = 1000, .flags = SLAB_CACHE_DMA }, false },
		{ { .size = 1000 }, { .size = 1000, .flags = SLAB_CACHE_DMA32 }, false },
		{ { .size = 1000 }, { .size = 1000, .flags = SLAB_NO_MERGE }, false },
		{ { .size = 1000, .flags = SLAB_NO_MERGE }, { .size = 1000 }, false },
		{ { .size = 1000, .flags = SLAB_KMALLOC }, { .size = 1000 }, false },
		{ { .size = 1000, .flags = SLAB_TYPESAFE_BY_RCU }, { .size = 1000, .flags = SLAB_TYPESAFE_BY_RCU }, false },
		{ { .size = 1000, .flags = SLAB_NOLEAKTRACE }, { .size = 1000, .flags = SLAB_NOLEAKTRACE }, false },
		{ { .size = 1000, .flags = SLAB_FAILSLAB }, { .size = 1000, .flags = SLAB_FAILSLAB }, false },
		{ { .size = 1000, .flags = SLAB_TRACE }, { .size = 1000, .flags = SLAB_TRACE }, false },
		{ { .size = 1000, .flags = SLAB_POISON }, { .size = 1000, .flags = SLAB_POISON }, false },
		{ { .size = 1000, .flags = SLAB_RED_ZONE }, { .size = 1000, .flags = SLAB_RED_ZONE }, false },
		{ { .size = 1000, .flags = SLAB_STORE_USER }, { .size = 1000, .flags = SLAB_STORE_USER }, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct kmem_cache *first = make("first", &cases[i].first), *second = make("second", &cases[i].second);

		cr_expect_eq(root_of(second) == first, cases[i].merged, "case %zu", i);
		cr_expect_eq(first->refcount, cases[i].merged ? 2 : 1, "case %zu", i);
		cr_expect_eq(kmem_cache_destroy(second), 0);
		cr_expect_eq(kmem_cache_destroy(first), 0);
	}
}

Test(merge, only_when_asked_for)
{
	struct kmem_cache *first = like("first", 1000);

	cache_set_merge(false);
	cr_expect_eq(root_of(like("second", 1000)) == first, false);
}

Test(merge, failing_and_slotless_caches_stay_alone)
{
	struct kmem_cache *first = like("first", 1000);

	cr_assert_eq(kmem_cache_tune(first, KMEM_TUNE_FAILSLAB, 1), 0);
	cr_expect_eq(kmem_cache_is_alias(like("second", 1000)), 0);
	first = like("third", 2000);
	cr_assert_eq(kmem_cache_tune(first, KMEM_TUNE_SHEAF_CAPACITY, 0), 0);
	cr_expect_eq(kmem_cache_is_alias(like("fourth", 2000)), 0);
}

/* ---- counting ---- */

enum { NAMES = 6 }; /* a root and five aliases */

static struct kmem_cache *family[NAMES];

static void make_family(void)
{
	static const char *const name[NAMES] = { "root", "one", "two", "three", "four", "five" };
	unsigned int i;

	for (i = 0; i < NAMES; i++)
		family[i] = like(name[i], 1000);
	cr_assert_eq(family[0]->refcount, NAMES);
}

static uint64_t active(struct kmem_cache *s)
{
	struct kmem_cache_stat stat;

	kmem_cache_stat(s, &stat);
	return stat.active;
}

/* Every name's own count, and what is physically out of the slabs. */
static void expect_counts(const uint64_t *want)
{
	uint64_t cached = 0, sum = 0;
	struct kmem_cache_stat stat;
	unsigned int i, nid;

	for (i = 0; i < NAMES; i++) {
		kmem_cache_stat(family[i], &stat);
		cr_expect_eq(stat.active, want[i], "%s: %lu, expected %lu", family[i]->name, stat.active, want[i]);
		cr_expect_eq(stat.allocs - stat.frees, want[i]);
		cached += stat.cached;
		sum += want[i];
	}
	stat.active = 0;
	for (nid = 0; nid < family[0]->nr_nodes; nid++)
		stat.active += node_of(family[0], nid)->nr_taken;
	cr_expect_eq(stat.active, bitmap_objects(family[0]));
	cr_expect_eq(stat.active - cached, sum, "taken %lu, cached %lu, sum %lu", stat.active, cached, sum);
}

enum { HELD = 400, THREADS = 4, OPERATIONS = 200000 };

struct worker {
	pthread_t thread;
	uint64_t seed;
	void *held[NAMES][HELD];
	uint32_t nr[NAMES];
	bool ok;
};

static void work_once(struct worker *w, struct kmem_cache *s, unsigned int name)
{
	uint32_t what = random_next(&w->seed) % 8, n = 1 + random_next(&w->seed) % 60;
	void **held = w->held[name];

	if (what < 4 && w->nr[name] + n <= HELD) {
		if (what < 2) {
			w->ok &= kmem_cache_alloc_bulk(s, GFP_KERNEL, n, held + w->nr[name]) == (int)n;
			w->nr[name] += n;
			return;
		}
		held[w->nr[name]] = kmem_cache_alloc(s, GFP_KERNEL);
		w->ok &= held[w->nr[name]] != NULL;
		*(uint64_t *)held[w->nr[name]++] = name;
		return;
	}
	n = what & 1 ? 1 : n;
	n = n < w->nr[name] ? n : w->nr[name];
	w->nr[name] -= n;
	if (n == 1)
		kmem_cache_free(s, held[w->nr[name]]);
	else
		kmem_cache_free_bulk(s, n, held + w->nr[name]);
}

static void *work(void *context)
{
	struct worker *w = context;
	unsigned int i;

	for (i = 0; i < OPERATIONS; i++) {
		unsigned int name = random_next(&w->seed) % NAMES;

		work_once(w, family[name], name);
		if (i % 20000 == 19999)
			kmem_cache_shrink(family[i / 20000 % NAMES]);
	}
	return NULL;
}

static struct worker workers[THREADS];

static void run_workers(void)
{
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		workers[i].seed = i + 1;
		workers[i].ok = true;
		cr_assert_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_join(workers[i].thread, NULL), 0);
		cr_expect(workers[i].ok);
	}
}

static void held_by_name(uint64_t *want)
{
	unsigned int i, k;

	for (i = 0; i < NAMES; i++)
		for (want[i] = 0, k = 0; k < THREADS; k++)
			want[i] += workers[k].nr[i];
}

Test(merge, names_are_counted_exactly_under_load)
{
	uint64_t want[NAMES];
	unsigned int i, k;

	make_family();
	run_workers();
	held_by_name(want);
	expect_counts(want);
	kmem_cache_shrink(family[3]);
	expect_counts(want);
	cr_assert_eq(kmem_cache_tune(family[2], KMEM_TUNE_SHEAF_CAPACITY, 7), 0);
	expect_counts(want);
	for (i = 0; i < NAMES; i++) {
		for (k = 0; k < THREADS; k++)
			kmem_cache_free_bulk(family[i], workers[k].nr[i], workers[k].held[i]);
		want[i] = 0;
	}
	expect_counts(want);
	cr_expect_eq(kmem_cache_shrink(family[5]), 0, "all slots are emptied");
	cr_expect_eq(bitmap_objects(family[0]), 0);
}

Test(merge, slabs_are_shared_and_shown_at_the_root)
{
	struct kmem_cache_stat root, alias;
	char text[32];
	void *p, *q;

	make_family();
	p = kmem_cache_alloc(family[0], GFP_KERNEL);
	kmem_cache_free(family[0], p);
	kmem_cache_shrink(family[1]);
	p = kmem_cache_alloc(family[0], GFP_KERNEL);
	kmem_cache_shrink(family[1]);
	q = kmem_cache_alloc(family[4], GFP_KERNEL);
	cr_expect_eq(slab_of(p), slab_of(q));
	cr_expect_eq(slab_of(q)->cache_id, family[0]->id);
	kmem_cache_stat(family[0], &root);
	kmem_cache_stat(family[4], &alias);
	cr_expect_eq(root.slabs, 1);
	cr_expect_eq(alias.slabs, 1);
	cr_expect_eq(alias.objects, root.objects);
	cr_expect_gt(kmem_slab_sysfs(family[4], "aliases", text, sizeof(text)), 0);
	cr_expect_str_eq(text, "5\n");
	cr_expect_gt(kmem_slab_sysfs(family[4], "active", text, sizeof(text)), 0);
	cr_expect_str_eq(text, "1\n");
	cr_expect_gt(kmem_slab_sysfs(family[0], "active", text, sizeof(text)), 0);
	cr_expect_str_eq(text, "1\n");
	kmem_cache_free(family[4], q);
	kmem_cache_free(family[0], p);
}

Test(merge, slabinfo_has_a_row_for_each_name)
{
	static char text[65536];
	void *p;

	make_family();
	p = kmem_cache_alloc(family[2], GFP_KERNEL);
	cr_assert_lt(kmem_slabinfo(text, sizeof(text)), sizeof(text));
	cr_expect_not_null(strstr(text, "\ntwo                    1      0   1000"));
	cr_expect_not_null(strstr(text, "\nroot                   0     "));
	kmem_cache_free(family[2], p);
}

Test(merge, clearing_is_by_the_own_size)
{
	struct kmem_cache *small = like("small", 994), *large = like("large", 996);
	uint8_t *p;

	cr_assert_eq(root_of(large), small);
	cr_assert_eq(root_of(like("largest", 1000)), small);
	cr_expect_eq(kmem_cache_size(small), 1000, "as large as the largest");
	cr_expect_eq(kmem_cache_size(large), 996);
	p = kmem_cache_alloc(large, GFP_KERNEL);
	memset(p, 0xee, 1000);
	kmem_cache_free(large, p);
	p = kmem_cache_alloc(large, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(p, 996, 0) && all_bytes(p + 996, 4, 0xee));
	kmem_cache_free(large, p);
}

Test(merge, kfree_counts_at_the_root)
{
	uint64_t want[NAMES] = { 0 };
	void *p[3];
	unsigned int i;

	make_family();
	for (i = 0; i < 3; i++)
		p[i] = kmem_cache_alloc(family[i], GFP_KERNEL);
	kfree(p[1]);
	cr_expect_eq(active(family[0]), 0, "its own object and the one that it is said to have freed");
	cr_expect_eq(active(family[1]), 1);
	kmem_cache_free(family[2], p[2]);
	kmem_cache_free(family[1], p[0]);
	expect_counts(want);
}

/* ---- the end ---- */

Test(merge, destroyed_in_every_order)
{
	static const unsigned int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	unsigned int i, k, id = 0;

	for (i = 0; i < ARRAY_LEN(orders); i++) {
		struct kmem_cache *s[3];
		void *p[3];

		for (k = 0; k < 3; k++)
			s[k] = like((const char *[]){ "a", "b", "c" }[k], 1000);
		for (k = 0; k < 3; k++)
			p[k] = kmem_cache_alloc(s[k], GFP_KERNEL);
		for (k = 0; k < 3; k++) {
			kmem_cache_free(s[orders[i][k]], p[orders[i][k]]);
			cr_expect_eq(kmem_cache_destroy(s[orders[i][k]]), 0);
			if (k < 2)
				cr_expect_eq(active(s[orders[i][2]]), 1);
		}
		for (k = 0; k < 3; k++)
			cr_expect_eq(s[k]->state, KMEM_CACHE_FREE);
		id = id ? id : s[0]->id;
		cr_expect_eq(s[0]->id, id, "the ids are used again");
		cr_expect_eq(bitmap_objects(s[0]), 0);
	}
}

Test(merge, objects_left_move_to_the_root)
{
	struct kmem_cache *root = like("root", 1000), *alias = like("alias", 1000);
	void *p[5], *mine = kmem_cache_alloc(root, GFP_KERNEL);
	unsigned int i;

	for (i = 0; i < 5; i++)
		p[i] = kmem_cache_alloc(alias, GFP_KERNEL);
	capture_start();
	cr_expect_eq(kmem_cache_destroy(alias), 5);
	cr_expect_not_null(strstr(capture_end(), "kmem_cache_destroy(alias): 5 objects remaining by its own count"));
	ASSERT_BALANCED(root, 6);
	for (i = 0; i < 5; i++)
		kfree(p[i]);
	ASSERT_BALANCED(root, 1);
	kmem_cache_free(root, mine);
	cr_expect_eq(kmem_cache_destroy(root), 0);
}

Test(merge, a_root_outlives_its_name)
{
	struct kmem_cache *root = like("root", 1000), *alias = like("alias", 1000), *late;
	void *p = kmem_cache_alloc(root, GFP_KERNEL), *q = kmem_cache_alloc(alias, GFP_KERNEL);
	const char *said;

	capture_start();
	cr_expect_eq(kmem_cache_destroy(root), 1);
	said = capture_end();
	cr_expect_not_null(strstr(said, "kmem_cache_destroy(root): 1 objects remaining"));
	cr_expect_eq(root->state, KMEM_CACHE_DEAD);
	late = like("late", 1000);
	cr_expect_eq(root_of(late), root, "its slabs are still open to others");
	kmem_cache_free(alias, q);
	cr_expect_eq(kmem_cache_destroy(late), 0);
	capture_start();
	cr_expect_eq(kmem_cache_destroy(alias), 1, "what the root's name has left keeps the slabs");
	said = capture_end();
	cr_expect_not_null(strstr(said, "BUG root: Objects remaining on __kmem_cache_shutdown(): 1"));
	cr_expect_eq(slab_of(p)->cache_id, root->id);
	cr_expect_eq(kmem_cache_is_alias(like("new", 1000)), 0, "a leaked cache takes no more");
}

Test(merge, tuning_is_for_all_names)
{
	unsigned int i;

	make_family();
	cr_assert_eq(kmem_cache_tune(family[3], KMEM_TUNE_MIN_PARTIAL, 77), 0);
	cr_assert_eq(kmem_cache_tune(family[3], KMEM_TUNE_BARN_FULL, 2), 0);
	cr_assert_eq(kmem_cache_tune(family[0], KMEM_TUNE_ORDER, 5), 0);
	cr_assert_eq(kmem_cache_tune(family[1], KMEM_TUNE_SHEAF_CAPACITY, 9), 0);
	cr_expect_eq(kmem_cache_tune(family[0], KMEM_TUNE_FAILSLAB, 1), -EBUSY);
	cr_expect_eq(kmem_cache_tune(family[1], KMEM_TUNE_FAILSLAB, 1), -EBUSY);
	for (i = 0; i < NAMES; i++) {
		cr_expect_eq(family[i]->min_partial, 77);
		cr_expect_eq(family[i]->barn_full, 2);
		cr_expect_eq(family[i]->order, 5);
		cr_expect_eq(family[i]->objects, family[0]->objects);
		cr_expect_eq(family[i]->reciprocal, family[0]->reciprocal);
		cr_expect_eq(family[i]->slot_capacity, 18);
	}
}

Test(merge, objects_in_reserve_are_counted_by_name)
{
	uint64_t want[NAMES] = { 0 };
	struct slab_sheaf *sheaf;
	void *p;

	make_family();
	sheaf = kmem_cache_prefill_sheaf(family[2], GFP_KERNEL, 10);
	cr_assert_not_null(sheaf);
	expect_counts(want);
	p = kmem_cache_alloc_from_sheaf(family[2], GFP_KERNEL, sheaf);
	want[2] = 1;
	expect_counts(want);
	kmem_cache_return_sheaf(family[2], GFP_KERNEL, sheaf);
	expect_counts(want);
	kmem_cache_free(family[2], p);
	want[2] = 0;
	expect_counts(want);
}
