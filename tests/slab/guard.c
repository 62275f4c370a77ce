/* SPDX-License-Identifier: BSD-2-Clause */
/* Guarded objects: every wrong access is reported with its stacks, every right one is not; sampling; fork; other handlers. */
#include "support.h"

#include <kmem/group.h>
#include <kmem/info.h>

#include "base/os.h"
#include "page/arena.h"
#include "slab/guard.h"
#include "slab/kmalloc.h"

static void start(void)
{
	guard_init(1);
}

TestSuite(guard, .init = start);

/* An object in the pool, at the left or right end of its page. */
static uint8_t *get(size_t size, bool right)
{
	const struct slab_request request = { GFP_KERNEL, -1, size, __builtin_return_address(0) };
	struct kmem_cache *s = kmalloc_cache(size, GFP_KERNEL);
	uint8_t *p = guard_alloc(s, &request);

	/* Which end it is, is chance. */
	while (p && ((uintptr_t)p % PAGE_SIZE != 0) != right) {
		kfree(p);
		p = guard_alloc(s, &request);
	}
	cr_assert_not_null(p);
	return p;
}

/* What is printed when `statement` runs. */
#define SAID(statement)          \
	({                       \
		capture_start(); \
		statement;       \
		capture_end();   \
	})

#define SAYS(said, text) cr_expect(strstr(said, text), "\"%s\" is not in:\n%s", text, said)

static uint8_t volatile seen;

Test(guard, right_use_is_silent)
{
	uint8_t *p[20];
	unsigned int i;
	const char *said = SAID({
		for (i = 0; i < 20; i++) {
			p[i] = get(100 + i, i % 2);
			cr_expect_eq(*addr_to_id(p[i]), KMEM_ID_GUARD);
			cr_expect_eq(guard_size(p[i]), 100 + i);
			cr_expect_eq(ksize(p[i]), 100 + i);
			memset(p[i], (int)i, 100 + i);
		}
		for (i = 0; i < 20; i++) {
			cr_expect(all_bytes(p[i], 100 + i, (uint8_t)i));
			kfree(p[i]);
		}
	});

	cr_expect_str_empty(said);
}

Test(guard, out_of_bounds)
{
	uint8_t *left = get(64, false), *right = get(64, true);
	const char *said = SAID(seen = left[-1]);

	SAYS(said, "kmem: BUG: KFENCE: out-of-bounds read in guard_out_of_bounds_impl+0x");
	SAYS(said, "(1B left of guard-#");
	SAYS(said, "size=64, cache=kmalloc-64");
	SAYS(said, "allocated by task ");
	cr_expect_null(strstr(said, "freed by"));
	cr_expect_str_empty(SAID(seen = left[-2]), "once let through, it is open");
	said = SAID(right[64] = 1);
	SAYS(said, "out-of-bounds write in guard_out_of_bounds_impl+0x");
	SAYS(said, "(1B right of guard-#");
	kfree(left);
	kfree(right);
	cr_expect(!readable(left - 1), "closed again");
}

Test(guard, use_after_free)
{
	uint8_t *p = get(64, true);
	const char *said;

	kfree(p);
	said = SAID(seen = p[3]);
	SAYS(said, "use-after-free read in guard_use_after_free_impl+0x");
	SAYS(said, "(in guard-#");
	SAYS(said, "allocated by task ");
	SAYS(said, "freed by task ");
	p = get(64, true);
	kfree(p);
	SAYS(SAID(p[3] = 1), "use-after-free write in");
}

Test(guard, double_and_invalid_free)
{
	uint8_t *p = get(64, true);

	SAYS(SAID(kfree(p + 8)), "BUG: KFENCE: invalid free in guard_double_and_invalid_free_impl+0x");
	cr_expect_str_empty(SAID(kfree(p)));
	SAYS(SAID(kfree(p)), "BUG: KFENCE: invalid free in");
}

Test(guard, corruption_is_found_at_free)
{
	uint8_t *p = get(60, false), *q = get(60, true);

	p[60] ^= 0xff;
	SAYS(SAID(kfree(p)), "memory corruption in guard_corruption_is_found_at_free_impl+0x");
	q[-1] ^= 0xff;
	SAYS(SAID(kfree(q)), "(1B left of guard-#");
}

Test(guard, alignment_is_that_of_the_cache)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		uint8_t *p = get(100, i % 2);

		cr_expect_eq((uintptr_t)p % kmalloc_cache(100, GFP_KERNEL)->align, 0);
		kfree(p);
	}
}

Test(guard, zero_and_krealloc)
{
	const struct slab_request request = { GFP_KERNEL | __GFP_ZERO, -1, 200, __builtin_return_address(0) };
	uint8_t *p = guard_alloc(kmalloc_cache(200, GFP_KERNEL), &request), *q;

	cr_expect(all_bytes(p, 200, 0));
	memset(p, 5, 200);
	q = krealloc(p, 300, GFP_KERNEL);
	cr_expect(q != p && all_bytes(q, 200, 5));
	cr_expect_neq(*addr_to_id(p), KMEM_ID_GUARD);
	kfree(q);
}

Test(guard, freed_objects_wait_their_turn)
{
	uint8_t *p = get(64, true);
	unsigned int i;

	kfree(p);
	for (i = 0; i < GUARD_OBJECTS / 4; i++) {
		uint8_t *q = get(64, true);

		cr_expect_neq((uintptr_t)q / PAGE_SIZE, (uintptr_t)p / PAGE_SIZE);
		kfree(q);
		if (i > 100)
			break;
	}
}

Test(guard, a_full_pool_gives_no_more)
{
	const struct slab_request request = { GFP_KERNEL, -1, 64, __builtin_return_address(0) };
	struct kmem_cache *s = kmalloc_cache(64, GFP_KERNEL);
	static void *object[GUARD_OBJECTS + 1];
	unsigned int i;

	for (i = 0; i < GUARD_OBJECTS; i++)
		cr_assert_not_null(object[i] = guard_alloc(s, &request));
	cr_expect_null(guard_alloc(s, &request));
	for (i = 0; i < GUARD_OBJECTS; i++)
		kfree(object[i]);
	cr_expect_not_null(object[0] = guard_alloc(s, &request));
	kfree(object[0]);
}

Test(guard, what_cannot_be_sampled)
{
	struct slab_request request = { GFP_ATOMIC, -1, 64, __builtin_return_address(0) };
	struct kmem_cache *s = kmalloc_cache(64, GFP_KERNEL);

	cr_expect_null(guard_alloc(s, &request), "makes system calls");
	request.gfp = GFP_KERNEL;
	request.size = 5000;
	cr_expect_null(guard_alloc(s, &request), "more than a page");
}

Test(guard, samples_come_through_the_slow_path)
{
	enum { N = 20000 };
	static void *object[N];
	unsigned int i, guarded = 0;

	for (i = 0; i < N; i++) {
		object[i] = kmalloc(64, GFP_KERNEL);
		guarded += *addr_to_id(object[i]) == KMEM_ID_GUARD;
		if (i % 1000 == 0)
			usleep(2000);
	}
	cr_expect(guarded >= 5 && guarded <= GUARD_OBJECTS, "%u", guarded);
	for (i = 0; i < N; i++)
		kfree(object[i]);
}

/* ---- faults that are not ours ---- */

static volatile sig_atomic_t chained;
static void *skip_to;

static void own_handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	chained = info->si_addr == skip_to;
	mprotect(skip_to, 4096, PROT_READ);
}

Test(guard_alone, other_faults_go_to_the_handler_before)
{
	struct sigaction action = { .sa_sigaction = own_handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	guard_init(1);
	skip_to = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	seen = *(volatile uint8_t *)skip_to;
	cr_expect(chained);
}

#ifndef __SANITIZE_ADDRESS__ /* which has a handler of its own */
Test(guard, or_end_the_process_as_ever, .signal = SIGSEGV)
{
	volatile int *volatile nowhere = (volatile int *)8;

	*nowhere = 1;
}
#endif

Test(guard, works_in_the_child_of_a_fork)
{
	uint8_t *p = get(64, true);
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		kfree(p);
		p = get(64, true);
		_exit(p ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0);
	p[0] = 1;
	kfree(p);
}

Test(guard_alone, off_by_default)
{
	cr_expect_eq(guard_next, UINT64_MAX);
	cr_expect_not(guard_due(kmalloc_cache(64, GFP_KERNEL)));
}

Test(guard, counts_in_its_cache)
{
	struct kmem_cache *s = kmalloc_cache(200, GFP_KERNEL);
	struct kmem_cache_stat before, with, after;
	const struct page *page;
	uint8_t *p;

	kmem_cache_stat(s, &before);
	p = get(200, true);
	kmem_cache_stat(s, &with);
	cr_expect_eq(with.active, before.active + 1);
	cr_expect_eq(with.objects, before.objects + 1);
	cr_expect_eq(with.allocs - with.frees, before.allocs - before.frees + 1);
	page = addr_to_page(p);
	cr_expect_eq(page->cache_id, s->id);
	cr_expect_eq(page->size, 200);
	cr_expect_eq(page->offset, (uintptr_t)p % PAGE_SIZE);
	kfree(p);
	kmem_cache_stat(s, &after);
	cr_expect_eq(after.active, before.active);
	cr_expect_eq(after.objects, before.objects);
	cr_expect_eq(after.allocs, after.frees + before.allocs - before.frees);
	SAID(kfree(p));
	kmem_cache_stat(s, &before);
	cr_expect_eq(before.frees, after.frees, "a second free counts nothing");
}

Test(guard, its_group_is_charged_until_it_is_freed)
{
	struct kmem_group *group = kmem_group_create("guarded", 0);
	struct kmem_group_stat stat;
	void *p;

	kmem_group_enter(group);
	/* The first of its class takes the slow path. */
	guard_next = 0;
	p = kmalloc(1500, GFP_KERNEL_ACCOUNT);
	cr_assert_eq(*addr_to_id(p), KMEM_ID_GUARD);
	kmem_group_stat(group, &stat);
	cr_expect_eq(stat.bytes, 2048);
	kfree(p);
	kmem_group_stat(group, &stat);
	cr_expect_eq(stat.bytes, 0);
	kmem_group_enter(NULL);
	cr_expect_eq(kmem_group_destroy(group), 0);
}

/* ---- the kernel's list of KFENCE tests ---- */

/* Between the object's end and that of its page lies what alignment asks for: reads there go unseen, writes until the free. */
Test(guard, aligned_out_of_bounds)
{
	uint8_t *p = get(73, true), *end = (uint8_t *)ALIGN_UP((uintptr_t)p, PAGE_SIZE);

	cr_assert_gt(end - p, 73);
	cr_expect_str_empty(SAID(seen = p[73]));
	SAYS(SAID(seen = *end), "out-of-bounds read in");
	p[73] ^= 0xff;
	SAYS(SAID(kfree(p)), "memory corruption in");
}

Test(guard, bulk)
{
	void *p[8];
	unsigned int i;

	/* Among objects of slabs and of whole pages. */
	for (i = 0; i < 8; i++)
		p[i] = i % 4 == 3 ? kmalloc(20000, GFP_KERNEL) : get(64, i % 2);
	guard_next = UINT64_MAX;
	kfree(p[2]);
	cr_assert_not_null(p[2] = kmalloc(64, GFP_KERNEL));
	cr_expect_neq(*addr_to_id(p[2]), KMEM_ID_GUARD);
	cr_expect_str_empty(SAID(kmem_cache_free_bulk(NULL, 8, p)));
	for (i = 0; i < 8; i++)
		if (i != 2 && i % 4 != 3)
			cr_expect_eq(*addr_to_id(p[i]), KMEM_ID_GUARD_FREE);
	SAYS(SAID(kmem_cache_free_bulk(NULL, 1, p)), "invalid free in");
}

Test(guard, krealloc)
{
	uint8_t *p = get(32, true), *smaller, *larger;

	memset(p, 7, 32);
	/* Both move it: the next access through the old pointer shows. */
	larger = krealloc(p, 64, GFP_KERNEL);
	cr_expect_neq(larger, p);
	cr_expect(all_bytes(larger, 32, 7));
	SAYS(SAID(seen = *p), "use-after-free read in");
	kfree(larger);
	p = get(64, false);
	memset(p, 7, 64);
	smaller = krealloc(p, 8, GFP_KERNEL);
	cr_expect(all_bytes(smaller, 8, 7));
	kfree(smaller);
	p = get(64, false);
	cr_expect_eq(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	SAYS(SAID(seen = *p), "use-after-free read in");
}

Test(guard, shrinking_its_cache_leaves_it_alone)
{
	uint8_t *p = get(64, true);

	memset(p, 7, 64);
	kmem_cache_shrink(kmalloc_cache(64, GFP_KERNEL));
	cr_expect(all_bytes(p, 64, 7));
	cr_expect_eq(*addr_to_id(p), KMEM_ID_GUARD);
	cr_expect_str_empty(SAID(kfree(p)));
}

/* A page used again holds nothing of what was there before. */
Test(guard, gfp_zero)
{
	struct slab_request request = { GFP_KERNEL, -1, PAGE_SIZE, __builtin_return_address(0) };
	struct kmem_cache *s = kmalloc_cache(PAGE_SIZE, GFP_KERNEL);
	unsigned int i;
	uint8_t *p;

	for (i = 0; i < 2 * GUARD_OBJECTS; i++) {
		request.gfp = i < GUARD_OBJECTS ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO;
		cr_assert_not_null(p = guard_alloc(s, &request));
		if (i >= GUARD_OBJECTS)
			cr_expect(all_bytes(p, PAGE_SIZE, 0));
		memset(p, 7, PAGE_SIZE);
		kfree(p);
		/* Let through after its report: it is there when the page is used again. */
		if (i < GUARD_OBJECTS)
			SAYS(SAID(p[i % PAGE_SIZE] = 7), "use-after-free write in");
	}
}

/* With init_on_free, and without: what is read after its report is not what was there. */
Test(guard, nothing_is_left_after_free)
{
	uint8_t *p = get(64, true);

	memset(p, 7, 64);
	kfree(p);
	SAYS(SAID(seen = p[0]), "use-after-free read in");
	cr_expect(all_bytes(p, 64, 0));
}

/* ---- caches that go ---- */

static struct kmem_cache *sampled(const char *name)
{
	return kmem_cache_create(name, 64, 0, SLAB_KMALLOC | SLAB_NO_MERGE, NULL);
}

static uint8_t *get_from(struct kmem_cache *s)
{
	const struct slab_request request = { GFP_KERNEL, -1, 64, __builtin_return_address(0) };
	uint8_t *p = guard_alloc(s, &request);

	cr_assert_not_null(p);
	return p;
}

Test(guard, a_cache_with_guarded_objects_is_kept)
{
	struct kmem_cache *s = sampled("goes"), *other;
	uint8_t *p = get_from(s), *q = get_from(s);
	struct kmem_cache_stat stat;
	char wanted[128];
	const char *said;
	size_t left;

	kfree(get_from(s));
	said = SAID(left = kmem_cache_destroy(s));
	cr_expect_eq(left, 2);
	SAYS(said, "BUG goes: Objects remaining on __kmem_cache_shutdown(): 2; the cache is kept");
	snprintf(wanted, sizeof(wanted), "  Object %p between guard pages\n", (void *)p);
	SAYS(said, wanted);
	snprintf(wanted, sizeof(wanted), "  Object %p between guard pages\n", (void *)q);
	SAYS(said, wanted);
	cr_expect_null(strstr(said, "more"));
	other = sampled("comes");
	cr_expect_neq(other, s, "the entry is not reused");
	cr_expect_str_empty(SAID(kfree(p)));
	cr_expect_str_empty(SAID(kfree(q)));
	kmem_cache_stat(other, &stat);
	cr_expect_eq(stat.frees, 0, "nothing is counted for another cache");
}

Test(guard, reports_name_the_cache_that_was)
{
	struct kmem_cache *s = sampled("before");
	uint8_t *p = get_from(s);
	const char *said;

	kfree(p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
	cr_assert_eq(sampled("behind"), s, "the entry is reused");
	said = SAID(seen = p[0]);
	SAYS(said, "cache=before");
	SAYS(said, "use-after-free read in");
	said = SAID(kfree(p));
	SAYS(said, "invalid free in");
}

Test(guard, the_views_count_guarded_objects)
{
	struct kmem_cache *s = sampled("viewed");
	uint8_t *p = get_from(s);
	char buf[16384];

	cr_expect_gt(kmem_slab_sysfs(s, "active", buf, sizeof(buf)), 0);
	cr_expect_str_eq(buf, "1\n");
	kmem_slabinfo(buf, sizeof(buf));
	SAYS(buf, "\nviewed                 1      1     64   64    1 ");
	kfree(p);
	kmem_slab_sysfs(s, "active", buf, sizeof(buf));
	cr_expect_str_eq(buf, "0\n");
	cr_expect_eq(kmem_cache_destroy(s), 0);
}
