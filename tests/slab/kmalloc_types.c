/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of kmalloc caches: the kernel's names and priority, made on demand; copies by call site. */
#include "support.h"

#include "slab/kmalloc.h"
#include "slab/kmalloc_types.h"

static const char *cache_of(gfp_t gfp)
{
	void *p = kmalloc(200, gfp);
	const char *name = cache_by_id(slab_of(p)->cache_id)->name;

	kfree(p);
	return name;
}

Test(kmalloc_types, priority)
{
	cr_expect_str_eq(cache_of(GFP_KERNEL), "kmalloc-256");
	cr_expect_str_eq(cache_of(GFP_KERNEL | __GFP_ACCOUNT), "kmalloc-cg-256");
	cr_expect_str_eq(cache_of(GFP_KERNEL | __GFP_ACCOUNT | __GFP_RECLAIMABLE), "kmalloc-rcl-256");
	cr_expect_str_eq(cache_of(GFP_KERNEL | __GFP_ACCOUNT | __GFP_RECLAIMABLE | GFP_DMA), "dma-kmalloc-256");
}

Test(kmalloc_types, made_on_demand_by_who_may_block)
{
	unsigned int before = cache_count();

	kfree(kmalloc(200, GFP_KERNEL));
	cr_expect_str_eq(cache_of(GFP_NOWAIT | __GFP_ACCOUNT), "kmalloc-256");
	cr_expect_eq(cache_count(), before);
	cache_of(GFP_KERNEL | __GFP_ACCOUNT);
	cr_expect_eq(cache_count(), before + 1);
	cr_expect_str_eq(cache_of(GFP_NOWAIT | __GFP_ACCOUNT), "kmalloc-cg-256");
}

static void role(void)
{
	static char site[64];
	struct kmem_cache *seen[64];
	unsigned int differ = 0;

	for (int i = 0; i < 64; i++) {
		void *p = __kmalloc_track_caller(64, GFP_KERNEL, -1, &site[i]), *q;

		q = __kmalloc_track_caller(64, GFP_KERNEL, -1, &site[i]);
		seen[i] = cache_by_id(slab_of(p)->cache_id);
		if (seen[i]->id != slab_of(q)->cache_id || seen[i]->object_size != 64)
			printf("one call site, two caches; ");
		kfree(p);
		kfree(q);
		differ += i && seen[i] != seen[0];
	}
	printf("%s", differ > 32 ? "copies" : "all in one");
	printf(strncmp(seen[63]->name, "kmalloc-rnd-", 12) && strcmp(seen[63]->name, "kmalloc-64") ? " %s" : "",
	       seen[63]->name);
	exit(0);
}

__attribute__((constructor(200))) static void choose_role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");

	if (name && !strcmp(name, "random_kmalloc"))
		role();
}

Test(kmalloc_types, random_copies_by_call_site)
{
	char out[4096];

	cr_expect_eq(run_role("random_kmalloc", "random_kmalloc=on", NULL, out, sizeof(out)), 0);
	cr_expect_str_eq(out, "copies");
	cr_expect_eq(run_role("random_kmalloc", "", NULL, out, sizeof(out)), 0);
	cr_expect_str_eq(out, "all in one");
}
