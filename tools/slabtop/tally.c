/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.c - sort counters by cache and add up what is alike.
 */
#include "slabtop/tally.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct tally_entry *x = a, *y = b;

	return x->cache < y->cache ? -1 : x->cache > y->cache;
}

static bool is_alloc(const struct collect_count *c)
{
	return c->key.type == KMEM_EV_CACHE_ALLOC || c->key.type == KMEM_EV_KMALLOC;
}

static bool is_free(const struct collect_count *c)
{
	return c->key.type == KMEM_EV_CACHE_FREE || c->key.type == KMEM_EV_KFREE;
}

/* Large kmallocs and pages belong to no cache; that is no loss. */
static void add(struct tally *t, const struct collect_count *c)
{
	if (c->key.tgid || (!is_alloc(c) && !is_free(c)) || c->key.cache == KMEM_KEY_LARGE ||
	    c->key.cache == KMEM_KEY_PAGES)
		return;
	if (c->key.cache == KMEM_KEY_UNKNOWN) {
		t->unknown += c->count.events;
		return;
	}
	t->entry[t->nr++] = (struct tally_entry){
		.cache = c->key.cache,
		.allocs = is_alloc(c) ? c->count.events : 0,
		.frees = is_free(c) ? c->count.events : 0,
	};
}

int tally_make(struct tally *t, const struct collect_count *counts, size_t nr)
{
	size_t kept = 0;

	if (nr > t->room) {
		void *more = realloc(t->entry, nr * sizeof(*t->entry));

		if (!more)
			return -ENOMEM;
		t->entry = more;
		t->room = nr;
	}
	t->nr = 0;
	t->unknown = 0;
	for (size_t i = 0; i < nr; i++)
		add(t, &counts[i]);
	if (!t->nr)
		return 0;
	qsort(t->entry, t->nr, sizeof(*t->entry), compare);
	for (size_t i = 1; i < t->nr; i++) {
		if (t->entry[i].cache == t->entry[kept].cache) {
			t->entry[kept].allocs += t->entry[i].allocs;
			t->entry[kept].frees += t->entry[i].frees;
		} else {
			t->entry[++kept] = t->entry[i];
		}
	}
	t->nr = kept + 1;
	return 0;
}

const struct tally_entry *tally_find(const struct tally *t, uint64_t cache)
{
	struct tally_entry key = { .cache = cache };

	return t->nr ? bsearch(&key, t->entry, t->nr, sizeof(key), compare) : NULL;
}

void tally_free(struct tally *t)
{
	free(t->entry);
	*t = (struct tally){ 0 };
}
