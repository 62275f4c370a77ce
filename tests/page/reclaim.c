/* SPDX-License-Identifier: BSD-2-Clause */
/* Reclaim: who is asked, in which order, and that it never runs within itself. */
#include "support.h"

#include <kmem/shrinker.h>

#include "page/alloc.h"
#include "page/scope.h"
#include "page/vmstat.h"

static struct page *held[4096];
static unsigned long nr_held;
static unsigned int slab_calls, depth, deepest;
static bool saw_memalloc = true;

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return nr_held;
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long i, freed = 0;

	(void)s;
	depth++;
	deepest = MAX(deepest, depth);
	saw_memalloc &= !!(scope_flags & SCOPE_MEMALLOC);
	/* A shrinker may allocate; that must not start another round. */
	__free_page(alloc_page(GFP_KERNEL));
	for (i = 0; i < sc->nr_to_scan && nr_held; i++, freed++)
		__free_page(held[--nr_held]);
	depth--;
	return freed;
}

static size_t slab(gfp_t gfp, unsigned int nid, unsigned int priority)
{
	(void)gfp;
	(void)nid;
	(void)priority;
	slab_calls++;
	return 0;
}

static struct shrinker *setup(unsigned long nr)
{
	struct shrinker *s = shrinker_alloc(0, "pages");

	s->count_objects = count;
	s->scan_objects = scan;
	shrinker_register(s);
	nr_held = alloc_pages_bulk(GFP_KERNEL, nr, held);
	page_set_reclaim(slab);
	return s;
}

Test(reclaim, a_batch_is_enough)
{
	struct shrinker *s = setup(4096);
	size_t freed = reclaim_pages(GFP_KERNEL, 0, 0);

	cr_expect_geq(freed, 32);
	cr_expect_leq(freed, 1024);
	cr_expect_gt(nr_held, 3000);
	cr_expect(saw_memalloc);
	cr_expect_eq(deepest, 1);
	cr_expect_geq(slab_calls, 1);
	cr_expect_eq(vmstat_event(KMEM_VM_ALLOCSTALL), 1);
	cr_expect_eq(vmstat_event(KMEM_VM_PGSTEAL_DIRECT), freed);
	cr_expect_geq(vmstat_event(KMEM_VM_PGSCAN_DIRECT), freed);
	cr_expect_not(scope_flags & SCOPE_MEMALLOC);
	shrinker_free(s);
}

Test(reclaim, nothing_to_free_is_no_progress)
{
	struct shrinker *s = setup(0);

	cr_expect_eq(reclaim_pages(GFP_KERNEL, 0, 0), 0);
	shrinker_free(s);
}

Test(reclaim, drop_slab_takes_all)
{
	struct shrinker *s = setup(3000);

	cr_expect_eq(kmem_drop_slab(), 3000);
	cr_expect_eq(nr_held, 0);
	cr_expect_eq(vmstat_event(KMEM_VM_DROP_SLAB), 1);
	cr_expect_eq(vmstat_event(KMEM_VM_SLABS_SCANNED), 3000);
	shrinker_free(s);
}
