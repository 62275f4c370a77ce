/* SPDX-License-Identifier: BSD-2-Clause */
/* control.c - what a request from outside may do; see control.h. */
#include "entry/control.h"

#include <errno.h>

#include <kmem/debug.h>

#include "base/observe.h"
#include "slab/cache.h"
#include "slab/sampling.h"
#include "slab/tune.h"
#include "text/slab.h"

#define WRITE(name, attribute)                                     \
	static int write_##name(struct kmem_cache *s, int64_t value)  \
	{                                                             \
		return tune_locked(s, attribute, value);              \
	}

WRITE(barn_empty, KMEM_TUNE_BARN_EMPTY)
WRITE(barn_full, KMEM_TUNE_BARN_FULL)
WRITE(defrag_ratio, KMEM_TUNE_DEFRAG_RATIO)
WRITE(failslab, KMEM_TUNE_FAILSLAB)
WRITE(min_partial, KMEM_TUNE_MIN_PARTIAL)
WRITE(order, KMEM_TUNE_ORDER)
WRITE(sheaf_capacity, KMEM_TUNE_SHEAF_CAPACITY)
WRITE(shrink, KMEM_TUNE_SHRINK)

/* What is wrong is reported on the process's stderr, as the kernel's goes to its log. */
static int write_validate(struct kmem_cache *s, int64_t value)
{
	long errors = value == 1 ? kmem_cache_validate(s) : -EINVAL;

	return errors < 0 ? (int)errors : 0;
}

static const struct {
	const char *name;
	int (*write)(struct kmem_cache *s, int64_t value);
} writable[] = {
	{ "barn_empty", write_barn_empty },
	{ "barn_full", write_barn_full },
	{ "failslab", write_failslab },
	{ "min_partial", write_min_partial },
	{ "order", write_order },
	{ "remote_node_defrag_ratio", write_defrag_ratio },
	{ "sheaf_capacity", write_sheaf_capacity },
	{ "shrink", write_shrink },
	{ "validate", write_validate },
};

static int refuse(const char *attribute)
{
	enum text_mode mode;
	const char *name;
	unsigned int nth;

	for (nth = 0; (name = text_attribute_name(nth, &mode)); nth++)
		if (!strcmp(name, attribute))
			return -EACCES;
	return -ENOENT;
}

int control_write(uint32_t cache_id, const char *attribute, int64_t value)
{
	size_t i;

	/* Of the process, whatever the cache. */
	if (!strcmp(attribute, "sample"))
		return value < 0 ? -EINVAL : sampling_set((uint64_t)value);
	for (i = 0; i < ARRAY_LEN(writable); i++)
		if (!strcmp(writable[i].name, attribute))
			return cache_change(cache_id, writable[i].write, value);
	return refuse(attribute);
}

void control_init(void)
{
	observe_set_control(control_write);
}
