// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * kslabs.bpf.c - looks at single slabs and objects of the kernel, on request.
 *
 *   slabs_list   all slabs of one cache that are on a list, into `slabs`
 *   slabs_check  whether objects are allocated right now, in `checks`
 *
 * A check needs the page descriptor of an address. Where the kernel has those is
 * told by symbols that not every kernel shows (CONFIG_KALLSYMS_ALL), so it is
 * learned: slabs_list finds a slab whose descriptor and objects both are known,
 * and from one such pair all others follow (struct kmem_page_map).
 *
 * Nothing is locked. An object that moves from one list to the other while we
 * look may be missed: ask twice before an object is called live.
 */
#include "slub.bpf.h"

#include "kmem_event.h"
#include "kmem_slab_info.h"
#include "page.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u32 nr_slabs; /* in `slabs` */
__u32 no_room;  /* more of them */
struct kmem_page_map page_map;
struct kmem_slabs_moment moment; /* of the last slabs_list */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the user side chooses */
	__type(key, __u32);
	__type(value, struct kmem_slab_info);
} slabs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the user side chooses */
	__type(key, __u32);
	__type(value, struct kmem_object_check);
} checks SEC(".maps");

/* ---- listing ---- */

struct list_walk {
	struct kmem_cache *cache;
	__u64 head; /* node list: address of the list head; else 0 */
	__u64 cur;
	__u32 place;
	__u32 place_id;
	__u32 position;
};

/* A free object says where its slab lies: slabs are aligned to their size. */
static __always_inline void learn(struct kmem_cache *cache, __u64 descriptor, __u32 objects, __u64 object)
{
	__u32 oo = BPF_CORE_READ(cache, oo.x), order = oo >> 16 & 15;

	/* With fewer objects it is smaller than usual, and we do not know how small. */
	if (page_map.descriptor || !object || objects != (oo & 0xffff))
		return;
	page_map.address = object & ~((1ULL << (PAGE_SHIFT + order)) - 1);
	page_map.descriptor_bytes = bpf_core_type_size(struct page);
	page_map.descriptor = descriptor;
}

static __always_inline void add_slab(struct list_walk *walk, struct slab *slab, __u64 counters, __u32 cpu_free)
{
	__u32 index = nr_slabs;
	struct kmem_slab_info *info = bpf_map_lookup_elem(&slabs, &index);

	if (!info) {
		no_room++;
		return;
	}
	nr_slabs++;
	info->cache = (__u64)walk->cache;
	info->descriptor = (__u64)slab;
	info->address = 0;
	info->place = walk->place;
	info->place_id = walk->place_id;
	info->position = walk->position++;
	info->objects = slab_objects(counters);
	info->inuse = counters & 0xffff;
	info->cpu_free = cpu_free;
}

/* One slab of a list, linked by slab_list (node) or next (CPU). */
static long list_step(__u32 i, struct list_walk *walk)
{
	struct slab *slab = (void *)walk->cur;
	__u64 counters;

	if (walk->cur == walk->head)
		return 1;
	if (walk->head)
		slab = (void *)(walk->cur - bpf_core_field_offset(struct slab, slab_list));
	if (BPF_CORE_READ(slab, slab_cache) != walk->cache)
		return 1; /* it has left the list, and led us astray */
	counters = BPF_CORE_READ(slab, counters);
	learn(walk->cache, (__u64)slab, slab_objects(counters), (__u64)BPF_CORE_READ(slab, freelist));
	add_slab(walk, slab, counters, 0);
	walk->cur = walk->head ? (__u64)BPF_CORE_READ(slab, slab_list.next) : (__u64)BPF_CORE_READ(slab, next);
	return 0;
}

static long list_node_step(__u32 nid, struct kmem_cache **cache)
{
	struct list_walk walk = { .cache = *cache, .place = KMEM_SLAB_NODE_PARTIAL, .place_id = nid };
	struct kmem_cache_node *node;
	struct node_barn *barn;

	if (!node_of(walk.cache, nid, &node, &barn))
		return 1;
	if (!node)
		return 0;
	if (bpf_core_field_exists(node->nr_slabs)) {
		moment.slabs += BPF_CORE_READ(node, nr_slabs.counter);
		moment.objects += BPF_CORE_READ(node, total_objects.counter);
	}
	walk.head = (__u64)node + bpf_core_field_offset(struct kmem_cache_node, partial);
	walk.cur = (__u64)BPF_CORE_READ(node, partial.next);
	bpf_loop(MAX_WALK, list_step, &walk, 0);
	return 0;
}

static __always_inline void list_cpu_slab(struct list_walk *walk, struct kmem_cache_cpu *cpu)
{
	struct slab *slab = BPF_CORE_READ(cpu, slab);
	__u64 first = (__u64)BPF_CORE_READ(cpu, freelist), counters;
	struct freelist_walk free;

	if (!slab)
		return;
	counters = BPF_CORE_READ(slab, counters);
	free = freelist_of(walk->cache, first);
	bpf_loop(slab_objects(counters), freelist_step, &free, 0);
	learn(walk->cache, (__u64)slab, slab_objects(counters), first);
	walk->place = KMEM_SLAB_CPU;
	walk->position = 0;
	add_slab(walk, slab, counters, free.objects);
}

static long list_cpu_step(__u32 id, struct kmem_cache **which)
{
	struct kmem_cache *cache = *which;
	struct list_walk walk = { .cache = cache, .place_id = id };
	struct kmem_cache_cpu *cpu;
	__u64 offset;

	if (!bpf_core_field_exists(struct kmem_cache, cpu_slab))
		return 1;
	if (!cpu_offset(id, &offset))
		return 0;
	cpu = (void *)((__u64)BPF_CORE_READ(cache, cpu_slab) + offset);
	list_cpu_slab(&walk, cpu);
	if (!bpf_core_field_exists(cpu->partial))
		return 0;
	walk.place = KMEM_SLAB_CPU_PARTIAL;
	walk.position = 0;
	walk.cur = (__u64)BPF_CORE_READ(cpu, partial);
	bpf_loop(WALK_SLACK, list_step, &walk, 0);
	return 0;
}

SEC("syscall")
int slabs_list(struct kmem_slabs_request *request)
{
	struct kmem_cache *cache = (void *)request->cache;

	nr_slabs = 0;
	no_room = 0;
	moment.slabs = moment.objects = 0;
	moment.begin_ns = bpf_ktime_get_ns();
	bpf_loop(nr_nodes < MAX_NODES ? nr_nodes : MAX_NODES, list_node_step, &cache, 0);
	bpf_loop(nr_cpus < MAX_CPUS ? nr_cpus : MAX_CPUS, list_cpu_step, &cache, 0);
	moment.end_ns = bpf_ktime_get_ns();
	return 0;
}

/* ---- checking ---- */

struct check {
	struct kmem_cache *cache;
	struct slab *slab;
	__u64 object;
	__u64 array; /* of the sheaf that is searched */
	__u64 head, sheaf; /* of the barn's list */
	__u32 verdict;
	__u32 limit; /* objects in the slab */
};

static long sheaf_step(__u32 i, struct check *check)
{
	if ((__u64)read_pointer(check->array + i * sizeof(void *)) != check->object)
		return 0;
	check->verdict = KMEM_OBJECT_FREE;
	return 1;
}

/* True if the object is in this sheaf. */
static __always_inline bool in_sheaf(struct check *check, __u64 address)
{
	struct slab_sheaf *sheaf = (void *)address;

	if (!sheaf)
		return false;
	check->array = address + bpf_core_field_offset(struct slab_sheaf, objects);
	bpf_loop(BPF_CORE_READ(sheaf, size) & 0xfff, sheaf_step, check, 0);
	return check->verdict == KMEM_OBJECT_FREE;
}

static __always_inline bool on_freelist(struct check *check, __u64 first)
{
	struct freelist_walk walk = freelist_of(check->cache, first);

	walk.target = check->object;
	bpf_loop(check->limit, freelist_step, &walk, 0);
	if (walk.found)
		check->verdict = KMEM_OBJECT_FREE;
	return walk.found;
}

static __always_inline void check_sheaves(struct check *check, struct slub_percpu_sheaves *sheaves)
{
	if (in_sheaf(check, (__u64)BPF_CORE_READ(sheaves, main)) ||
	    in_sheaf(check, (__u64)BPF_CORE_READ(sheaves, spare)))
		return;
	if (in_sheaf(check, (__u64)BPF_CORE_READ(sheaves, rcu_free)))
		check->verdict = KMEM_OBJECT_WAITING;
}

static long check_cpu_step(__u32 id, struct check *check)
{
	struct kmem_cache *cache = check->cache;
	struct kmem_cache_cpu *cpu;
	__u64 offset, percpu;

	if (!cpu_offset(id, &offset))
		return 0;
	if (bpf_core_field_exists(struct kmem_cache, cpu_slab)) {
		cpu = (void *)((__u64)BPF_CORE_READ(cache, cpu_slab) + offset);
		if (BPF_CORE_READ(cpu, slab) == check->slab && on_freelist(check, (__u64)BPF_CORE_READ(cpu, freelist)))
			return 1;
	}
	if (bpf_core_field_exists(struct kmem_cache, cpu_sheaves)) {
		percpu = (__u64)BPF_CORE_READ(cache, cpu_sheaves);
		if (percpu)
			check_sheaves(check, (void *)(percpu + offset));
	}
	return check->verdict != KMEM_OBJECT_LIVE;
}

static long check_barn_step(__u32 i, struct check *check)
{
	struct slab_sheaf *sheaf;

	if (!check->sheaf || check->sheaf == check->head)
		return 1;
	sheaf = (void *)(check->sheaf - bpf_core_field_offset(struct slab_sheaf, barn_list));
	check->sheaf = (__u64)BPF_CORE_READ(sheaf, barn_list.next);
	return in_sheaf(check, (__u64)sheaf);
}

static long check_node_step(__u32 nid, struct check *check)
{
	struct kmem_cache_node *node;
	struct node_barn *barn;

	if (!node_of(check->cache, nid, &node, &barn))
		return 1;
	if (!barn)
		return 0;
	check->head = (__u64)barn + bpf_core_field_offset(struct node_barn, sheaves_full);
	check->sheaf = (__u64)BPF_CORE_READ(barn, sheaves_full.next);
	bpf_loop(MAX_SHEAVES, check_barn_step, check, 0);
	return check->verdict != KMEM_OBJECT_LIVE;
}

static __always_inline __u64 descriptor_of(__u64 address)
{
	__s64 pages = (__s64)(address - page_map.address) >> PAGE_SHIFT;

	return page_map.descriptor + pages * bpf_core_type_size(struct page);
}

/* A block of whole pages. Before 6.15 all that can be told is that it still begins there and is somebody's. */
static __always_inline __u32 check_large(struct page *page, __u64 descriptor)
{
	bool live;

	if (bpf_core_enum_value_exists(enum pagetype, PGTY_large_kmalloc))
		live = BPF_CORE_READ(page, page_type) >> 24 == bpf_core_enum_value(enum pagetype, PGTY_large_kmalloc);
	else
		live = BPF_CORE_READ(page, _refcount.counter) > 0;
	return live && (__u64)page == descriptor ? KMEM_OBJECT_LIVE : KMEM_OBJECT_GONE;
}

static __always_inline __u32 check_slab(struct check *check)
{
	struct slab *slab = check->slab;
	__u64 counters = BPF_CORE_READ(slab, counters);

	check->limit = slab_objects(counters);
	if (!(counters & 0xffff) || on_freelist(check, (__u64)BPF_CORE_READ(slab, freelist)))
		return KMEM_OBJECT_FREE;
	bpf_loop(nr_cpus < MAX_CPUS ? nr_cpus : MAX_CPUS, check_cpu_step, check, 0);
	if (check->verdict == KMEM_OBJECT_LIVE)
		bpf_loop(nr_nodes < MAX_NODES ? nr_nodes : MAX_NODES, check_node_step, check, 0);
	return check->verdict;
}

static __always_inline __u32 verdict_of(__u64 address, __u64 cache)
{
	struct check check = { .object = address, .verdict = KMEM_OBJECT_LIVE };
	__u64 descriptor = descriptor_of(address);
	struct page *page = head_of(descriptor);
	struct slab *slab = (void *)page;
	int is_slab = is_slab_page(page);

	if (is_slab < 0)
		return KMEM_OBJECT_UNKNOWN;
	if (cache == KMEM_KEY_LARGE || (cache == KMEM_KEY_UNKNOWN && !is_slab))
		return is_slab ? KMEM_OBJECT_GONE : check_large(page, descriptor);
	check.slab = slab;
	check.cache = is_slab ? BPF_CORE_READ(slab, slab_cache) : NULL;
	if (!check.cache || (cache != KMEM_KEY_UNKNOWN && (__u64)check.cache != cache))
		return KMEM_OBJECT_GONE;
	return check_slab(&check);
}

static long check_step(__u32 i, void *context)
{
	struct kmem_object_check *check = bpf_map_lookup_elem(&checks, &i);

	if (!check)
		return 1;
	check->verdict = verdict_of(check->address, check->cache);
	return 0;
}

SEC("syscall")
int slabs_check(struct kmem_slabs_request *request)
{
	if (!page_map.descriptor)
		return 1;
	bpf_loop(request->nr, check_step, NULL, 0);
	return 0;
}
