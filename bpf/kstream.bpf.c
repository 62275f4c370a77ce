// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * kstream.bpf.c - every allocation event of the kernel, one record each, in a ring.
 *
 * The ring is read by polling (BPF_RB_NO_WAKEUP): a wakeup per event would cost
 * more than the event. What finds no room is counted, never waited for. What the
 * stream does not have is said at struct kmem_kernel_event.
 */
#include "kernel_events.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define ZERO_SIZE_PTR 16ULL /* kmalloc(0) returns this */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24); /* the user side chooses */
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmem_stream_totals);
} totals SEC(".maps");

/*
 * Of one type only one program writes, and that one never nests in itself:
 * plain additions. null_frees and failed belong to several: atomic.
 */
static __always_inline struct kmem_stream_totals *stream_totals(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&totals, &zero);
}

/* Fills in what all events have, and sends it. */
static __always_inline void send(__u32 type, const struct kmem_kernel_event *what)
{
	struct kmem_stream_totals *sum = stream_totals();
	struct kmem_kernel_event *event;

	if (!sum || type >= KMEM_EV_NR)
		return;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		sum->lost[type]++;
		return;
	}
	*event = *what;
	event->time_ns = bpf_ktime_get_ns();
	event->tgid = bpf_get_current_pid_tgid() >> 32;
	event->cpu = bpf_get_smp_processor_id();
	event->type = type;
	sum->events[type]++;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

static __always_inline bool is_object(__u64 ptr, bool allocated)
{
	struct kmem_stream_totals *sum;

	if (ptr > ZERO_SIZE_PTR)
		return true;
	sum = stream_totals();
	if (sum)
		__sync_fetch_and_add(allocated && !ptr ? &sum->failed : &sum->null_frees, 1);
	return false;
}

/* kmem_cache_alloc(call_site, ptr, cache, gfp_flags, node) */
SEC("raw_tp/kmem_cache_alloc")
int kstream_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_cache *cache = (void *)ctx->args[2];
	struct kmem_kernel_event event = {
		.address = ctx->args[1],
		.cache = (__u64)cache,
		.call_site = ctx->args[0],
		.node = ctx->args[4],
	};

	if (!is_wanted() || !is_object(event.address, true))
		return 0;
	event.bytes_req = BPF_CORE_READ(cache, object_size);
	event.bytes_alloc = BPF_CORE_READ(cache, size);
	send(KMEM_EV_CACHE_ALLOC, &event);
	return 0;
}

/* kmem_cache_free(call_site, ptr, cache) */
SEC("raw_tp/kmem_cache_free")
int kstream_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_kernel_event event = {
		.address = ctx->args[1],
		.cache = ctx->args[2],
		.call_site = ctx->args[0],
	};

	if (is_wanted() && is_object(event.address, false))
		send(KMEM_EV_CACHE_FREE, &event);
	return 0;
}

/* kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node) */
SEC("raw_tp/kmalloc")
int kstream_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_kernel_event event = {
		.address = ctx->args[1],
		.call_site = ctx->args[0],
		.bytes_req = ctx->args[2],
		.bytes_alloc = ctx->args[3],
		.node = ctx->args[5],
	};

	if (!is_wanted() || !is_object(event.address, true))
		return 0;
	event.cache = cache_of(event.address);
	send(KMEM_EV_KMALLOC, &event);
	return 0;
}

/* kfree(call_site, ptr) */
SEC("raw_tp/kfree")
int kstream_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_kernel_event event = {
		.address = ctx->args[1],
		.call_site = ctx->args[0],
	};

	if (!is_wanted() || !is_object(event.address, false))
		return 0;
	event.cache = cache_of(event.address);
	send(KMEM_EV_KFREE, &event);
	return 0;
}

static __always_inline void on_pages(__u32 type, __u64 page, __u32 order)
{
	const struct kmem_kernel_event event = {
		.address = page,
		.cache = KMEM_KEY_PAGES,
		.bytes_req = order_bytes(order),
		.bytes_alloc = order_bytes(order),
		.node = -1,
	};

	if (is_wanted() && is_object(page, type == KMEM_EV_PAGE_ALLOC))
		send(type, &event);
}

/* mm_page_alloc(page, order, gfp_flags, migratetype) */
SEC("raw_tp/mm_page_alloc")
int kstream_page_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	on_pages(KMEM_EV_PAGE_ALLOC, ctx->args[0], ctx->args[1]);
	return 0;
}

/* mm_page_free(page, order) */
SEC("raw_tp/mm_page_free")
int kstream_page_free(struct bpf_raw_tracepoint_args *ctx)
{
	on_pages(KMEM_EV_PAGE_FREE, ctx->args[0], ctx->args[1]);
	return 0;
}
