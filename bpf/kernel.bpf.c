// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * kernel.bpf.c - counts the kernel's own allocation events.
 *
 * Raw tracepoints: they load on every kernel (tp_btf refuses the plain object
 * pointer before 6.18) and cost least. Their arguments are those of the
 * tracepoint's prototype, the same on 6.1, 6.12 and 6.18.
 *
 * kmalloc and kfree do not say which cache they used: see kernel_events.bpf.h.
 */
#define KMEM_SHARED_COUNTERS 0
#include "collect.bpf.h"
#include "kernel_events.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Two events of one large kmalloc are closer together than this. */
#define DUPLICATE_NS 1000000

const volatile bool count_sizes = false; /* set by the user side, with the size of the map */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct kmem_size_key);
	__type(value, __u64);
} sizes SEC(".maps");

/* The last large kmalloc of a CPU, counted under `key`. */
struct last_large {
	__u64 ptr;
	__u64 task;
	__u64 time_ns;
	__u64 bytes_req, bytes_alloc;
	struct kmem_count_key key;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct last_large);
} last_large SEC(".maps");

/* Adds to, or with -1 takes from, the kmalloc() calls of one size. Only kernel_kmalloc() does: plain additions. */
static __always_inline void count_size(__u64 cache, __u32 bytes_req, __s64 n)
{
	const struct kmem_size_key key = { .cache = cache, .bytes_req = bytes_req };
	__u64 *count = bpf_map_lookup_elem(&sizes, &key);
	struct kmem_totals *sum;
	const __u64 none = 0;

	if (!count) {
		bpf_map_update_elem(&sizes, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&sizes, &key);
	}
	if (count) {
		*count += n;
		return;
	}
	sum = kmem_totals();
	if (sum)
		kmem_add_shared(&sum->sizes_full, 1);
}

/* Takes back what an event added: it was the first of two about one object. */
static __always_inline void uncount(const struct last_large *last)
{
	struct kmem_totals *sum = kmem_totals();
	struct kmem_count *count = bpf_map_lookup_elem(&counts, &last->key);

	if (!sum || !count)
		return;
	sum->events[KMEM_EV_KMALLOC] -= 1;
	kmem_add_shared(&sum->duplicates, 1);
	count->events -= 1;
	count->bytes_req -= last->bytes_req;
	count->bytes_alloc -= last->bytes_alloc;
	if (count_sizes)
		count_size(KMEM_KEY_LARGE, last->bytes_req, -1);
}

/*
 * A large __kmalloc() fires twice on 6.12 and 6.18 (once on 6.1): first from inside, with a call
 * site inside the allocator, then with the true call site. Keeps the second.
 */
static __always_inline void fold_large(__u64 ptr, const struct kmem_count_key *key,
				       __u64 bytes_req, __u64 bytes_alloc)
{
	__u32 zero = 0;
	__u64 task = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	struct last_large *last = bpf_map_lookup_elem(&last_large, &zero);

	if (!last)
		return;
	if (last->ptr == ptr && last->task == task && now - last->time_ns < DUPLICATE_NS) {
		uncount(last);
		last->ptr = 0;
		return;
	}
	last->ptr = ptr;
	last->task = task;
	last->time_ns = now;
	last->bytes_req = bytes_req;
	last->bytes_alloc = bytes_alloc;
	last->key = *key;
}

/* A freed block may come back at once: then it is not a duplicate. */
static __always_inline void forget_large(__u64 ptr)
{
	__u32 zero = 0;
	struct last_large *last = bpf_map_lookup_elem(&last_large, &zero);

	if (last && last->ptr == ptr)
		last->ptr = 0;
}

/* kmem_cache_alloc(call_site, ptr, cache, gfp_flags, node) */
SEC("raw_tp/kmem_cache_alloc")
int kernel_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_cache *cache = (void *)ctx->args[2];
	struct kmem_count_key key = {
		.cache = (__u64)cache,
		.call_site = ctx->args[0],
		.type = KMEM_EV_CACHE_ALLOC,
	};

	if (!is_wanted() || !kmem_is_object(ctx->args[1]))
		return 0;
	kmem_on_alloc(&key, BPF_CORE_READ(cache, object_size), BPF_CORE_READ(cache, size));
	return 0;
}

/* kmem_cache_free(call_site, ptr, cache) */
SEC("raw_tp/kmem_cache_free")
int kernel_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_count_key key = {
		.cache = ctx->args[2],
		.call_site = ctx->args[0],
		.type = KMEM_EV_CACHE_FREE,
	};

	if (is_wanted() && kmem_is_freed_object(ctx->args[1]))
		kmem_on_free(&key, 0);
	return 0;
}

/* kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node) */
SEC("raw_tp/kmalloc")
int kernel_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 ptr = ctx->args[1], bytes_req = ctx->args[2], bytes_alloc = ctx->args[3];
	struct kmem_count_key key = { .call_site = ctx->args[0], .type = KMEM_EV_KMALLOC };

	if (!is_wanted() || !kmem_is_object(ptr))
		return 0;
	key.cache = cache_of(ptr);
	if (key.cache == KMEM_KEY_LARGE)
		fold_large(ptr, &key, bytes_req, bytes_alloc);
	kmem_on_alloc(&key, bytes_req, bytes_alloc);
	if (count_sizes)
		count_size(key.cache, bytes_req, 1);
	return 0;
}

/* kfree(call_site, ptr) */
SEC("raw_tp/kfree")
int kernel_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 ptr = ctx->args[1];
	struct kmem_count_key key = { .call_site = ctx->args[0], .type = KMEM_EV_KFREE };

	if (!is_wanted() || !kmem_is_freed_object(ptr))
		return 0;
	key.cache = cache_of(ptr);
	if (key.cache == KMEM_KEY_LARGE)
		forget_large(ptr);
	kmem_on_free(&key, 0);
	return 0;
}

static __always_inline void on_pages(__u32 type, __u64 page, __u32 order)
{
	struct kmem_count_key key = { .cache = KMEM_KEY_PAGES, .type = type };
	__u64 bytes = order_bytes(order);

	if (!page)
		kmem_on_failed();
	else if (type == KMEM_EV_PAGE_ALLOC)
		kmem_on_alloc(&key, bytes, bytes);
	else
		kmem_on_free(&key, bytes);
}

/* mm_page_alloc(page, order, gfp_flags, migratetype) */
SEC("raw_tp/mm_page_alloc")
int kernel_page_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_wanted())
		on_pages(KMEM_EV_PAGE_ALLOC, ctx->args[0], ctx->args[1]);
	return 0;
}

/* mm_page_free(page, order) */
SEC("raw_tp/mm_page_free")
int kernel_page_free(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_wanted())
		on_pages(KMEM_EV_PAGE_FREE, ctx->args[0], ctx->args[1]);
	return 0;
}
