// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * caches.bpf.c - walks all slab caches of the kernel and says the state of each.
 *
 * Three ways in, the user side loads one:
 *   caches_iterate    iterator over kmem_cache (6.13 and later); writes one
 *                     struct kmem_cache_info after the other to its reader
 *   caches_list       run on request; follows the kernel's slab_caches list
 *   caches_bootstrap  run on request; follows the same list from any cache, here
 *                     the one that caches_catch saw in an allocation event. The
 *                     list head is the only node inside the kernel image, so no
 *                     symbol is needed.
 * The last two fill the array `rows`.
 *
 * Nothing is locked. What is read may change under our hands:
 *   - A cache may be destroyed (not under the iterator, which pins it). Its
 *     memory still reads, and every loop is bounded.
 *   - A slab may leave the list that we follow and join another. Each slab must
 *     name our cache, and a walk must end where the list ends; else it is done
 *     again, and after WALK_TRIES the row is marked KMEM_INFO_CUT.
 *   - A CPU may use its freelist. Its transaction id says so; done again, too.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "kmem_cache_info.h"
#include "slub.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define MAX_CACHES  4096
#define WALK_TRIES  3

/* Everything above this is the kernel image or a module: no slab object. */
#define KERNEL_IMAGE 0xffffffff80000000ULL

/* Set by the user side before loading. */
const volatile bool walk_lists = true; /* false: no partial_free and no cpu_free */
const volatile __u64 slab_caches;      /* its address, for caches_list; not a __ksym, for
                                          then libbpf reads all of kallsyms in any case */

__u64 seen_cache; /* by caches_catch */
__u32 nr_rows;    /* in `rows`, from the last run */

/* The iterator makes each of its rows in rows[0]. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_CACHES);
	__type(key, __u32);
	__type(value, struct kmem_cache_info);
} rows SEC(".maps");

/* ---- slabs ---- */

/* One list of slabs, linked by slab_list (node) or next (CPU). */
struct slab_walk {
	__u64 cache;
	__u64 head; /* node list: address of the list head */
	__u64 cur;
	__u64 slabs;
	__u64 free;
	__u32 ended; /* came to the end of this very list */
};

static long node_partial_step(__u32 i, struct slab_walk *walk)
{
	struct slab *slab;

	if (walk->cur == walk->head) {
		walk->ended = 1;
		return 1;
	}
	slab = (void *)(walk->cur - bpf_core_field_offset(struct slab, slab_list));
	if ((__u64)BPF_CORE_READ(slab, slab_cache) != walk->cache)
		return 1;
	walk->free += slab_free(BPF_CORE_READ(slab, counters));
	walk->slabs++;
	walk->cur = (__u64)BPF_CORE_READ(slab, slab_list.next);
	return 0;
}

static long cpu_partial_step(__u32 i, struct slab_walk *walk)
{
	struct slab *slab = (void *)walk->cur;

	if (!slab) {
		walk->ended = 1;
		return 1;
	}
	if ((__u64)BPF_CORE_READ(slab, slab_cache) != walk->cache)
		return 1;
	walk->free += slab_free(BPF_CORE_READ(slab, counters));
	walk->slabs++;
	walk->cur = (__u64)BPF_CORE_READ(slab, next);
	return 0;
}

/* ---- node state: slabs, partial list, barn ---- */

struct fill {
	struct kmem_cache *cache;
	struct kmem_cache_info *info;
};

static __always_inline void node_partial(struct fill *fill, struct kmem_cache_node *node)
{
	__u64 nr_partial = BPF_CORE_READ(node, nr_partial);
	__u32 limit = nr_partial < MAX_WALK ? nr_partial + WALK_SLACK : MAX_WALK;
	struct slab_walk walk = {};
	int try;

	fill->info->node_partial += nr_partial;
	if (!walk_lists)
		return;
	for (try = 0; try < WALK_TRIES && !walk.ended; try++) {
		walk.cache = (__u64)fill->cache;
		walk.head = (__u64)node + bpf_core_field_offset(struct kmem_cache_node, partial);
		walk.cur = (__u64)BPF_CORE_READ(node, partial.next);
		walk.slabs = 0;
		walk.free = 0;
		bpf_loop(limit, node_partial_step, &walk, 0);
	}
	fill->info->partial_free += walk.free;
	if (!walk.ended)
		fill->info->have |= KMEM_INFO_CUT;
}

struct sheaf_walk {
	__u64 head;
	__u64 cur;
	__u64 objects;
};

static long barn_step(__u32 i, struct sheaf_walk *walk)
{
	struct slab_sheaf *sheaf;

	if (walk->cur == walk->head || !walk->cur)
		return 1;
	sheaf = (void *)(walk->cur - bpf_core_field_offset(struct slab_sheaf, barn_list));
	walk->objects += BPF_CORE_READ(sheaf, size);
	walk->cur = (__u64)BPF_CORE_READ(sheaf, barn_list.next);
	return 0;
}

/* A "full" sheaf that came back from kfree_rcu() may hold less than its capacity: look. */
static __always_inline void node_barn(struct fill *fill, struct node_barn *barn)
{
	struct sheaf_walk walk = {};

	if (!barn)
		return;
	fill->info->barn_full += BPF_CORE_READ(barn, nr_full);
	fill->info->barn_empty += BPF_CORE_READ(barn, nr_empty);
	walk.head = (__u64)barn + bpf_core_field_offset(struct node_barn, sheaves_full);
	walk.cur = (__u64)BPF_CORE_READ(barn, sheaves_full.next);
	bpf_loop(MAX_SHEAVES, barn_step, &walk, 0);
	fill->info->barn_objects += walk.objects;
}

static long node_step(__u32 nid, struct fill *fill)
{
	struct kmem_cache_node *node;
	struct node_barn *barn;

	if (!node_of(fill->cache, nid, &node, &barn))
		return 1;
	node_barn(fill, barn);
	if (!node)
		return 0;
	if (bpf_core_field_exists(node->nr_slabs)) {
		fill->info->slabs += BPF_CORE_READ(node, nr_slabs.counter);
		fill->info->objects_total += BPF_CORE_READ(node, total_objects.counter);
	}
	node_partial(fill, node);
	return 0;
}

/* ---- CPU state: current slab, partial slabs, sheaves ---- */

/* Objects on the freelist that a CPU allocates from. */
static __always_inline __u32 cpu_freelist(struct kmem_cache *cache, struct kmem_cache_cpu *cpu,
					  __u32 limit)
{
	struct freelist_walk walk;
	__u64 tid;
	int try;

	for (try = 0; try < WALK_TRIES; try++) {
		tid = BPF_CORE_READ(cpu, tid);
		walk = freelist_of(cache, (__u64)BPF_CORE_READ(cpu, freelist));
		bpf_loop(limit, freelist_step, &walk, 0);
		if (BPF_CORE_READ(cpu, tid) == tid)
			break;
	}
	return walk.objects;
}

static __always_inline void cpu_slab(struct fill *fill, struct kmem_cache_cpu *cpu)
{
	struct slab *slab = BPF_CORE_READ(cpu, slab);
	__u64 counters;

	if (!slab)
		return;
	counters = BPF_CORE_READ(slab, counters);
	fill->info->cpu_slabs++;
	if (!walk_lists)
		return;
	fill->info->cpu_free += slab_free(counters);
	fill->info->cpu_free += cpu_freelist(fill->cache, cpu, slab_objects(counters));
}

static __always_inline void cpu_partial(struct fill *fill, struct kmem_cache_cpu *cpu)
{
	struct slab_walk walk = {};
	int try;

	for (try = 0; try < WALK_TRIES && !walk.ended; try++) {
		walk.cache = (__u64)fill->cache;
		walk.cur = (__u64)BPF_CORE_READ(cpu, partial);
		walk.slabs = 0;
		walk.free = 0;
		bpf_loop(WALK_SLACK, cpu_partial_step, &walk, 0);
	}
	fill->info->cpu_partial_slabs += walk.slabs;
	fill->info->cpu_partial_free += walk.free;
	if (!walk.ended)
		fill->info->have |= KMEM_INFO_CUT;
}

static __always_inline __u32 sheaf_size(struct slab_sheaf *sheaf)
{
	return sheaf ? BPF_CORE_READ(sheaf, size) : 0;
}

static __always_inline void cpu_sheaves(struct fill *fill, struct slub_percpu_sheaves *sheaves)
{
	fill->info->sheaf_main += sheaf_size(BPF_CORE_READ(sheaves, main));
	fill->info->sheaf_spare += sheaf_size(BPF_CORE_READ(sheaves, spare));
	fill->info->sheaf_rcu += sheaf_size(BPF_CORE_READ(sheaves, rcu_free));
}

static long cpu_step(__u32 id, struct fill *fill)
{
	struct kmem_cache *cache = fill->cache;
	struct kmem_cache_cpu *cpu;
	__u64 offset, percpu;

	if (!cpu_offset(id, &offset))
		return 0;
	if (bpf_core_field_exists(cache->cpu_slab)) {
		cpu = (void *)((__u64)BPF_CORE_READ(cache, cpu_slab) + offset);
		cpu_slab(fill, cpu);
		if (bpf_core_field_exists(cpu->partial))
			cpu_partial(fill, cpu);
	}
	if (bpf_core_field_exists(cache->cpu_sheaves)) {
		percpu = (__u64)BPF_CORE_READ(cache, cpu_sheaves);
		if (percpu)
			cpu_sheaves(fill, (void *)(percpu + offset));
	}
	return 0;
}

/* ---- one row ---- */

/* The columns that this kernel has. All tests are decided when the program is loaded. */
static __always_inline __u64 columns(const struct kmem_cache *cache)
{
	__u64 have = KMEM_INFO_GEOMETRY | KMEM_INFO_LAYOUT | KMEM_INFO_MIN_PARTIAL;

	if (bpf_core_field_exists(struct kmem_cache_node, nr_slabs))
		have |= KMEM_INFO_SLABS;
	if (walk_lists)
		have |= KMEM_INFO_PARTIAL;
	if (walk_lists && bpf_core_field_exists(cache->cpu_slab))
		have |= KMEM_INFO_CPU_SLAB;
	if (bpf_core_field_exists(cache->cpu_partial))
		have |= KMEM_INFO_CPU_PARTIAL;
	if (bpf_core_field_exists(cache->cpu_sheaves))
		have |= KMEM_INFO_SHEAVES;
	if (bpf_core_field_exists(cache->usersize))
		have |= KMEM_INFO_USERCOPY;
	if (bpf_core_field_exists(cache->red_left_pad))
		have |= KMEM_INFO_RED_ZONE;
	if ((have & KMEM_INFO_SLABS) && (have & KMEM_INFO_PARTIAL))
		have |= KMEM_INFO_IN_USE | KMEM_INFO_SLABINFO_ACTIVE;
	return have;
}

static __always_inline void fill_layout(struct kmem_cache *cache, struct kmem_cache_info *info)
{
	__u32 oo = BPF_CORE_READ(cache, oo.x), min = BPF_CORE_READ(cache, min.x);
	int refcount = BPF_CORE_READ(cache, refcount);

	bpf_probe_read_kernel_str(info->name, sizeof(info->name), BPF_CORE_READ(cache, name));
	info->slab_flags = BPF_CORE_READ(cache, flags);
	info->object_size = BPF_CORE_READ(cache, object_size);
	info->size = BPF_CORE_READ(cache, size);
	info->align = BPF_CORE_READ(cache, align);
	info->order = oo >> 16;
	info->objects_per_slab = oo & 0xffff;
	info->min_order = min >> 16;
	info->min_objects = min & 0xffff;
	info->refcount = refcount > 0 ? refcount : 1; /* negative: never to be merged */
	info->has_ctor = BPF_CORE_READ(cache, ctor) != NULL;
	info->min_partial = BPF_CORE_READ(cache, min_partial);
}

static __always_inline void fill_optional(struct kmem_cache *cache, struct kmem_cache_info *info)
{
	if (bpf_core_field_exists(cache->cpu_partial))
		info->cpu_partial = BPF_CORE_READ(cache, cpu_partial);
	if (bpf_core_field_exists(cache->cpu_partial_slabs))
		info->cpu_partial_max = BPF_CORE_READ(cache, cpu_partial_slabs);
	if (bpf_core_field_exists(cache->sheaf_capacity))
		info->sheaf_capacity = BPF_CORE_READ(cache, sheaf_capacity);
	if (bpf_core_field_exists(cache->red_left_pad))
		info->red_left_pad = BPF_CORE_READ(cache, red_left_pad);
	if (bpf_core_field_exists(cache->usersize)) {
		info->useroffset = BPF_CORE_READ(cache, useroffset);
		info->usersize = BPF_CORE_READ(cache, usersize);
	}
}

/* a - b, but 0 where what moved between two reads would make it negative */
static __always_inline __u64 less(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

static __always_inline void fill_sums(struct kmem_cache_info *info)
{
	__u64 cached = info->cpu_free + info->cpu_partial_free + info->sheaf_main +
		       info->sheaf_spare + info->barn_objects;

	if (!(info->have & KMEM_INFO_IN_USE))
		return;
	info->slabinfo_active = less(info->objects_total, info->partial_free);
	info->in_use = less(info->slabinfo_active, cached);
}

/*
 * Fills rows[row] from the cache at `address`. Returns false if there is no such
 * row or no cache. Not static: the verifier then looks at it once and not, at
 * each call, in the caller's context, which would be too much for it.
 */
__noinline int fill_row(__u64 address, __u32 row)
{
	struct kmem_cache *cache = (void *)address;
	struct kmem_cache_info *info = bpf_map_lookup_elem(&rows, &row);
	struct fill fill = { .cache = cache, .info = info };

	if (!info)
		return false;
	__builtin_memset(info, 0, sizeof(*info));
	info->cache = address;
	info->have = columns(cache);
	fill_layout(cache, info);
	fill_optional(cache, info);
	bpf_loop(nr_nodes < MAX_NODES ? nr_nodes : MAX_NODES, node_step, &fill, 0);
	bpf_loop(nr_cpus < MAX_CPUS ? nr_cpus : MAX_CPUS, cpu_step, &fill, 0);
	fill_sums(info);
	return info->size != 0;
}

/* ---- the ways in ---- */

SEC("iter/kmem_cache")
int caches_iterate(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache_info *info;
	__u32 first = 0;

	if (!ctx->s || !fill_row(scalar_of(ctx->s), first))
		return 0;
	info = bpf_map_lookup_elem(&rows, &first);
	if (!info)
		return 0;
	if (info->refcount > 1)
		info->refcount--; /* the iterator holds a reference of its own */
	bpf_seq_write(ctx->meta->seq, info, sizeof(*info));
	return 0;
}

struct list_walk {
	__u64 cur;
	__u64 first;
	__u32 rows;
};

/* One node of the kernel's list of caches; its head is the one that is no cache. */
static long list_step(__u32 i, struct list_walk *walk)
{
	if (!walk->cur || (i && walk->cur == walk->first))
		return 1;
	if (walk->cur < KERNEL_IMAGE) {
		if (!fill_row(walk->cur - bpf_core_field_offset(struct kmem_cache, list),
			      walk->rows))
			return 1; /* destroyed meanwhile: the way on is lost */
		walk->rows++;
	}
	walk->cur = (__u64)read_pointer(walk->cur);
	return 0;
}

/*
 * The verifier of older kernels (seen on 6.1.192) looks at a loop body once only,
 * with the values of the first round. It must not know that the first node is the
 * list head, or it removes what is done for all the others as dead code.
 */
static __always_inline void walk_from(__u64 address)
{
	__u64 first = scalar_of((void *)address);
	struct list_walk walk = { .cur = first, .first = first };

	bpf_loop(MAX_CACHES + 1, list_step, &walk, 0);
	nr_rows = walk.rows;
}

SEC("syscall")
int caches_list(void *ctx)
{
	if (!slab_caches)
		return 1;
	walk_from(slab_caches);
	return 0;
}

SEC("syscall")
int caches_bootstrap(void *ctx)
{
	if (!seen_cache)
		return 1;
	walk_from(seen_cache + bpf_core_field_offset(struct kmem_cache, list));
	return 0;
}

/* kmem_cache_alloc(call_site, ptr, cache, gfp_flags, node): attached until one fired. */
SEC("raw_tp/kmem_cache_alloc")
int caches_catch(struct bpf_raw_tracepoint_args *ctx)
{
	if (!seen_cache)
		seen_cache = ctx->args[2];
	return 0;
}
