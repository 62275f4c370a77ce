// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * library.bpf.c - counts the events of processes that carry libkmem.
 *
 * Two programs per USDT probe of the provider "kmem"; which one is attached
 * depends on where the probe's note says that the arguments are:
 *
 *   library_*       plain uprobe at the address in the note, with the probe's
 *                   semaphore as reference counter. Takes the arguments from the
 *                   registers of the calling convention, where they still are
 *                   when a probe fires first thing in a function of its own.
 *                   0.61 us per event, nearly all of it the trap (an empty
 *                   program: 0.62).
 *   library_usdt_*  libbpf decodes the note: right wherever the compiler has put
 *                   the arguments, but 0.95 us per event.
 *
 * The user side compares each note with these registers (tools/common/collect.c):
 *
 *   kmem_cache_alloc  rdi call_site  rsi ptr  rdx name  rcx bytes_req  r8 bytes_alloc
 *   kmalloc           rdi call_site  rsi ptr  rdx bytes_req  rcx bytes_alloc
 *   kmem_cache_free   rdi call_site  rsi ptr
 *   kfree             rdi call_site  rsi ptr
 *   mm_page_alloc     rdi pfn  rsi order
 *   mm_page_free      rdi pfn  rsi order
 *
 * The attach cookie says which slot of `targets` describes the process. That is
 * cheaper than a hash lookup by process id, and right in a pid namespace, where
 * the ids that a program sees are not those that the tool knows.
 */
#define KMEM_SHARED_COUNTERS 1
#include "collect.bpf.h"
#include "objects.bpf.h"
#include <bpf/bpf_tracing.h>

#define BPF_USDT_MAX_SPEC_CNT (KMEM_MAX_TARGETS * KMEM_EV_NR)
#include <bpf/usdt.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PAGE_SHIFT 12
#define PAGE_BYTES (1ULL << PAGE_SHIFT)
#define MAX_ORDER  52 /* any more cannot be an address */

/* As in alloc/include/kmem/observe.h. */
#define ID_NONE  0
#define ID_LARGE 0xffff
#define ID_PAGES 0xfffe
#define ID_GUARD 0xfffd

#define PAGE_DESC_BYTES 64 /* sizeof(struct page) */
#define PAGE_CACHE_ID   4  /* offsetof(struct page, cache_id) */
#define PAGE_PLACE(page) (((page) & ~1023ULL) | ((page) & 7) << 7 | ((page) >> 3 & 127)) /* kmem_page_place() */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KMEM_MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct kmem_target);
} targets SEC(".maps");

/* The process that fired, or NULL if it is no longer watched. */
static __always_inline struct kmem_target *target_of(__u32 slot)
{
	struct kmem_target *target = bpf_map_lookup_elem(&targets, &slot);

	return target && target->tgid ? target : NULL;
}

/* The cache key of an object: the process's own page -> cache id map says it. */
static __always_inline __u64 cache_of(const struct kmem_target *target, __u64 ptr)
{
	__u16 id = ID_NONE;
	__u64 page;

	if (ptr < target->arena_base || ptr >= target->arena_limit)
		return KMEM_KEY_UNKNOWN;
	page = (ptr - target->arena_base) >> PAGE_SHIFT;
	if (bpf_probe_read_user(&id, sizeof(id), (void *)(target->idmap + page * sizeof(id))))
		return KMEM_KEY_UNKNOWN;
	/* An object between guard pages: its page descriptor says whose. */
	if (id == ID_GUARD && bpf_probe_read_user(&id, sizeof(id), (void *)(target->pages + PAGE_CACHE_ID +
									    PAGE_PLACE(page) * PAGE_DESC_BYTES)))
		return KMEM_KEY_UNKNOWN;
	switch (id) {
	case ID_NONE:
		return KMEM_KEY_UNKNOWN;
	case ID_LARGE:
		return KMEM_KEY_LARGE;
	case ID_PAGES:
		return KMEM_KEY_PAGES;
	default:
		return id + KMEM_KEY_ID_BASE;
	}
}

static __always_inline int on_alloc(__u32 slot, __u32 type, __u64 call_site, __u64 ptr,
				    __u64 bytes_req, __u64 bytes_alloc)
{
	const struct kmem_target *target = target_of(slot);
	struct kmem_count_key key = { .call_site = call_site, .type = type };

	if (!target || !kmem_is_object(ptr))
		return 0;
	key.tgid = target->tgid;
	key.cache = cache_of(target, ptr);
	kmem_on_alloc(&key, bytes_req, bytes_alloc);
	kmem_object_made(key.tgid, ptr, call_site, bytes_req);
	return 0;
}

static __always_inline int on_free(__u32 slot, __u32 type, __u64 call_site, __u64 ptr)
{
	const struct kmem_target *target = target_of(slot);
	struct kmem_count_key key = { .call_site = call_site, .type = type };

	if (!target || !kmem_is_freed_object(ptr))
		return 0;
	key.tgid = target->tgid;
	key.cache = cache_of(target, ptr);
	kmem_on_free(&key, 0);
	kmem_object_gone(key.tgid, ptr);
	return 0;
}

static __always_inline int on_pages(__u32 slot, __u32 type, __s64 pfn, __u32 order)
{
	const struct kmem_target *target = target_of(slot);
	struct kmem_count_key key = { .cache = KMEM_KEY_PAGES, .type = type };
	__u64 bytes = order < MAX_ORDER ? PAGE_BYTES << order : 0;

	if (!target)
		return 0;
	if (pfn < 0) {
		kmem_on_failed();
		return 0;
	}
	key.tgid = target->tgid;
	if (type == KMEM_EV_PAGE_ALLOC)
		kmem_on_alloc(&key, bytes, bytes);
	else
		kmem_on_free(&key, bytes);
	return 0;
}

/* ---- arguments in the registers of the calling convention ---- */

SEC("uprobe")
int library_cache_alloc(struct pt_regs *ctx)
{
	return on_alloc(bpf_get_attach_cookie(ctx), KMEM_EV_CACHE_ALLOC, ctx->di, ctx->si,
			ctx->cx, ctx->r8);
}

SEC("uprobe")
int library_cache_free(struct pt_regs *ctx)
{
	return on_free(bpf_get_attach_cookie(ctx), KMEM_EV_CACHE_FREE, ctx->di, ctx->si);
}

SEC("uprobe")
int library_kmalloc(struct pt_regs *ctx)
{
	return on_alloc(bpf_get_attach_cookie(ctx), KMEM_EV_KMALLOC, ctx->di, ctx->si,
			ctx->dx, ctx->cx);
}

SEC("uprobe")
int library_kfree(struct pt_regs *ctx)
{
	return on_free(bpf_get_attach_cookie(ctx), KMEM_EV_KFREE, ctx->di, ctx->si);
}

SEC("uprobe")
int library_page_alloc(struct pt_regs *ctx)
{
	return on_pages(bpf_get_attach_cookie(ctx), KMEM_EV_PAGE_ALLOC, ctx->di, ctx->si);
}

SEC("uprobe")
int library_page_free(struct pt_regs *ctx)
{
	return on_pages(bpf_get_attach_cookie(ctx), KMEM_EV_PAGE_FREE, ctx->di, ctx->si);
}

/* ---- arguments wherever the note says ---- */

SEC("usdt")
int BPF_USDT(library_usdt_cache_alloc, __u64 call_site, __u64 ptr, __u64 name, __u64 bytes_req,
	     __u64 bytes_alloc)
{
	return on_alloc(bpf_usdt_cookie(ctx), KMEM_EV_CACHE_ALLOC, call_site, ptr, bytes_req,
			bytes_alloc);
}

SEC("usdt")
int BPF_USDT(library_usdt_cache_free, __u64 call_site, __u64 ptr)
{
	return on_free(bpf_usdt_cookie(ctx), KMEM_EV_CACHE_FREE, call_site, ptr);
}

SEC("usdt")
int BPF_USDT(library_usdt_kmalloc, __u64 call_site, __u64 ptr, __u64 bytes_req, __u64 bytes_alloc)
{
	return on_alloc(bpf_usdt_cookie(ctx), KMEM_EV_KMALLOC, call_site, ptr, bytes_req,
			bytes_alloc);
}

SEC("usdt")
int BPF_USDT(library_usdt_kfree, __u64 call_site, __u64 ptr)
{
	return on_free(bpf_usdt_cookie(ctx), KMEM_EV_KFREE, call_site, ptr);
}

SEC("usdt")
int BPF_USDT(library_usdt_page_alloc, __s64 pfn, __u32 order)
{
	return on_pages(bpf_usdt_cookie(ctx), KMEM_EV_PAGE_ALLOC, pfn, order);
}

SEC("usdt")
int BPF_USDT(library_usdt_page_free, __s64 pfn, __u32 order)
{
	return on_pages(bpf_usdt_cookie(ctx), KMEM_EV_PAGE_FREE, pfn, order);
}
