/* SPDX-License-Identifier: BSD-2-Clause */
/* meta.c - named ranges of allocator memory; see meta.h. */
#include "base/meta.h"

#include <errno.h>

#include "base/observe.h"
#include "base/os.h"

#define COMMIT_STEP ((size_t)64 << 10)

void meta_place(struct meta_range *range, const char *name, void *base, size_t limit)
{
	range->base = base;
	range->limit = limit;
	os_name(base, limit, name);
	observe_black(name, range->base, range->base + limit);
}

int meta_reserve(struct meta_range *range, const char *name, size_t limit)
{
	void *base;

	limit = ALIGN_UP(limit, COMMIT_STEP);
	base = os_reserve(limit, COMMIT_STEP);
	if (!base)
		return -ENOMEM;
	meta_place(range, name, base, limit);
	return 0;
}

int meta_ensure_at(struct meta_range *range, size_t from, size_t bytes)
{
	size_t end = ALIGN_UP(from + bytes, COMMIT_STEP);

	from = ALIGN_DOWN(from, COMMIT_STEP);
	if (end > range->limit)
		return -ENOMEM;
	return os_commit(range->base + from, end - from);
}

int meta_ensure(struct meta_range *range, size_t bytes)
{
	int rc;

	if (bytes <= range->committed)
		return 0;
	rc = meta_ensure_at(range, range->committed, bytes - range->committed);
	if (!rc)
		range->committed = ALIGN_UP(bytes, COMMIT_STEP);
	return rc;
}

void *meta_carve(struct meta_range *range, size_t bytes, size_t align)
{
	void *memory = NULL;
	size_t at;

	lock_acquire(&range->lock, LOCK_META);
	at = ALIGN_UP(range->used, align);
	if (!meta_ensure(range, at + bytes)) {
		memory = range->base + at;
		WRITE_ONCE(range->used, at + bytes);
	}
	lock_release(&range->lock, LOCK_META);
	return memory;
}
