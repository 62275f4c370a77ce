// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * batch.bpf.c - takes over full buffers of the probe kmem:batch.
 *
 * One run copies 32 KiB, 1022 events: the trap and the copy, some 2 ns per event. The ring buffer is
 * read by polling (BPF_RB_NO_WAKEUP): waking a reader would cost as much again.
 * What does not fit is counted, never waited for.
 *
 * The cookie says which process it is, for which the reader keeps a number.
 */
#include "vmlinux.h"
#include "kmem_event.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24); /* the user side chooses */
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmem_batch_totals);
} totals SEC(".maps");

/* rdi the buffer, esi the number of records. */
SEC("uprobe")
int library_batch(struct pt_regs *ctx)
{
	__u32 zero = 0, records = (__u32)ctx->si;
	__u32 bytes = KMEM_BATCH_HEADER_BYTES + records * KMEM_BATCH_RECORD_BYTES;
	struct kmem_batch_totals *total = bpf_map_lookup_elem(&totals, &zero);
	struct kmem_batch_chunk *chunk;

	if (!total)
		return 0;
	chunk = bpf_ringbuf_reserve(&ring, sizeof(*chunk), 0);
	if (!chunk) {
		total->lost += records;
		return 0;
	}
	/* Not more than there is: what lies behind may never have been touched, and cannot be read here. */
	if (bytes > sizeof(chunk->bytes) || bpf_probe_read_user(chunk->bytes, bytes, (const void *)ctx->di)) {
		total->unreadable += records;
		bpf_ringbuf_discard(chunk, BPF_RB_NO_WAKEUP);
		return 0;
	}
	chunk->address = ctx->di;
	chunk->target = bpf_get_attach_cookie(ctx);
	chunk->records = records;
	total->delivered += records;
	bpf_ringbuf_submit(chunk, BPF_RB_NO_WAKEUP);
	return 0;
}

/* On the places that nothing passes: only the semaphore that comes with each matters. */
SEC("uprobe")
int library_batch_place(struct pt_regs *ctx)
{
	return 0;
}
