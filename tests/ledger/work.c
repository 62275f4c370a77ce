/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work.c - goes each path of the allocator when told to, and says how many objects
 * it allocated and freed on it. paths.c tells, and compares with what was traced.
 *
 * usage: work PLUGIN. Reads a line, goes the next path, prints its line: name, then for
 * each class of objects allocations, frees, and how far that is known. A path ends with a request that is too
 * large, of PATH_MARK bytes and its number, whose event tells the paths apart. Ends
 * with "end".
 */
#include "paths.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/fastpath.h>
#include <kmem/mempool.h>
#include <kmem/page.h>
#include <kmem/rcu.h>
#include <kmem/shrinker.h>
#include <kmem/slab.h>
#include <kmem/vmalloc.h>

#define MANY 5000

static struct path_counts counts;
static struct kmem_cache *cache;
static const char *plugin;
static void *object[MANY];

static void made(enum path_class class, long n)
{
	counts.allocs[class] += n;
}

static void gone(enum path_class class, long n)
{
	counts.frees[class] += n;
}

static void both(enum path_class class, long n)
{
	made(class, n);
	gone(class, n);
}

/* Not through the compiler, which knows what malloc() and free() are. */
static void *seen(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	if (!p)
		abort();
	return p;
}

static void take(int n)
{
	for (int i = 0; i < n; i++)
		object[i] = seen(kmem_cache_alloc(cache, GFP_KERNEL));
	made(PATH_CACHE, n);
}

static void give(int from, int to)
{
	for (int i = from; i < to; i++)
		kmem_cache_free(cache, object[i]);
	gone(PATH_CACHE, to - from);
}

static void fast(void)
{
	for (int i = 0; i < 1000; i++) {
		kmem_cache_free(cache, seen(kmem_cache_alloc(cache, GFP_KERNEL)));
		kmem_cache_free_inline(cache, seen(kmem_cache_alloc_inline(cache, GFP_KERNEL)));
		kmem_cache_free(cache, seen(kmem_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO)));
		kmem_cache_free(cache, seen(kmem_cache_alloc_node(cache, GFP_KERNEL, 0)));
		kfree(seen(kmem_cache_alloc(cache, GFP_KERNEL)));
	}
	both(PATH_CACHE, 5000);
}

static void refill_and_flush(void)
{
	take(MANY);
	give(0, MANY - 3); /* three stay */
}

static void bulk(void)
{
	for (int i = 0; i < 50; i++) {
		if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, 100, object) != 100)
			abort();
		kmem_cache_free_bulk(cache, i % 2 ? 100 : 60, object);
		if (i % 2 == 0)
			kfree_bulk(40, object + 60);
	}
	both(PATH_CACHE, 5000);
}

static void prefill(void)
{
	for (unsigned int size = 20; size <= 400; size *= 20) {
		struct slab_sheaf *sheaf = seen(kmem_cache_prefill_sheaf(cache, GFP_KERNEL, size));

		for (unsigned int i = 0; i < size / 2; i++)
			object[i] = seen(kmem_cache_alloc_from_sheaf(cache, GFP_KERNEL, sheaf));
		if (kmem_cache_refill_sheaf(cache, GFP_KERNEL, &sheaf, size))
			abort();
		kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
		made(PATH_CACHE, size / 2);
		give(0, (int)size / 2);
		both(PATH_KMALLOC, 1); /* the sheaf */
	}
}

static void debug_cache(void)
{
	struct kmem_cache *s = seen(kmem_cache_create("checked", 72, 0, SLAB_POISON | SLAB_RED_ZONE | SLAB_STORE_USER, NULL));

	for (int i = 0; i < 200; i++)
		object[i] = seen(kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_free_bulk(s, 100, object);
	for (int i = 100; i < 200; i++)
		kmem_cache_free(s, object[i]);
	both(PATH_CACHE, 200);
	if (kmem_cache_destroy(s))
		abort();
}

static void kmalloc_classes(void)
{
	for (size_t size = 1; size <= 8192; size += 7) {
		kfree(seen(kmalloc(size, GFP_KERNEL)));
		kfree_sensitive(seen(kmalloc_node(size, GFP_KERNEL_ACCOUNT, 0)));
		kfree(seen(kzalloc(size, GFP_ATOMIC)));
		both(PATH_KMALLOC, 3);
	}
	kfree(seen(kstrdup("string", GFP_KERNEL)));
	kfree(seen(kmemdup("bytes", 5, GFP_KERNEL)));
	both(PATH_KMALLOC, 2);
	kfree(NULL);
	kfree(ZERO_SIZE_PTR);
}

/* An object between guard pages, which any may be, moves whenever it is resized. */
static void may_be_guarded(void)
{
	if (!strstr(getenv("KMEM_OPTIONS") ? getenv("KMEM_OPTIONS") : "", "guard"))
		return;
	counts.known[PATH_KMALLOC] = PATH_DIFFERENCE;
	counts.known[PATH_MALLOC] = PATH_DIFFERENCE;
}

static void krealloc_path(void)
{
	void *p = seen(kmalloc(100, GFP_KERNEL));

	p = seen(krealloc(p, 120, GFP_KERNEL)); /* in place */
	p = seen(krealloc(p, 3000, GFP_KERNEL)); /* moves */
	p = seen(krealloc(p, 30000, GFP_KERNEL));
	p = seen(krealloc(p, 100, GFP_KERNEL)); /* in place */
	if (krealloc(p, 0, GFP_KERNEL) != ZERO_SIZE_PTR)
		abort();
	both(PATH_KMALLOC, 2);
	both(PATH_LARGE, 1);
	may_be_guarded();
}

static void large(void)
{
	for (size_t size = 8193; size <= 4u << 20; size *= 2) {
		kfree(seen(kmalloc(size, GFP_KERNEL)));
		kvfree(seen(kvmalloc(size, GFP_KERNEL)));
		vfree(seen(vmalloc(size)));
		both(PATH_LARGE, 3);
	}
	kvfree(seen(kvzalloc(100, GFP_KERNEL)));
	both(PATH_KMALLOC, 1);
}

static void mapped(void)
{
	for (size_t size = 5u << 20; size <= 80u << 20; size *= 4) {
		kvfree(seen(kvmalloc(size, GFP_KERNEL)));
		vfree(seen(vzalloc(size)));
		both(PATH_LARGE, 2);
	}
}

/* How often an area moves is the allocator's affair: the difference counts. */
static void vrealloc_path(void)
{
	void *p = seen(vmalloc(10000));

	for (size_t size = 20000; size <= 40u << 20; size *= 3)
		p = seen(vrealloc(p, size, GFP_KERNEL));
	p = seen(vrealloc(p, 100, GFP_KERNEL));
	vfree(p);
	p = seen(kvmalloc(50, GFP_KERNEL));
	p = seen(kvrealloc(p, 9000, GFP_KERNEL));
	p = seen(kvrealloc(p, 9u << 20, GFP_KERNEL));
	kvfree(p);
	counts.known[PATH_LARGE] = PATH_DIFFERENCE;
	both(PATH_KMALLOC, 1);
}

static void malloc_path(void)
{
	void *p;

	for (size_t size = 1; size <= 8192; size += 13) {
		free(seen(malloc(size)));
		free(seen(calloc(1, size)));
		both(PATH_MALLOC, 2);
	}
	free(seen(memalign(64, 100)));
	free(seen(aligned_alloc(256, 512)));
	if (posix_memalign(&p, 1024, 100))
		abort();
	free(seen(p));
	free(seen(strdup("string")));
	both(PATH_MALLOC, 4);
	free(seen(malloc(100000)));
	free(seen(calloc(1000, 1000)));
	free(seen(malloc(10u << 20)));
	free(seen(memalign(65536, 100)));
	both(PATH_LARGE, 4);
	free(NULL);
	object[0] = seen(malloc(77)); /* stays */
	made(PATH_MALLOC, 1);
}

static void fill_slot(size_t size)
{
	enum { NR = 32 };
	void *held[NR];
	int i;

	for (i = 0; i < NR; i++)
		held[i] = seen(malloc(size));
	for (i = 0; i < NR; i++)
		free(held[i]);
	both(PATH_MALLOC, NR);
}

static void realloc_path(void)
{
	char *p;

	/* So that the slot has some: from an empty one an object between guard pages may come, which moves each time. */
	fill_slot(100);
	p = seen(realloc(NULL, 100));
	p = seen(realloc(p, 98));   /* in place */
	p = seen(realloc(p, 400));  /* moves */
	p = seen(realloc(p, 20));   /* moves: more than half would be idle */
	p = seen(reallocarray(p, 10, 100));
	both(PATH_MALLOC, 4);
	free(p);
	p = seen(malloc(100000));
	p = seen(realloc(p, 90000)); /* in place */
	free(p);
	both(PATH_LARGE, 1);
	p = seen(malloc(1u << 20));
	for (size_t size = 2u << 20; size <= 64u << 20; size *= 2)
		p = seen(realloc(p, size));
	free(p);
	counts.known[PATH_LARGE] = PATH_DIFFERENCE;
	may_be_guarded();
}

static void grace_period(void)
{
	usleep(1000);
}

struct item {
	long key;
	struct { void *word[2]; } rcu;
};

static void rcu_deferred(void)
{
	static const struct kmem_rcu_ops ops = { grace_period };
	struct kmem_cache *s = seen(KMEM_CACHE(item, 0));

	kmem_rcu_register(&ops);
	for (int i = 0; i < 1000; i++) {
		struct item *i1 = seen(kmem_cache_alloc(s, GFP_KERNEL)), *i2 = seen(kmalloc(sizeof(*i2), GFP_KERNEL));

		kfree_rcu(i1, rcu);
		kvfree_rcu(i2, rcu);
	}
	kvfree_rcu_mightsleep(seen(kmalloc(50, GFP_KERNEL)));
	kvfree_rcu_barrier();
	both(PATH_CACHE, 1000);
	both(PATH_KMALLOC, 1001);
	if (kmem_cache_destroy(s))
		abort();
	/* The thread that waits was started by pthread_create(). */
	counts.known[PATH_MALLOC] = PATH_OTHERS;
}

static atomic_long nolock_made, nolock_gone;

static void on_timer(int sig)
{
	static void *held[8];
	static unsigned int at;

	(void)sig;
	for (int i = 0; i < 20; i++, at++) {
		if (held[at % 8]) {
			kfree_nolock(held[at % 8]);
			held[at % 8] = NULL;
			nolock_gone++;
		} else {
			held[at % 8] = kmalloc_nolock(100, 0, -1);
			nolock_made += held[at % 8] != NULL;
		}
	}
}

static void nolock(void)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };

	for (int i = 0; i < 1000; i++) {
		void *p = kmalloc_nolock(200, 0, -1);

		both(PATH_KMALLOC, p != NULL);
		kfree_nolock(p);
	}
	signal(SIGALRM, on_timer);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 300; i++)
			object[i] = seen(kmalloc(100, GFP_KERNEL));
		for (int i = 0; i < 300; i++)
			kfree(object[i]);
		both(PATH_KMALLOC, 300);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	/* What found a lock taken was left for the next who has it. */
	kmem_drop_slab();
	made(PATH_KMALLOC, nolock_made);
	gone(PATH_KMALLOC, nolock_gone);
}

static bool below_fails;

static void *below(gfp_t gfp, void *data)
{
	return below_fails ? NULL : mempool_alloc_slab(gfp, data);
}

static void mempool_reserve(void)
{
	mempool_t *pool = seen(mempool_create(10, below, mempool_free_slab, cache));

	made(PATH_CACHE, 10);
	for (int i = 0; i < 20; i++) {
		object[i] = seen(mempool_alloc(pool, GFP_KERNEL));
		made(PATH_CACHE, 1);
	}
	below_fails = true;
	for (int i = 20; i < 30; i++)
		object[i] = seen(mempool_alloc(pool, GFP_KERNEL));
	below_fails = false;
	for (int i = 0; i < 30; i++)
		mempool_free(object[i], pool); /* ten of them into the reserve */
	mempool_destroy(pool);
	gone(PATH_CACHE, 30);
	counts.known[PATH_KMALLOC] = PATH_DIFFERENCE; /* the pool's own */
}

static void fork_path(void)
{
	pid_t pid;

	take(200);
	pid = fork();
	if (!pid) {
		take(MANY);
		give(0, MANY);
		kfree(kmalloc(100, GFP_KERNEL));
		_exit(0);
	}
	give(0, 200);
	waitpid(pid, NULL, 0);
	counts.known[PATH_MALLOC] = PATH_OTHERS;
}

static void *thread_takes(void *at)
{
	for (void **p = at; p < (void **)at + 1000; p++)
		*p = seen(kmem_cache_alloc(cache, GFP_KERNEL));
	for (void **p = at; p < (void **)at + 500; p++)
		kmem_cache_free(cache, *p);
	return NULL;
}

/* What the threads leave is freed by another one. */
static void thread_exit(void)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		if (pthread_create(&thread[i], NULL, thread_takes, &object[1000 * i]))
			abort();
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		for (int k = 500; k < 1000; k++)
			kfree(object[1000 * i + k]);
	}
	both(PATH_CACHE, 4000);
	counts.known[PATH_MALLOC] = PATH_OTHERS;
}

static void unloaded(void)
{
	void *library = seen(dlopen(plugin, RTLD_NOW)), *left;
	void *(*plugin_take)(struct kmem_cache *) = (void *(*)(struct kmem_cache *))dlsym(library, "plugin_take");

	left = seen(plugin_take(cache));
	dlclose(library);
	kmem_cache_free(cache, left);
	both(PATH_CACHE, 101);
	counts.known[PATH_MALLOC] = PATH_OTHERS;
}

/* Slabs come and go, slots are drained under it. */
static void drained(void)
{
	for (int i = 0; i < 5; i++) {
		take(1000);
		kmem_cache_shrink(cache);
		give(0, 1000);
		kmem_drop_slab();
	}
}

/* Nothing came of it: events, but no objects. */
static void failed(void)
{
	void *volatile p = kmalloc(64u << 20, GFP_KERNEL | __GFP_NOWARN);

	if (p)
		abort();
}

static const struct {
	const char *name;
	void (*go)(void);
} path[] = {
	{ "fast", fast }, { "refill_and_flush", refill_and_flush }, { "bulk", bulk }, { "prefill", prefill },
	{ "debug_cache", debug_cache }, { "kmalloc", kmalloc_classes }, { "krealloc", krealloc_path },
	{ "large", large }, { "mapped", mapped }, { "vrealloc", vrealloc_path }, { "malloc", malloc_path },
	{ "realloc", realloc_path }, { "rcu_deferred", rcu_deferred }, { "nolock", nolock },
	{ "mempool_reserve", mempool_reserve }, { "fork", fork_path }, { "thread_exit", thread_exit },
	{ "dlclose", unloaded }, { "drained", drained }, { "failed", failed },
};

int main(int argc, char **argv)
{
	static char in[64], out[256];
	char line[16];
	unsigned int i, class;
	void *volatile mark;

	setvbuf(stdin, in, _IOLBF, sizeof(in));
	setvbuf(stdout, out, _IOLBF, sizeof(out));
	if (argc < 2)
		return 2;
	plugin = argv[1];
	cache = kmem_cache_create("ledger", 56, 0, 0, NULL);
	printf("ready\n");
	for (i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		if (!fgets(line, sizeof(line), stdin))
			return 2;
		memset(&counts, 0, sizeof(counts));
		path[i].go();
		mark = kmalloc(PATH_MARK + i, GFP_KERNEL | __GFP_NOWARN);
		printf("%s", path[i].name);
		for (class = 0; class < PATH_CLASSES; class++)
			printf(" %ld %ld %d", counts.allocs[class], counts.frees[class], counts.known[class]);
		printf("\n");
	}
	(void)mark;
	if (fgets(line, sizeof(line), stdin))
		printf("end\n");
	for (;;)
		pause();
}
