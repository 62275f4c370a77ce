/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel_list.c - see kernel_list.h. */
#include "kmemleak/kernel_list.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const struct kmem_cache_info *find_cache(uint64_t key, const struct kmem_cache_info *caches, size_t nr_caches)
{
	for (size_t i = 0; i < nr_caches; i++)
		if (caches[i].cache == key)
			return &caches[i];
	return NULL;
}

const char *kernel_cache_name(uint64_t key, const struct kmem_cache_info *caches, size_t nr_caches)
{
	const struct kmem_cache_info *cache;

	switch (key) {
	case KMEM_KEY_UNKNOWN:
		return "unknown";
	case KMEM_KEY_LARGE:
		return "kmalloc-large";
	default:
		cache = find_cache(key, caches, nr_caches);
		return cache ? cache->name : "destroyed";
	}
}

uint64_t kernel_object_bytes(const struct kobjects_row *row, const struct kmem_cache_info *caches, size_t nr_caches)
{
	const struct kmem_cache_info *cache;

	if (row->object.bytes_req)
		return row->object.bytes_req;
	cache = find_cache(row->object.cache, caches, nr_caches);
	return cache ? cache->object_size : 0;
}

bool kernel_list_candidate(struct kernel_list *list, const struct kernel_rules *rules, const struct kobjects_row *row)
{
	uint64_t time_ns = row->object.time_ns;

	if (time_ns < rules->since_ns || time_ns > rules->until_ns) {
		list->outside++;
		return false;
	}
	if (time_ns + rules->min_age_ns > rules->now_ns) {
		list->young++;
		return false;
	}
	return true;
}

/* Whether the verdict leaves the object in the list; else counts it. */
static bool is_live(struct kernel_list *list, uint32_t verdict)
{
	switch (verdict) {
	case KMEM_OBJECT_LIVE:
		return true;
	case KMEM_OBJECT_WAITING:
		list->waiting++;
		return false;
	case KMEM_OBJECT_UNKNOWN:
		list->unknown++;
		return false;
	default:
		list->silent++;
		return false;
	}
}

static bool is_unsure(const struct kernel_rules *rules, uint64_t cache)
{
	for (size_t i = 0; i < rules->nr_unsure; i++)
		if (rules->unsure[i] == cache)
			return true;
	return false;
}

int kernel_list_fill(struct kernel_list *list, const struct kernel_rules *rules, const struct kobjects_row *const *rows,
		     const struct kmem_object_check *checks, size_t nr, const struct kmem_cache_info *caches,
		     size_t nr_caches)
{
	struct kernel_leak *leak;

	list->leaks = calloc(nr + 1, sizeof(*list->leaks));
	if (!list->leaks)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		if (!is_live(list, checks[i].verdict))
			continue;
		leak = &list->leaks[list->nr];
		*leak = (struct kernel_leak){
			.row = rows[i],
			.cache = kernel_cache_name(rows[i]->object.cache, caches, nr_caches),
			.bytes = kernel_object_bytes(rows[i], caches, nr_caches),
			.age_ns = rules->now_ns - rows[i]->object.time_ns,
			.unsure = is_unsure(rules, rows[i]->object.cache),
		};
		if (leak->bytes < rules->min_bytes || (rules->cache && fnmatch(rules->cache, leak->cache, 0)))
			list->not_asked++;
		else
			list->nr++;
	}
	return 0;
}

/* ---- groups ---- */

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_place(const void *a, const void *b)
{
	const struct kobjects_row *x = ((const struct kernel_leak *)a)->row, *y = ((const struct kernel_leak *)b)->row;
	int order = compare_u64(x->object.cache, y->object.cache);

	if (!order)
		order = compare_u64(x->object.call_site, y->object.call_site);
	return order ? order : compare_u64(x->object.time_ns, y->object.time_ns);
}

static bool is_of(const struct kernel_group *group, const struct kernel_leak *leak)
{
	return group->cache_key == leak->row->object.cache && group->call_site == leak->row->object.call_site;
}

static unsigned int quarter_of(const struct kernel_rules *rules, uint64_t time_ns)
{
	uint64_t end = rules->now_ns - rules->min_age_ns, quarter;

	if (end > rules->until_ns)
		end = rules->until_ns;
	quarter = (end - rules->since_ns) / KERNEL_QUARTERS + 1;
	return 1u << (time_ns - rules->since_ns) / quarter;
}

static void add_to_group(struct kernel_group *group, const struct kernel_rules *rules, const struct kernel_leak *leak)
{
	if (!group->nr || leak->age_ns < group->youngest_ns)
		group->youngest_ns = leak->age_ns;
	if (leak->age_ns > group->oldest_ns)
		group->oldest_ns = leak->age_ns;
	group->nr++;
	group->bytes += leak->bytes;
	group->quarters |= quarter_of(rules, leak->row->object.time_ns);
	if (group->stack < 0)
		group->stack = leak->row->object.stack;
}

static void set_growth(struct kernel_group *group, const struct kernel_list *before)
{
	group->growth = (int64_t)group->nr;
	for (size_t i = 0; before && i < before->nr_groups; i++)
		if (before->groups[i].cache_key == group->cache_key && before->groups[i].call_site == group->call_site)
			group->growth -= (int64_t)before->groups[i].nr;
}

static int by_bytes(const void *a, const void *b)
{
	const struct kernel_group *x = a, *y = b;
	int order = compare_u64(y->bytes, x->bytes);

	if (!order)
		order = strcmp(x->cache, y->cache);
	return order ? order : compare_u64(x->call_site, y->call_site);
}

int kernel_list_group(struct kernel_list *list, const struct kernel_rules *rules, const struct kernel_list *before,
		      uint64_t known_until_ns)
{
	struct kernel_group *group = NULL;

	qsort(list->leaks, list->nr, sizeof(*list->leaks), by_place);
	list->groups = calloc(list->nr + 1, sizeof(*list->groups));
	if (!list->groups)
		return -ENOMEM;
	for (size_t i = 0; i < list->nr; i++) {
		struct kernel_leak *leak = &list->leaks[i];

		if (!group || !is_of(group, leak)) {
			group = &list->groups[list->nr_groups++];
			*group = (struct kernel_group){
				.cache = leak->cache,
				.cache_key = leak->row->object.cache,
				.call_site = leak->row->object.call_site,
				.stack = -1,
				.unsure = leak->unsure,
			};
		}
		add_to_group(group, rules, leak);
		leak->known = leak->row->object.time_ns <= known_until_ns;
		list->nr_known += leak->known;
		list->nr_unsure += leak->unsure;
		list->bytes += leak->bytes;
	}
	for (size_t i = 0; i < list->nr_groups; i++)
		set_growth(&list->groups[i], before);
	qsort(list->groups, list->nr_groups, sizeof(*list->groups), by_bytes);
	return 0;
}

bool kernel_group_is_steady(const struct kernel_group *group)
{
	return group->quarters == (1u << KERNEL_QUARTERS) - 1;
}

void kernel_list_free(struct kernel_list *list)
{
	free(list->leaks);
	free(list->groups);
	memset(list, 0, sizeof(*list));
}
