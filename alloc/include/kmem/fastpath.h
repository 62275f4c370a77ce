/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fastpath.h - allocation and free of a cached object as inline code.
 *
 * kmem_cache_alloc_inline() and kmem_cache_free_inline() do what the functions
 * of the same name without _inline do, without the call: about half the time.
 * Both forms may be mixed freely. x86-64 Linux with glibc 2.35 or later.
 *
 * How it works: the slot of the running CPU (struct kmem_slot, observe.h) is
 * changed in a restartable sequence. The kernel sends a thread that is
 * preempted, migrated or interrupted by a signal between labels 1 and 2 to
 * label 4, and the sequence starts again; the one store before label 2 makes
 * the change. No atomic instruction, no lock, safe in signal handlers. The
 * address of the slots is loaded inside the sequence, so that swapping it and
 * issuing one membarrier() takes every slot away from every CPU.
 *
 *      slot.word:   63 .............. 16 15 ........ 0
 *                   allocations served   objects held
 *
 * pop adds 0xffff: one more served, one less held. push adds 1.
 */
#ifndef KMEM_FASTPATH_H
#define KMEM_FASTPATH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/rseq.h>
#include <kmem/attr.h>
#include <kmem/gfp.h>
#include <kmem/observe.h>

KMEM_BEGIN

#define KMEM_PERCPU_SHIFT 24 /* log2 of the distance between two CPUs' slots */

/*
 * The descriptor of the critical section 1..2 that aborts to 4, its announcement
 * to the kernel, and the first steps of every section: rcx the distance of the
 * running CPU's memory from CPU 0's; then the slot.
 * An abort starts again at 6; the kernel wants the signature that glibc
 * registered with in front of the abort handler.
 *
 * No asm goto with outputs: GCC before 12.4 miscompiles it (PR 113921).
 */
#define KMEM_RSEQ_DESCRIPTOR                                      \
	".pushsection __rseq_cs, \"aw\"\n\t"                      \
	".balign 32\n"                                            \
	"9:\t.long 0, 0\n\t"                                      \
	".quad 1f, 2f - 1f, 4f\n\t"                               \
	".popsection\n\t"                                         \
	".pushsection __rseq_cs_ptr_array, \"aw\"\n\t"            \
	".quad 9b\n\t"                                            \
	".popsection\n"
#define KMEM_RSEQ_ENTER KMEM_RSEQ_DESCRIPTOR                      \
	"6:\tleaq 9b(%%rip), %%r11\n\t"                           \
	"movq %%r11, %%fs:8(%[rseq])\n"                           \
	"1:\n\t"                                                  \
	"movl %%fs:(%[id]), %%ecx\n\t"                            \
	"shlq $24, %%rcx\n\t"
#define KMEM_RSEQ_BEGIN KMEM_RSEQ_ENTER "addq (%[s]), %%rcx\n\t"

/* The next steps: r11 its word, edx the number of objects held. */
#define KMEM_SLOT_WORD                                            \
	"movq (%%rcx), %%r11\n\t"                                 \
	"movzwl %%r11w, %%edx\n\t"

#define KMEM_RSEQ_END                                             \
	"2:\n\t"                                                  \
	".pushsection __rseq_failure, \"ax\"\n\t"                 \
	".byte 0x0f, 0xb9, 0x3d\n\t"                              \
	".long 0x53053053\n"                                      \
	"4:\tjmp 6b\n\t"                                         \
	".popsection\n\t"

/*
 * Take one object from the running CPU's slot of s. Return: 0 when it is empty.
 * Neither lea nor mov changes the flags, so the test's result is the answer.
 */
static inline __attribute__((__always_inline__)) int kmem_slot_pop(const struct kmem_cache *s, ptrdiff_t rseq,
								   ptrdiff_t id, void **object)
{
	int got;

	__asm__ volatile(KMEM_RSEQ_BEGIN KMEM_SLOT_WORD
		"testl %%edx, %%edx\n\t"
		"jz 2f\n\t"
		"movq 24(%%rcx,%%rdx,8), %[object]\n\t"
		"leaq 0xffff(%%r11), %%r11\n\t"
		"movq %%r11, (%%rcx)\n"
		KMEM_RSEQ_END
		: [object] "=&r"(*object), "=@ccnz"(got)
		: [rseq] "r"(rseq), [id] "r"(id), [s] "r"(s)
		: "r11", "rcx", "rdx", "memory");
	return got;
}

/*
 * Two wrong frees that a push sees: an address that has a bit set which is 0 in every
 * object's (an unaligned one, and most inside an object), and the object on top once
 * more. Below the first object lies the header's last word, which is no address.
 */
#define KMEM_REFUSE_ADDRESS                                       \
	"testq %[object], 8(%[s])\n\t"                           \
	"jnz %l[no]\n\t"
#define KMEM_REFUSE_TOP                                           \
	"cmpq %[object], 24(%%rcx,%%rdx,8)\n\t"                  \
	"je %l[no]\n\t"

/* Put one object into the running CPU's slot of s. Return: 0 when it is full, or the free is wrong. */
static inline __attribute__((__always_inline__)) int kmem_slot_push(const struct kmem_cache *s, ptrdiff_t rseq,
								    ptrdiff_t id, void *object)
{
	__asm__ goto(KMEM_REFUSE_ADDRESS KMEM_RSEQ_BEGIN KMEM_SLOT_WORD
		"cmpl 16(%%rcx), %%edx\n\t"
		"jae %l[no]\n\t"
		KMEM_REFUSE_TOP
		"movq %[object], 32(%%rcx,%%rdx,8)\n\t"
		"leaq 1(%%r11), %%r11\n\t"
		"movq %%r11, (%%rcx)\n"
		KMEM_RSEQ_END
		:
		: [rseq] "r"(rseq), [id] "r"(id), [s] "r"(s), [object] "r"(object)
		: "r11", "rcx", "rdx", "memory", "cc"
		: no);
	return 1;
no:
	return 0;
}

/*
 * What inline code needs to know of the process, constant once the library is
 * initialised: the offset of the CPU id from the thread pointer, and a word for
 * each of the probes kmem_cache_alloc and kmem_cache_free: 0 when nobody traces
 * it, else more than any slot holds. Two variables,
 * because compilers keep constant scalars in registers across a loop, and
 * members of a constant structure not.
 */
extern KMEM_API const ptrdiff_t kmem_fast_id;
extern KMEM_API const uint32_t *const kmem_fast_semaphore;

/* What the inline forms fall back to: the whole call, probe included. */
KMEM_API void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp);
KMEM_API void kmem_cache_free(struct kmem_cache *s, void *object);

/*
 * kmem_slot_pop() and kmem_slot_push() that also fail when somebody traces: the
 * words above join the comparison that is made anyway, so that dormant probes
 * cost two instructions a pair and no branch.
 */
static inline __attribute__((__always_inline__)) int kmem_slot_pop_dormant(const struct kmem_cache *s, void **object)
{
	int got;

	__asm__ volatile(KMEM_RSEQ_BEGIN KMEM_SLOT_WORD
		"cmpl %[traced], %%edx\n\t"
		"jbe 2f\n\t"
		"movq 24(%%rcx,%%rdx,8), %[object]\n\t"
		"leaq 0xffff(%%r11), %%r11\n\t"
		"movq %%r11, (%%rcx)\n"
		KMEM_RSEQ_END
		: [object] "=&r"(*object), "=@cca"(got)
		: [rseq] "r"(__rseq_offset), [id] "r"(kmem_fast_id), [s] "r"(s), [traced] "m"(kmem_fast_semaphore[0])
		: "r11", "rcx", "rdx", "memory");
	return got;
}

static inline __attribute__((__always_inline__)) int kmem_slot_push_dormant(const struct kmem_cache *s, void *object)
{
	__asm__ goto(KMEM_REFUSE_ADDRESS KMEM_RSEQ_BEGIN KMEM_SLOT_WORD
		"addl %[traced], %%edx\n\t"
		"cmpl 16(%%rcx), %%edx\n\t"
		"jae %l[no]\n\t"
		KMEM_REFUSE_TOP
		"movq %[object], 32(%%rcx,%%rdx,8)\n\t"
		"leaq 1(%%r11), %%r11\n\t"
		"movq %%r11, (%%rcx)\n"
		KMEM_RSEQ_END
		:
		: [rseq] "r"(__rseq_offset), [id] "r"(kmem_fast_id), [s] "r"(s), [object] "r"(object),
		  [traced] "m"(kmem_fast_semaphore[1])
		: "r11", "rcx", "rdx", "memory", "cc"
		: no);
	return 1;
no:
	return 0;
}

/* As kmem_cache_alloc(). */
static inline __attribute__((__always_inline__)) void *kmem_cache_alloc_inline(struct kmem_cache *s, gfp_t gfp)
{
	void *object;

	if (__builtin_expect((gfp & __GFP_ZERO) != 0, 0))
		return kmem_cache_alloc(s, gfp);
	if (__builtin_expect(kmem_slot_pop_dormant(s, &object), 1))
		return object;
	return kmem_cache_alloc(s, gfp);
}

/* As kmem_cache_free(). NULL is not allowed here. */
static inline __attribute__((__always_inline__)) void kmem_cache_free_inline(struct kmem_cache *s, void *object)
{
	if (__builtin_expect(!kmem_slot_push_dormant(s, object), 0))
		kmem_cache_free(s, object);
}

KMEM_END

#endif
