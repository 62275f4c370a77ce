// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/slab.h. */
#include <linux/slab.h>

struct request {
	int id;
	char payload[20];
	char copied[8];
	struct {
		void *next;
		void (*func)(void *head);
	} rcu;
};

struct list {
	size_t count;
	int entry[];
};

static unsigned int constructed;

static void request_ctor(void *object)
{
	((struct request *)object)->id = 7;
	constructed++;
}

static struct list *list_create(size_t count)
{
	struct list *list __free(kfree) = kzalloc(struct_size(list, entry, count), GFP_KERNEL);

	if (!list)
		return NULL;
	list->count = count;
	return_ptr(list);
}

static int caches(void)
{
	struct kmem_cache_args args = { .align = 64, .ctor = request_ctor };
	struct kmem_cache *cache[] = {
		KMEM_CACHE(request, SLAB_HWCACHE_ALIGN | SLAB_PANIC),
		KMEM_CACHE_USERCOPY(request, 0, copied),
		kmem_cache_create("legacy", sizeof(struct request), 0, SLAB_RECLAIM_ACCOUNT, NULL),
		kmem_cache_create("with_args", sizeof(struct request), &args, 0),
		kmem_cache_create("default", sizeof(struct request), NULL, 0),
		kmem_cache_create_usercopy("usercopy", sizeof(struct request), 0, 0, 4, 8, NULL),
	};
	struct request *request;
	void *bulk[16];
	size_t i;

	for (i = 0; i < sizeof(cache) / sizeof(cache[0]); i++) {
		request = kmem_cache_alloc(cache[i], GFP_KERNEL);
		if (!request || (cache[i] == cache[3] && request->id != 7))
			return 1;
		kmem_cache_free(cache[i], request);
		request = kmem_cache_alloc_node(cache[i], GFP_ATOMIC, 0);
		kmem_cache_free(cache[i], request);
		if (kmem_cache_alloc_bulk(cache[i], GFP_NOWAIT, 16, bulk) != 16)
			return 2;
		kmem_cache_free_bulk(cache[i], 16, bulk);
		kmem_cache_shrink(cache[i]);
		kmem_cache_destroy(cache[i]);
	}
	kmem_cache_destroy(NULL);
	return !constructed;
}

static int sizes(void)
{
	struct list *list = list_create(10), *flex = kmalloc_flex(*flex, entry, 10);
	struct request *object = kzalloc_obj(*object), *objects = kmalloc_objs(*objects, 5, GFP_NOWAIT);
	char *text = kstrdup("text", GFP_KERNEL);
	int *numbers = kmalloc_array(10, sizeof(*numbers), GFP_KERNEL | __GFP_NOWARN);
	int rc = !list || !flex || !object || !objects || !text || !numbers || list->count != 10;

	numbers = krealloc_array(numbers, 20, sizeof(*numbers), GFP_KERNEL);
	numbers[19] = 1;
	if (ksize(text) < 5 || kmalloc_size_roundup(33) != 64 || list_create(SIZE_MAX / 2))
		rc = 1;
	if (!ZERO_OR_NULL_PTR(kmalloc(0, GFP_KERNEL)) || !slab_is_available())
		rc = 1;
	kfree_sensitive(text);
	kfree(numbers);
	kfree_rcu(objects, rcu);
	kvfree_rcu_mightsleep(object);
	kvfree_rcu_barrier();
	kfree(flex);
	kfree(list);
	kvfree(kvcalloc(3, 1000, GFP_KERNEL));
	return rc;
}

int main(void)
{
	return caches() || sizes();
}
