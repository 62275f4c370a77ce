/* SPDX-License-Identifier: BSD-2-Clause */
/* kmalloc_nolock(): in a storm of signals that interrupt the allocator, locks held or not. */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "slab/kmalloc.h"

Test(nolock, contract)
{
	uint8_t *p;

	kfree(kmalloc(100, GFP_KERNEL));
	cr_expect_eq(kmalloc_nolock(0, 0, -1), ZERO_SIZE_PTR);
	cr_expect_null(kmalloc_nolock(8193, 0, -1));
	cr_expect_null(kmalloc_nolock(100, GFP_KERNEL, -1), "only ZERO and ACCOUNT");
	p = kmalloc_nolock(100, 0, -1);
	cr_assert_not_null(p);
	memset(p, 0x77, 100);
	kfree_nolock(p);
	p = kmalloc_nolock(100, __GFP_ZERO | __GFP_ACCOUNT, -1);
	cr_expect(all_bytes(p, 100, 0));
	kfree(p);
	kfree_nolock(kmalloc(100, GFP_KERNEL));
	kfree_nolock(NULL);
	kfree_nolock(ZERO_SIZE_PTR);
}

Test(nolock, a_locked_cache_is_passed_by_and_freed_to_later)
{
	struct kmem_cache *s = kmalloc_cache(64, 0), *next = kmalloc_cache(96, 0);
	struct kmem_cache_stat before, after;
	void *p[500], *q;
	int i;

	pin_to(0);
	for (i = 0; i < 500; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	kfree(kmalloc(96, GFP_KERNEL));
	kmem_cache_shrink(s);
	kmem_cache_stat(s, &before);
	node_lock(node_of(s, 0));
	q = kmalloc_nolock(64, 0, -1);
	cr_assert_not_null(q);
	cr_expect_eq(slab_of(q)->cache_id, next->id, "from the next class");
	for (i = 0; i < 500; i++)
		kfree_nolock(p[i]);
	cr_expect_neq(s->deferred, 0, "the slots are full");
	node_unlock(node_of(s, 0));
	kmem_cache_shrink(s);
	kmem_cache_stat(s, &after);
	cr_expect_eq(s->deferred, 0);
	cr_expect_eq(before.active - after.active, 500);
	ASSERT_BALANCED(s, after.active);
	kfree(q);
}

#define HELD 64

static __thread void *held[HELD];
static atomic_uint operations, got;
static atomic_bool stop;

static void check(const void *p)
{
	if (*(void *const *)p != p)
		abort();
}

/* Frees what an earlier signal of this thread allocated, or allocates. */
static void handler(int sig)
{
	static const size_t size[] = { 8, 64, 100, 200, 1000 };
	unsigned int n = atomic_fetch_add(&operations, 20);

	(void)sig;
	for (unsigned int i = n; i < n + 20; i++) {
		void **at = &held[i % HELD];

		if (*at) {
			check(*at);
			kfree_nolock(*at);
			*at = NULL;
			continue;
		}
		*at = kmalloc_nolock(size[i % 5], 0, -1);
		if (*at) {
			*(void **)*at = *at;
			atomic_fetch_add(&got, 1);
		}
	}
}

/* In and out of the slow paths all the time. */
static void *work(void *arg)
{
	static const size_t size[] = { 8, 64, 100, 200, 1000 };
	uint64_t seed = (uintptr_t)arg;
	void *p[256] = { NULL };

	while (!atomic_load(&stop)) {
		for (int i = 0; i < 256; i++) {
			p[i] = kmalloc(size[random_next(&seed) % 5], GFP_KERNEL);
			*(void **)p[i] = p[i];
		}
		for (int i = 0; i < 256; i++) {
			check(p[i]);
			kfree(p[i]);
		}
		if (random_next(&seed) % 64 == 0)
			kmem_cache_shrink(kmalloc_cache(size[random_next(&seed) % 5], 0));
	}
	for (int i = 0; i < HELD; i++)
		kfree(held[i]);
	return NULL;
}

Test(nolock, signal_storm, .timeout = 120)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	pthread_t thread[2];
	unsigned int turn = 0;

	sigaction(SIGUSR1, &action, NULL);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, work, (void *)(i + 1));
	/* Two threads on two CPUs, and this one, which sends as fast as it can. */
	while (operations < 1000000)
		pthread_kill(thread[turn++ % 2], SIGUSR1);
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	cr_expect_gt(got, 100000, "%u", got);
	for (struct kmem_cache *s = NULL; (s = cache_next(s));) {
		kmem_cache_shrink(s);
		ASSERT_BALANCED(s, 0);
	}
}
