/* SPDX-License-Identifier: BSD-2-Clause */
/* kmalloc_types.c - making the caches behind kmalloc(); see kmalloc_types.h. */
#include "slab/kmalloc_types.h"

#include "base/os.h"
#include "base/report.h"

const uint16_t kmalloc_class_size[NR_KMALLOC_CLASSES] = {
	8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192,
};

static struct {
	struct kmem_cache *cache[NR_KMALLOC_TYPES][NR_KMALLOC_CLASSES];
	uint64_t secret;
} types KMEM_STATE;

unsigned int kmalloc_class_align(unsigned int class)
{
	unsigned int size = kmalloc_class_size[class];

	return MIN(size & (0u - size), (unsigned int)PAGE_SIZE);
}

void kmalloc_class_name(char *name, size_t bytes, const char *prefix, unsigned int class)
{
	unsigned int size = kmalloc_class_size[class];

	report_format(name, bytes, size >= 1024 ? "%s%uk" : "%s%u", prefix, size >= 1024 ? size / 1024 : size);
}

static void type_prefix(char *prefix, size_t bytes, enum kmalloc_type type)
{
	static const char *const fixed[] = { "kmalloc-", "kmalloc-rcl-", "kmalloc-cg-", "dma-kmalloc-" };

	if (type < KMALLOC_RANDOM)
		report_format(prefix, bytes, "%s", fixed[type]);
	else
		report_format(prefix, bytes, "kmalloc-rnd-%02u-", type - KMALLOC_RANDOM + 1u);
}

static struct kmem_cache *create(unsigned int class, enum kmalloc_type type)
{
	static const slab_flags_t flags[] = { 0, SLAB_RECLAIM_ACCOUNT, SLAB_ACCOUNT, SLAB_CACHE_DMA };
	struct kmem_cache_args args = { .align = kmalloc_class_align(class), .usersize = kmalloc_class_size[class] };
	char prefix[24], name[32];

	type_prefix(prefix, sizeof(prefix), type);
	kmalloc_class_name(name, sizeof(name), prefix, class);
	return __kmem_cache_create_args(name, kmalloc_class_size[class], &args, SLAB_KMALLOC | SLAB_NO_MERGE |
					(type < KMALLOC_RANDOM ? flags[type] : 0));
}

struct kmem_cache *kmalloc_type_cache(unsigned int class, enum kmalloc_type type, gfp_t gfp)
{
	struct kmem_cache **at = &types.cache[type][class], *s = __atomic_load_n(at, __ATOMIC_ACQUIRE), *none = NULL;

	if (likely(s) || !(gfp & __GFP_DIRECT_RECLAIM))
		return s;
	s = create(class, type);
	if (!s || __atomic_compare_exchange_n(at, &none, s, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return s;
	/* Another thread was faster. */
	kmem_cache_destroy(s);
	return none;
}

struct kmem_cache *kmalloc_random_cache(unsigned int class, const void *call_site, gfp_t gfp)
{
	uint64_t secret = READ_ONCE(types.secret);
	unsigned int copy;

	if (unlikely(!secret)) {
		__atomic_compare_exchange_n(&types.secret, &secret, os_random() | 1, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
		secret = READ_ONCE(types.secret);
	}
	copy = (unsigned int)((((uintptr_t)call_site ^ secret) * UINT64_C(0x9e3779b97f4a7c15)) >> 60);
	return kmalloc_type_cache(class, copy ? (enum kmalloc_type)(KMALLOC_RANDOM + copy - 1) : KMALLOC_NORMAL, gfp);
}
