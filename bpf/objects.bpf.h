/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * objects.bpf.h - remembers for every live object who allocated it, and when.
 *
 * Off unless the user side sets `track_objects` before the load. It lies in
 * .rodata, so that the verifier knows its value and drops the code behind it:
 * what is not switched on costs nothing. The user side then also gives the map
 * its size.
 *
 * An object is its process's own between allocation and free, so the events of
 * one key come one after the other, whatever other threads do: the allocation
 * fires before the address is handed out, the free before it is taken back.
 * Hence no locks. A record on a live key means that a free was not seen: the
 * new allocation replaces it.
 */
#ifndef OBJECTS_BPF_H
#define OBJECTS_BPF_H

#include "collect.bpf.h"

#define ENOENT 2

const volatile bool track_objects = false;

/*
 * Not preallocated: room for a million objects must not cost its memory before
 * they exist. Uprobes run in a process's context, where that is allowed; an
 * allocation may still fail, which counts as a loss.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct kmem_object_key);
	__type(value, struct kmem_object);
} objects SEC(".maps");

static __always_inline void kmem_object_lost(void)
{
	struct kmem_totals *sum = kmem_totals();

	if (sum)
		kmem_add_shared(&sum->objects_lost, 1);
}

static __always_inline void kmem_record_object(struct kmem_object_key key, __u64 call_site,
					       __u64 bytes_req)
{
	const struct kmem_object object = {
		.call_site = call_site,
		.time_ns = bpf_ktime_get_ns(),
		.bytes_req = bytes_req,
	};
	int ret = bpf_map_update_elem(&objects, &key, &object, BPF_ANY); /* int: see kmem_counter() */

	if (!ret)
		return;
	kmem_object_lost();
	bpf_map_delete_elem(&objects, &key); /* better no record than that of an earlier object */
}

static __always_inline void kmem_forget_object(struct kmem_object_key key)
{
	int ret = bpf_map_delete_elem(&objects, &key); /* int: see kmem_counter() */

	if (ret && ret != -ENOENT) /* -ENOENT: older than the trace */
		kmem_object_lost();
}

/* An object was allocated. */
static __always_inline void kmem_object_made(__u32 tgid, __u64 address, __u64 call_site,
					     __u64 bytes_req)
{
	if (track_objects)
		kmem_record_object((struct kmem_object_key){ .address = address, .tgid = tgid },
				   call_site, bytes_req);
}

/* It is about to be freed. */
static __always_inline void kmem_object_gone(__u32 tgid, __u64 address)
{
	if (track_objects)
		kmem_forget_object((struct kmem_object_key){ .address = address, .tgid = tgid });
}

#endif
