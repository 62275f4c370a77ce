/* SPDX-License-Identifier: BSD-2-Clause */
/* control.c - what a request from outside may do; see control.h. */
#include "entry/control.h"

#include <errno.h>

#include <kmem/slab.h>

#include "base/observe.h"
#include "slab/cache.h"
#include "text/slab.h"

/* Partial slabs that a node may keep: more than the arena of a small machine holds makes no sense. */
#define MIN_PARTIAL_MAX (1 << 20)

static int write_min_partial(struct kmem_cache *s, int64_t value)
{
	if (value < 0 || value > MIN_PARTIAL_MAX)
		return -EINVAL;
	WRITE_ONCE(s->min_partial, (uint32_t)value);
	return 0;
}

static int write_shrink(struct kmem_cache *s, int64_t value)
{
	if (value != 1)
		return -EINVAL;
	cache_shrink_locked(s);
	return 0;
}

static int write_failslab(struct kmem_cache *s, int64_t value)
{
	if (value != 0 && value != 1)
		return -EINVAL;
	/* Caches that share the slabs would fail, too. */
	if (s->refcount > 1)
		return -EBUSY;
	if (value)
		__atomic_fetch_or(&s->flags, SLAB_FAILSLAB, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&s->flags, ~SLAB_FAILSLAB, __ATOMIC_RELAXED);
	return 0;
}

static const struct {
	const char *name;
	int (*write)(struct kmem_cache *s, int64_t value);
} writable[] = {
	{ "failslab", write_failslab },
	{ "min_partial", write_min_partial },
	{ "shrink", write_shrink },
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

	for (i = 0; i < ARRAY_LEN(writable); i++)
		if (!strcmp(writable[i].name, attribute))
			return cache_change(cache_id, writable[i].write, value);
	return refuse(attribute);
}

void control_init(void)
{
	observe_set_control(control_write);
}
