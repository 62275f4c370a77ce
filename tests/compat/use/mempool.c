// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/mempool.h: a pool in a structure, as storage drivers have it, and made ones. */
#include <linux/mempool.h>

struct request {
	long sector;
	char data[100];
};

struct device {
	struct kmem_cache *cache;
	mempool_t requests;
};

static void *order_alloc(gfp_t gfp, void *data)
{
	return kmalloc(*(int *)data, gfp);
}

static void order_free(void *element, void *data)
{
	(void)data;
	kfree(element);
}

int main(void)
{
	struct device device = { KMEM_CACHE(request, SLAB_HWCACHE_ALIGN), { 0 } };
	int size = 200, rc;
	mempool_t *pool = mempool_create(2, order_alloc, order_free, &size), *pages = mempool_create_page_pool(1, 0);
	struct request *request;
	void *p;

	mempool_exit(&device.requests);
	rc = mempool_init_slab_pool(&device.requests, 4, device.cache);
	if (rc || !pool || !pages || !mempool_initialized(&device.requests))
		return 1;
	request = mempool_alloc(&device.requests, GFP_NOIO);
	request->sector = 1;
	mempool_free(request, &device.requests);
	if (mempool_resize(&device.requests, 8) || !mempool_is_saturated(&device.requests))
		return 2;
	p = mempool_alloc(pool, GFP_NOFS);
	mempool_free(p, pool);
	mempool_destroy(pool);
	mempool_destroy(pages);
	mempool_exit(&device.requests);
	kmem_cache_destroy(device.cache);
	return 0;
}
