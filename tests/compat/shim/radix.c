/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * radix.c - the control that the kernel's tree tests have over their allocator,
 * on top of libkmem; stands for tools/testing/shared/linux.c and tools/lib/slab.c.
 */
#define TESTS_COMPAT_RADIX_CONTROL
#include <assert.h>
#include <pthread.h>
#include <linux/slab.h>

int nr_allocated, preempt_count, test_verbose, kmalloc_verbose, kmalloc_nr_allocated;

struct control {
	struct kmem_cache *cache;
	unsigned int non_kernel; /* allocations to grant that must not block */
	bool failed;             /* the callback is due */
	void (*callback)(void *data);
	void *data;
	unsigned long live, total;
};

static struct control controls[16];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct control *control_of(struct kmem_cache *s)
{
	struct control *c;

	pthread_mutex_lock(&lock);
	for (c = controls; c < controls + 16 && c->cache && c->cache != s; c++)
		continue;
	assert(c < controls + 16);
	c->cache = s;
	pthread_mutex_unlock(&lock);
	return c;
}

void kmem_cache_set_callback(struct kmem_cache *s, void (*callback)(void *data))
{
	control_of(s)->callback = callback;
}

void kmem_cache_set_private(struct kmem_cache *s, void *data)
{
	control_of(s)->data = data;
}

void kmem_cache_set_non_kernel(struct kmem_cache *s, unsigned int granted)
{
	control_of(s)->non_kernel = granted;
}

unsigned long kmem_cache_get_alloc(struct kmem_cache *s)
{
	return kmem_cache_size(s) * control_of(s)->live;
}

unsigned long kmem_cache_nr_allocated(struct kmem_cache *s)
{
	return control_of(s)->live;
}

unsigned long kmem_cache_nr_tallocated(struct kmem_cache *s)
{
	return control_of(s)->total;
}

void kmem_cache_zero_nr_tallocated(struct kmem_cache *s)
{
	control_of(s)->total = 0;
}

/* Whether `size` objects may be allocated with these flags; counted if so. */
static bool granted(struct control *c, gfp_t gfp, size_t size)
{
	if (gfp & __GFP_DIRECT_RECLAIM)
		return true;
	if (c->non_kernel < size) {
		c->non_kernel = 0;
		return false;
	}
	c->non_kernel -= (unsigned int)size;
	return true;
}

static void count(struct control *c, long objects)
{
	__atomic_fetch_add(&nr_allocated, (int)objects, __ATOMIC_RELAXED);
	__atomic_fetch_add(&c->live, (unsigned long)objects, __ATOMIC_RELAXED);
	if (objects > 0)
		__atomic_fetch_add(&c->total, (unsigned long)objects, __ATOMIC_RELAXED);
}

void *control_alloc(struct kmem_cache *s, struct list_lru *lru, gfp_t gfp)
{
	struct control *c = control_of(s);
	void *object;

	if (c->failed && c->callback)
		c->callback(c->data);
	c->failed = !granted(c, gfp, 1);
	if (c->failed)
		return NULL;
	/* Granted means that memory is there, as in the kernel's own shim. */
	object = kmem_cache_alloc_lru(s, lru, gfp | __GFP_DIRECT_RECLAIM);
	if (object)
		count(c, 1);
	return object;
}

int control_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t size, void **p)
{
	struct control *c = control_of(s);

	if (!granted(c, gfp, size) || !kmem_cache_alloc_bulk(s, gfp | __GFP_DIRECT_RECLAIM, size, p))
		return 0;
	count(c, (long)size);
	return (int)size;
}

void control_free(struct kmem_cache *s, void *object)
{
	count(control_of(s), -1);
	kmem_cache_free(s, object);
}

void control_free_bulk(struct kmem_cache *s, size_t size, void **p)
{
	count(control_of(s), -(long)size);
	kmem_cache_free_bulk(s, size, p);
}

void *control_kmalloc(size_t size, gfp_t gfp)
{
	void *p = gfp & __GFP_DIRECT_RECLAIM ? kmalloc(size, gfp) : NULL;

	if (p)
		__atomic_fetch_add(&kmalloc_nr_allocated, 1, __ATOMIC_RELAXED);
	return p;
}

void control_kfree(const void *p)
{
	if (p)
		__atomic_fetch_sub(&kmalloc_nr_allocated, 1, __ATOMIC_RELAXED);
	kfree(p);
}

/* The kernel's shim tests itself here: that objects are parked and reused. libkmem has tests of its own. */
void test_kmem_cache_bulk(void)
{
	struct kmem_cache *s = kmem_cache_create("test_cache", 256, 0, SLAB_PANIC, NULL);
	void *p[12];

	assert(control_alloc_bulk(s, __GFP_DIRECT_RECLAIM, 12, p) == 12);
	assert(kmem_cache_nr_allocated(s) == 12);
	control_free_bulk(s, 12, p);
	assert(kmem_cache_nr_allocated(s) == 0);
}
