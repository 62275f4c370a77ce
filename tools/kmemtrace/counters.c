/* SPDX-License-Identifier: BSD-2-Clause */
/* counters.c - see counters.h. */
#include "kmemtrace/counters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *title; } names[COUNTER_NR] = {
	[COUNTER_ALLOCS] = { "allocs", "allocations" },
	[COUNTER_FREES] = { "frees", "frees" },
	[COUNTER_ALLOC_BYTES] = { "alloc_bytes", "bytes allocated" },
	[COUNTER_FREE_BYTES] = { "free_bytes", "bytes freed" },
	[COUNTER_FAILED] = { "failed", "allocations failed" },
	[COUNTER_REFILLS] = { "refills", "refills" },
	[COUNTER_FLUSHES] = { "flushes", "flushes" },
	[COUNTER_BARN_MISSES] = { "barn_misses", "barn misses" },
	[COUNTER_SLABS_NEW] = { "slabs_new", "slabs made" },
	[COUNTER_SLABS_GONE] = { "slabs_gone", "slabs given back" },
	[COUNTER_REMOTE_FREES] = { "remote_frees", "frees on another node" },
	[COUNTER_PAGES_ALLOC] = { "pages_alloc", "pages allocated" },
	[COUNTER_PAGES_FREE] = { "pages_free", "pages freed" },
	[COUNTER_PAGES_PURGED] = { "pages_purged", "pages returned to the system" },
	[COUNTER_STALLS] = { "stalls", "stalls for memory" },
	[COUNTER_PURGES] = { "purges", "purges (system calls)" },
};

/* What a cache had counted when it was read last. */
struct kept {
	uint64_t made_ns; /* 0: the id is unused */
	struct counters counters;
};

struct counted {
	pid_t pid;
	struct target target;
	bool found;
	struct heap heap;
	struct counters last, base;
	struct counters gone;  /* of caches that were destroyed */
	struct kept *kept;     /* by id */
	size_t nr_kept;
};

const char *counter_name(enum counter counter)
{
	return names[counter].name;
}

const char *counter_title(enum counter counter)
{
	return names[counter].title;
}

void counters_add(struct counters *to, const struct counters *from)
{
	for (int i = 0; i < COUNTER_NR; i++)
		to->value[i] += from->value[i];
}

struct counters counters_since(const struct counters *a, const struct counters *b)
{
	struct counters c;

	for (int i = 0; i < COUNTER_NR; i++)
		c.value[i] = a->value[i] > b->value[i] ? a->value[i] - b->value[i] : 0;
	return c;
}

struct counted *counted_new(pid_t pid)
{
	struct counted *c = calloc(1, sizeof(*c));

	if (c)
		c->pid = pid;
	return c;
}

void counted_free(struct counted *c)
{
	if (!c)
		return;
	heap_close(&c->heap);
	target_close(&c->target);
	free(c->kept);
	free(c);
}

pid_t counted_pid(const struct counted *c)
{
	return c->pid;
}

int counted_find(struct counted *c, char *err, size_t len)
{
	int ret;

	if (c->found)
		return 0;
	target_close(&c->target);
	ret = target_open(&c->target, c->pid);
	if (!ret)
		ret = target_find_roots(&c->target);
	if (!ret && !c->target.roots[0].observe.state)
		ret = -EAGAIN;
	if (ret) {
		snprintf(err, len, ret == -EAGAIN ? "PID %d (%s) has not used its libkmem yet" :
			 ret == -ENOENT ? "PID %d (%s) does not carry libkmem; link it with -lkmem, or start it with --preload -c" :
			 "", c->pid, c->target.comm);
		if (!*err)
			snprintf(err, len, "%s", c->target.message);
		return ret;
	}
	heap_init(&c->heap, &c->target, c->target.roots[0].addr);
	c->found = true;
	return 0;
}

static struct counters of_cache(const struct heap_cache *h)
{
	const struct kmem_node_stat *s = &h->stat;
	uint64_t size = h->cache.object_size;

	return (struct counters){ .value = {
		[COUNTER_ALLOCS] = h->allocs, [COUNTER_FREES] = h->frees,
		[COUNTER_ALLOC_BYTES] = h->allocs * size, [COUNTER_FREE_BYTES] = h->frees * size,
		[COUNTER_FAILED] = s->alloc_fail, [COUNTER_REFILLS] = s->refill, [COUNTER_FLUSHES] = s->flush,
		[COUNTER_BARN_MISSES] = s->barn_get_fail + s->barn_put_fail, [COUNTER_SLABS_NEW] = s->slab_alloc,
		[COUNTER_SLABS_GONE] = s->slab_free, [COUNTER_REMOTE_FREES] = s->remote_free,
	} };
}

/* An id that has another cache now, or none: what the old one counted is not lost. */
static int keep(struct counted *c, uint16_t id, uint64_t made_ns, const struct counters *now)
{
	struct kept *k;

	if (id >= c->nr_kept) {
		size_t nr = id + 64u;
		struct kept *more = realloc(c->kept, nr * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memset(more + c->nr_kept, 0, (nr - c->nr_kept) * sizeof(*more));
		c->kept = more;
		c->nr_kept = nr;
	}
	k = &c->kept[id];
	if (k->made_ns && k->made_ns != made_ns)
		counters_add(&c->gone, &k->counters);
	*k = (struct kept){ made_ns, *now };
	return 0;
}

static void keep_gone(struct counted *c)
{
	for (size_t id = 0; id < c->nr_kept; id++)
		if (c->kept[id].made_ns && !heap_cache_by_id(&c->heap, (unsigned int)id)) {
			counters_add(&c->gone, &c->kept[id].counters);
			c->kept[id].made_ns = 0;
		}
}

static int read_pages(struct counted *c, struct counters *sum)
{
	const struct kmem_observe *root = &c->heap.root;
	uint64_t events[KMEM_NR_VM_EVENTS] = { 0 };
	int ret = 0;

	for (uint32_t i = 0; i < root->nr_zones; i++) {
		sum->value[COUNTER_PAGES_ALLOC] += c->heap.zones[i].stat[KMEM_ZS_ALLOC];
		sum->value[COUNTER_PAGES_FREE] += c->heap.zones[i].stat[KMEM_ZS_FREE];
		sum->value[COUNTER_PAGES_PURGED] += c->heap.zones[i].purged_pages;
	}
	for (uint64_t i = 0; root->pcps && i < (uint64_t)root->nr_cpus * root->nr_zones && !ret; i++) {
		struct kmem_pcp pcp;

		ret = target_read(&c->target, root->pcps + i * sizeof(pcp), &pcp, sizeof(pcp));
		if (ret)
			break;
		sum->value[COUNTER_PAGES_ALLOC] += pcp.stat[KMEM_ZS_ALLOC];
		sum->value[COUNTER_PAGES_FREE] += pcp.stat[KMEM_ZS_FREE];
	}
	if (!ret && root->events && root->nr_events >= KMEM_NR_VM_EVENTS)
		ret = target_read(&c->target, root->events, events, sizeof(events));
	sum->value[COUNTER_STALLS] = events[KMEM_VM_ALLOCSTALL];
	sum->value[COUNTER_PURGES] = events[KMEM_VM_PURGE];
	return ret;
}

int counted_read(struct counted *c, char *err, size_t len)
{
	struct counters sum = { 0 };
	int ret = heap_read(&c->heap);

	for (size_t i = 0; !ret && i < c->heap.nr_caches; i++) {
		const struct heap_cache *h = &c->heap.caches[i];
		struct counters one = of_cache(h);

		ret = keep(c, h->cache.id, h->cache.created_ns | 1, &one);
		counters_add(&sum, &one);
	}
	if (!ret)
		ret = read_pages(c, &sum);
	if (ret) {
		snprintf(err, len, "%s", c->target.message);
		return ret;
	}
	keep_gone(c);
	counters_add(&sum, &c->gone);
	c->last = sum;
	return 0;
}

void counted_rebase(struct counted *c)
{
	c->base = c->last;
}

struct counters counted_since(const struct counted *c)
{
	return counters_since(&c->last, &c->base);
}
