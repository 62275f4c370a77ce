/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines about wrong frees, and the policy behind each. */
#include "support.h"

#include "base/report.h"
#include "slab/bad_free.h"

static char wanted[256];

#define SAYS(call, ...)                                          \
	do {                                                     \
		snprintf(wanted, sizeof(wanted), __VA_ARGS__);   \
		capture_start();                                 \
		call;                                            \
		cr_expect_str_eq(capture_end(), wanted);         \
	} while (0)

Test(bad_free, lines)
{
	struct kmem_cache *s = kmem_cache_create("right", 64, 0, 0, NULL);
	struct kmem_cache *other = kmem_cache_create("other", 64, 0, 0, NULL);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);
	const void *slab = page_to_addr(slab_of(p));

	SAYS(bad_free_again(s, p), "kmem: BUG right: Object already free: %p; it was left alone\n", (void *)p);
	SAYS(bad_free_pointer(s, p + 5),
	     "kmem: BUG right: Invalid object pointer %p: %zu bytes into the slab at %p; it was left alone\n",
	     (void *)(p + 5), (size_t)(p + 5 - (const uint8_t *)slab), slab);
	SAYS(bad_free_pointer(other, p),
	     "kmem: BUG other: kmem_cache_free(%p): no object of this cache; it was left alone\n", (void *)p);
	SAYS(bad_free_pointer(s, &s),
	     "kmem: BUG right: kmem_cache_free(%p): no object of this cache; it was left alone\n", (void *)&s);
}

Test(bad_free, the_policy_comes_behind_a_double_free, .signal = SIGABRT)
{
	report_set_policy(KMEM_MISUSE_ABORT);
	bad_free_again(kmem_cache_create("ends", 64, 0, 0, NULL), wanted);
}

Test(bad_free, the_policy_comes_behind_a_pointer, .signal = SIGABRT)
{
	report_set_policy(KMEM_MISUSE_ABORT);
	bad_free_pointer(kmem_cache_create("ends", 64, 0, 0, NULL), wanted);
}
