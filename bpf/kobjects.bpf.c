// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * kobjects.bpf.c - remembers for every object of the kernel that is allocated
 * from now on who allocated it, until an event tells of its free.
 *
 * Not all frees have events (struct kmem_kernel_event says which): what is left
 * in the end is a list of candidates, of which bpf/kslabs.bpf.c sorts out those
 * that are free. Per cache allocations and frees are counted, too: held against
 * the walker's count of objects in use they say how much was silent.
 *
 * Maps are preallocated: the programs run inside the allocator.
 */
#include "kernel_events.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define ZERO_SIZE_PTR 16ULL /* kmalloc(0) returns this */
#define ENOENT        2
#define EEXIST        17
#define STACK_FRAMES  32

/* Two events of one large kmalloc are closer together than this. */
#define DUPLICATE_NS 1000000

const volatile __u32 stack_every = 0; /* keep the stack of one in so many allocations; 0: of none */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* the user side chooses */
	__type(key, __u64);
	__type(value, struct kmem_kernel_object);
} objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct kmem_kernel_tally);
} tallies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 1); /* the user side chooses */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, STACK_FRAMES * sizeof(__u64));
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmem_object_totals);
} totals SEC(".maps");

static __always_inline struct kmem_object_totals *object_totals(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&totals, &zero);
}

/* Several programs share a counter, one may interrupt the other: atomic. */
static __always_inline void add(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

static __always_inline struct kmem_kernel_tally *tally_of(struct kmem_object_totals *sum, __u64 cache)
{
	struct kmem_kernel_tally *tally = bpf_map_lookup_elem(&tallies, &cache);
	const struct kmem_kernel_tally none = {};

	if (tally)
		return tally;
	bpf_map_update_elem(&tallies, &cache, &none, BPF_NOEXIST);
	tally = bpf_map_lookup_elem(&tallies, &cache);
	if (!tally)
		add(&sum->uncounted);
	return tally;
}

/* True if the address is no object; it was counted as what it is then. */
static __always_inline bool is_void(struct kmem_object_totals *sum, __u64 ptr, bool allocated)
{
	if (ptr > ZERO_SIZE_PTR)
		return false;
	add(allocated && !ptr ? &sum->failed : &sum->null_frees);
	return true;
}

/* The second of two events about one large kmalloc: it knows the true call site. */
static __always_inline bool is_duplicate(__u64 address, const struct kmem_kernel_object *object)
{
	const struct kmem_kernel_object *first = bpf_map_lookup_elem(&objects, &address);

	return first && object->cache == KMEM_KEY_LARGE && first->cache == KMEM_KEY_LARGE &&
	       first->tgid == object->tgid && object->time_ns - first->time_ns < DUPLICATE_NS;
}

static __always_inline void keep(void *ctx, struct kmem_object_totals *sum, __u64 address,
				 struct kmem_kernel_object *object)
{
	struct kmem_kernel_tally *tally = tally_of(sum, object->cache);
	bool duplicate = false;
	int ret; /* not long: before 6.4 the upper half of the helper's result is undefined */

	object->time_ns = bpf_ktime_get_ns();
	object->tgid = bpf_get_current_pid_tgid() >> 32;
	object->stack = -1;
	bpf_get_current_comm(object->comm, sizeof(object->comm));
	if (stack_every && (stack_every == 1 || bpf_get_prandom_u32() % stack_every == 0)) {
		object->stack = bpf_get_stackid(ctx, &stacks, 0);
		if (object->stack < 0)
			add(&sum->no_stack);
	}
	ret = bpf_map_update_elem(&objects, &address, object, BPF_NOEXIST);
	if (ret == -EEXIST) {
		duplicate = is_duplicate(address, object);
		if (duplicate)
			add(&sum->duplicates);
		else if (tally)
			add(&tally->silent);
		ret = bpf_map_update_elem(&objects, &address, object, BPF_EXIST);
	}
	if (ret)
		add(&sum->lost);
	if (tally && !duplicate)
		add(&tally->allocs);
}

static __always_inline void drop(struct kmem_object_totals *sum, __u64 address, __u64 cache)
{
	struct kmem_kernel_tally *tally = tally_of(sum, cache);
	int ret = bpf_map_delete_elem(&objects, &address);

	if (tally)
		add(&tally->frees);
	if (ret == -ENOENT && tally)
		add(&tally->unknown);
	else if (ret && ret != -ENOENT)
		add(&sum->stale);
}

/* kmem_cache_alloc(call_site, ptr, cache, gfp_flags, node) */
SEC("raw_tp/kmem_cache_alloc")
int kobjects_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_object_totals *sum = object_totals();
	struct kmem_kernel_object object = { .cache = ctx->args[2], .call_site = ctx->args[0] };

	if (sum && is_wanted() && !is_void(sum, ctx->args[1], true))
		keep(ctx, sum, ctx->args[1], &object);
	return 0;
}

/* kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node) */
SEC("raw_tp/kmalloc")
int kobjects_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_object_totals *sum = object_totals();
	struct kmem_kernel_object object = { .call_site = ctx->args[0], .bytes_req = ctx->args[2] };

	if (!sum || !is_wanted() || is_void(sum, ctx->args[1], true))
		return 0;
	object.cache = cache_of(ctx->args[1]);
	keep(ctx, sum, ctx->args[1], &object);
	return 0;
}

/* Frees are everybody's: whoever frees it, an object is gone. */

/* kmem_cache_free(call_site, ptr, cache) */
SEC("raw_tp/kmem_cache_free")
int kobjects_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_object_totals *sum = object_totals();

	if (sum && !is_void(sum, ctx->args[1], false))
		drop(sum, ctx->args[1], ctx->args[2]);
	return 0;
}

/* kfree(call_site, ptr) */
SEC("raw_tp/kfree")
int kobjects_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_object_totals *sum = object_totals();

	if (sum && !is_void(sum, ctx->args[1], false))
		drop(sum, ctx->args[1], cache_of(ctx->args[1]));
	return 0;
}
