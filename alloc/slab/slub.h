/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slub.h - allocation and free of cached objects: the core, without probes.
 *
 *   object <- slot of the running CPU          kmem/fastpath.h   1 ns
 *             | empty: full sheaf of the barn  slub.c            one lock per sheaf
 *             | none: bits of partial slabs    node.c, slab.c
 *             | none: a new slab               slab.c, page/
 *
 * Free is the way back: slot, barn, slabs, page allocator.
 */
#ifndef SLAB_SLUB_H
#define SLAB_SLUB_H

#include "base/trace.h"
#include "slab/barn.h"
#include "slab/slots.h"

/* One allocation, as slow paths see it. */
struct slab_request {
	gfp_t gfp;
	int nid;               /* -1: the running CPU's node */
	size_t size;           /* bytes asked for: object_size, or less with kmalloc() */
	const void *call_site; /* in the program */
};

/* One object, cleared with __GFP_ZERO. NULL when out of memory. */
void *slub_alloc_request(struct kmem_cache *s, const struct slab_request *request);

/* The slow halves. */
void *slub_alloc_slow(struct kmem_cache *s, gfp_t gfp);
void slub_free_slow(struct kmem_cache *s, void *object);

/* __GFP_ZERO: clear object_size bytes, unless a constructor's state is in them. Return: object. */
void *slub_zero(const struct kmem_cache *s, void *object);

/*
 * kmem_slot_pop() and kmem_slot_push() of kmem/fastpath.h for code behind a call:
 * they change the word in place, which saves two instructions. Inlined into a loop
 * that is slower, because the next section waits longer for the store; here it is
 * not. TEST: stop unless edx, the number held, allows it. A push that fails leaves it to
 * slub_free_slow() to find out why: no room, or a wrong free (slab/refuse.h).
 */
#define SLUB_POP(TEST, CONDITION, ...)                                                       \
	__asm__ volatile(KMEM_RSEQ_BEGIN                                                     \
		"movzwl (%%rcx), %%edx\n\t"                                                  \
		TEST                                                                         \
		"movq 24(%%rcx,%%rdx,8), %[object]\n\t"                                      \
		"addq $0xffff, (%%rcx)\n"                                                    \
		KMEM_RSEQ_END                                                                \
		: [object] "=&r"(*object), CONDITION(got)                                    \
		: [rseq] "r"(percpu_tls.rseq), [id] "r"(percpu_tls.id), [s] "r"(s), ##__VA_ARGS__ \
		: "r11", "rcx", "rdx", "memory")

#define SLUB_PUSH(TEST, ...)                                                                 \
	__asm__ goto(KMEM_REFUSE_ADDRESS KMEM_RSEQ_BEGIN                                     \
		"movzwl (%%rcx), %%edx\n\t"                                                  \
		TEST                                                                         \
		"cmpl 16(%%rcx), %%edx\n\t"                                                  \
		"jae %l[no]\n\t"                                                             \
		KMEM_REFUSE_TOP                                                              \
		"movq %[object], 32(%%rcx,%%rdx,8)\n\t"                                      \
		"incq (%%rcx)\n"                                                             \
		KMEM_RSEQ_END                                                                \
		:                                                                            \
		: [rseq] "r"(percpu_tls.rseq), [id] "r"(percpu_tls.id), [s] "r"(s),           \
		  [object] "r"(object), ##__VA_ARGS__                                        \
		: "r11", "rcx", "rdx", "memory", "cc"                                        \
		: no)

/*
 * A pop from a slot that may count to a sample (slab/sampler.h). Return: whether the count has passed, by the pop of
 * *object from *slot; else *object is NULL when the slot is empty.
 */
static force_inline bool slub_pop_counted(const struct kmem_cache *s, void **object, struct kmem_slot **slot)
{
	bool passed;

	__asm__ volatile(KMEM_RSEQ_BEGIN
		"xorl %k[object], %k[object]\n\t"
		"movzwl (%%rcx), %%edx\n\t"
		"testl %%edx, %%edx\n\t"
		"jz 2f\n\t"
		"movq 24(%%rcx,%%rdx,8), %[object]\n\t"
		"addq $0xffff, (%%rcx)\n"
		KMEM_RSEQ_END
		: [object] "=&r"(*object), "=&c"(*slot), "=@ccc"(passed)
		: [rseq] "r"(percpu_tls.rseq), [id] "r"(percpu_tls.id), [s] "r"(s)
		: "r11", "rdx", "memory");
	return passed;
}

/*
 * The count has passed with the pop of this object. Return: true, and it is the caller's; or false, it was put back:
 * the sample is what the thread gets on the slow path next (slub_alloc_request()). Takes the node lock.
 */
bool slub_due(struct kmem_cache *s, void *object, struct kmem_slot *slot);

static force_inline bool slub_pop(struct kmem_cache *s, void **object)
{
	struct kmem_slot *slot;

	if (unlikely(slub_pop_counted(s, object, &slot)))
		return slub_due(s, *object, slot);
	return *object;
}

static force_inline bool slub_push(const struct kmem_cache *s, void *object)
{
	SLUB_PUSH("");
	return true;
no:
	return false;
}

/* The same, which also fail when somebody traces the event (base/trace.h): one comparison for both. */
static force_inline bool slub_pop_dormant(const struct kmem_cache *s, enum trace_event event, void **object)
{
	bool got;

	SLUB_POP("cmpl %[traced], %%edx\n\tjbe 2f\n\t", "=@cca", [traced] "m"(trace_semaphore[event]));
	return got;
}

static force_inline bool slub_push_dormant(const struct kmem_cache *s, enum trace_event event, void *object)
{
	SLUB_PUSH("addl %[traced], %%edx\n\t", [traced] "m"(trace_semaphore[event]));
	return true;
no:
	return false;
}

enum slub_pushed {
	SLUB_PUSHED,
	SLUB_FULL,
	SLUB_TWICE, /* it is the last one that was freed here: nothing was done */
};

/* slub_push() for callers that programs get wrong: it looks at the object on top first. */
static force_inline enum slub_pushed slub_push_once(const struct kmem_cache *s, void *object)
{
	__asm__ goto(KMEM_RSEQ_BEGIN KMEM_SLOT_WORD
		"cmpl 16(%%rcx), %%edx\n\t"
		"jae %l[full]\n\t"
		/* The top; of an empty slot the header's last word, which is no address. */
		"cmpq %[object], 24(%%rcx,%%rdx,8)\n\t"
		"je %l[twice]\n\t"
		"movq %[object], 32(%%rcx,%%rdx,8)\n\t"
		"leaq 1(%%r11), %%r11\n\t"
		"movq %%r11, (%%rcx)\n"
		KMEM_RSEQ_END
		:
		: [rseq] "r"(percpu_tls.rseq), [id] "r"(percpu_tls.id), [s] "r"(s), [object] "r"(object)
		: "r11", "rcx", "rdx", "memory", "cc"
		: full, twice);
	return SLUB_PUSHED;
full:
	return SLUB_FULL;
twice:
	return SLUB_TWICE;
}

/*
 * One object, cleared with __GFP_ZERO. NULL when out of memory. What is not the
 * fast path is a tail call, so that callers need no stack frame.
 */
static force_inline void *slub_alloc(struct kmem_cache *s, gfp_t gfp)
{
	void *object;

	if (unlikely(!slub_pop(s, &object)))
		return slub_alloc_slow(s, gfp);
	if (unlikely(gfp & __GFP_ZERO))
		return slub_zero(s, object);
	return object;
}

static force_inline void slub_free(struct kmem_cache *s, void *object)
{
	if (unlikely(!slub_push(s, object)))
		slub_free_slow(s, object);
}

/*
 * For any context, signal handlers included: nothing is waited for, no page is
 * taken or given back. Alloc: NULL when the lock is taken, nothing is there, or
 * the cache is a debug cache. Free: what cannot go back now is left to the next
 * holder of the lock, chained through the object, which is at least 8 bytes.
 */
void *slub_alloc_try(struct kmem_cache *s);
void slub_free_try(struct kmem_cache *s, void *object);

/* size objects or none. */
bool slub_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t size, void **object);
void slub_free_bulk(struct kmem_cache *s, size_t size, void **object);

/*
 * Objects that a caller holds in reserve: they count as parked, not as allocated.
 * Take up to n of them. Return: how many; fewer when out of memory; *fast, whether
 * the barn was enough. Give some back: true when they went into the barn.
 */
uint32_t slub_reserve(struct kmem_cache *s, gfp_t gfp, void **object, uint32_t n, bool *fast);
bool slub_unreserve(struct kmem_cache *s, void **object, uint32_t n);

/* One of them is now allocated. Lock-free. */
static inline void slub_reserve_use(struct kmem_cache *s)
{
	__atomic_fetch_add(&s->prefill, (UINT64_C(1) << 24) - 1, __ATOMIC_RELAXED);
}

#endif
