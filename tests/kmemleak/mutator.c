/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutator.c - threads that move, allocate and free objects as fast as they can,
 * beside ten objects of cache "lost" that really are.
 *
 * mutator [THREADS [OBJECTS]]: OBJECTS objects form a binary tree in shuffled
 * order that stays. A thread takes pointers out of a shared table with an
 * exchange, so that at any instant some objects are known to a register only.
 * SIGUSR1 loses one object of cache "late" more.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kmem/page.h>
#include <kmem/slab.h>

#define NOINLINE __attribute__((noinline))
#define SLOTS    3072
#define NR_LOST  10
#define BULK     32

struct node {
	struct node *left, *right;
	uint64_t value[6];
};

static struct kmem_cache *node_cache, *lost_cache, *late_cache, *bulk_cache;
static void *table[SLOTS]; /* by slot % 3: node, kmalloc, kmalloc with large ones */
static struct node *volatile tree;
static volatile sig_atomic_t lose_one_more;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void *new_object(unsigned int kind, uint64_t r)
{
	if (kind == 0)
		return must(kmem_cache_zalloc(node_cache, GFP_KERNEL));
	if (kind == 2 && r % 512 == 0)
		return must(kvmalloc(5 << 20, GFP_KERNEL));
	if (kind == 2 && r % 4 == 0)
		return must(kmalloc(8200 + r % 50000, GFP_KERNEL));
	return must(kzalloc(8 + r % 2000, GFP_KERNEL));
}

static void drop_object(unsigned int kind, void *p)
{
	if (kind == 0 && p)
		kmem_cache_free(node_cache, p);
	else
		kvfree(p);
}

static void *change_object(unsigned int kind, void *p, uint64_t r)
{
	void *q = kind == 2 ? krealloc(p, 8200 + r % 70000, GFP_KERNEL) : NULL;

	return q ? q : p;
}

/* Swap two subtrees below different nodes of the tree's upper part. */
static void swap_subtrees(uint64_t r, struct node *mine)
{
	struct node *p = mine, *q = mine, *t;

	if (!p || !p->left || !p->right)
		return;
	p = p->left;
	q = q->right;
	for (; r & 0xf0; r >>= 1)
		if (p->left && q->right) {
			p = r & 1 ? p->left : p;
			q = r & 2 ? q->right : q;
		}
	t = p->left;
	p->left = q->right;
	q->right = t;
}

/* Pages of the program that hold the only pointer to an object for a moment. */
static void pages(unsigned int order)
{
	void *volatile *page = (void *)__get_free_pages(GFP_KERNEL, order);

	if (!page)
		return;
	page[77] = must(kmem_cache_alloc(bulk_cache, GFP_KERNEL));
	kmem_cache_free(bulk_cache, page[77]);
	free_pages((unsigned long)page, order);
}

static void bulk(void)
{
	void *batch[BULK];

	if (kmem_cache_alloc_bulk(bulk_cache, GFP_KERNEL, BULK, batch) == BULK)
		kmem_cache_free_bulk(bulk_cache, BULK, batch);
}

static void *mutate(void *arg)
{
	uint64_t state = (uintptr_t)arg * 0x9e3779b97f4a7c15u + 1;
	struct node *mine = (uintptr_t)arg == 1 ? tree : NULL;

	for (;;) {
		uint64_t r = next_random(&state);
		unsigned int from = (unsigned int)(r % SLOTS), kind = from % 3;
		unsigned int to = (unsigned int)((r >> 16) % (SLOTS / 3)) * 3 + kind;
		void *p = __atomic_exchange_n(&table[from], NULL, __ATOMIC_ACQ_REL), *old;

		if (!p || r & 0x10000000) {
			drop_object(kind, p);
			p = new_object(kind, r >> 20);
		} else if (r & 0x20000000) {
			p = change_object(kind, p, r >> 20);
		}
		old = __atomic_exchange_n(&table[to], p, __ATOMIC_ACQ_REL);
		drop_object(kind, old);
		swap_subtrees(r >> 30, mine);
		if (r >> 56 == 0)
			bulk();
		if (r >> 58 == 1)
			pages((r >> 40) % 3);
		if (r >> 48 == 0)
			kmem_cache_shrink(node_cache);
	}
	return NULL;
}

/* Threads come and go. */
static void *short_lived(void *arg)
{
	return arg;
}

static NOINLINE void build_tree(size_t nr)
{
	struct node **all = must(calloc(nr + 1, sizeof(*all)));
	uint64_t state = 88172645463325252u;

	for (size_t i = 0; i < nr; i++)
		all[i] = must(kmem_cache_zalloc(node_cache, GFP_KERNEL));
	for (size_t i = nr; i > 1; i--) {
		size_t k = next_random(&state) % i;
		struct node *swap = all[i - 1];

		all[i - 1] = all[k];
		all[k] = swap;
	}
	for (size_t i = 0; i < nr; i++) {
		all[i]->left = 2 * i + 1 < nr ? all[2 * i + 1] : NULL;
		all[i]->right = 2 * i + 2 < nr ? all[2 * i + 2] : NULL;
	}
	tree = all[0];
	memset(all, 0, nr * sizeof(*all));
	free(all);
}

static NOINLINE void lose(struct kmem_cache *cache, int nr)
{
	for (int i = 0; i < nr; i++) {
		void *p = must(kmem_cache_zalloc(cache, GFP_KERNEL));

		__asm__ volatile("" : : "r"(p) : "memory");
	}
}

/* Without the checks of a sanitizer, which would leave gaps between its variables. */
static NOINLINE __attribute__((no_sanitize("address", "undefined"))) void scrub(void)
{
	volatile char dead[32 << 10];

	for (size_t i = 0; i < sizeof(dead); i++)
		dead[i] = 0;
	/* A system call keeps the registers of arguments that it does not have. */
	__asm__ volatile("xor %%esi, %%esi\n\txor %%edx, %%edx\n\txor %%r8d, %%r8d\n\t"
			 "xor %%r9d, %%r9d\n\txor %%r10d, %%r10d" : : : "rsi", "rdx", "r8", "r9", "r10");
}

static void on_usr1(int signal)
{
	(void)signal;
	lose_one_more = 1;
}

static void run(int threads)
{
	pthread_t thread;

	for (;;) {
		if (threads && !pthread_create(&thread, NULL, short_lived, NULL))
			pthread_join(thread, NULL);
		usleep(2000);
		if (!lose_one_more)
			continue;
		lose_one_more = 0;
		lose(late_cache, 1);
		scrub();
	}
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 4;
	size_t objects = argc > 2 ? (size_t)atol(argv[2]) : 10000;
	pthread_t thread;

	signal(SIGUSR1, on_usr1);
	node_cache = must(kmem_cache_create("node", sizeof(struct node), 0, 0, NULL));
	lost_cache = must(kmem_cache_create("lost", 64, 0, 0, NULL));
	late_cache = must(kmem_cache_create("late", 64, 0, 0, NULL));
	bulk_cache = must(kmem_cache_create("bulk", 96, 0, 0, NULL));
	build_tree(objects);
	lose(lost_cache, NR_LOST);
	scrub();
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread, NULL, mutate, (void *)(uintptr_t)(i + 1)))
			abort();
	printf("READY pid=%d lost=%d\n", (int)getpid(), NR_LOST);
	fflush(stdout);
	run(threads);
}
