/* SPDX-License-Identifier: BSD-2-Clause */
/* pageinfo.c - the page allocator's text files about this process: alloc/text over its own memory. */
#include <kmem/info.h>

#include "entry/source.h"
#include "text/pages.h"

/* Reading this process does not fail. */
static size_t whole(int (*file)(struct text *, const struct text_source *), char *buf, size_t bytes)
{
	const struct text_source self = source_self();
	struct text t = text_init(buf, bytes);

	file(&t, &self);
	return t.len;
}

KMEM_API size_t kmem_buddyinfo(char *buf, size_t bytes)
{
	return whole(text_buddyinfo, buf, bytes);
}

KMEM_API size_t kmem_pcpinfo(char *buf, size_t bytes)
{
	return whole(text_pcpinfo, buf, bytes);
}

KMEM_API size_t kmem_pagetypeinfo(char *buf, size_t bytes)
{
	return whole(text_pagetypeinfo, buf, bytes);
}

KMEM_API size_t kmem_unusable_index(char *buf, size_t bytes)
{
	return whole(text_unusable_index, buf, bytes);
}

KMEM_API size_t kmem_extfrag_index(char *buf, size_t bytes)
{
	return whole(text_extfrag_index, buf, bytes);
}

KMEM_API size_t kmem_vmstat(char *buf, size_t bytes)
{
	return whole(text_vmstat, buf, bytes);
}

KMEM_API size_t kmem_zoneinfo(char *buf, size_t bytes)
{
	return whole(text_zoneinfo, buf, bytes);
}
