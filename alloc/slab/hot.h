/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hot.h - the whole of kmalloc(), kfree(), malloc() and free() while nothing is
 * special: assembly, so that not one instruction is there for the compiler's sake.
 *
 * The sections of kmem/fastpath.h, with three things merged into what is done anyway:
 * - The CPU id is read from the rseq area at a fixed place, mm_cid's; from three bytes
 *   before, the upper ones of node_id, which are 0, so that it comes shifted by 24. Where it is
 *   elsewhere (percpu.h), every slot found here is the null slot, empty and full.
 * - The number of objects is compared with the probe's word, as inline code does; for
 *   kfree() and free(), the probe's word is part of the arena's base.
 * - Whatever is in the id map has a slot: for what is no cache it is the null slot.
 * So one jump leads to everything else: the slow function, which starts over with the
 * same arguments, as if it had been called.
 *
 * Bodies of naked functions. Used: rax, rcx, rdx, r8 - r11. The first argument and
 * the second stay in rdi and rsi, because sections restart at 6.
 */
#ifndef SLAB_HOT_H
#define SLAB_HOT_H

#include "base/percpu.h"
#include "base/trace.h"
#include "page/page.h"

#define HOT_STRING_(x) #x
#define HOT_STRING(x)  HOT_STRING_(x)

/* Places of variables: assembly takes no offsetof(). */
#define HOT_TLS_AREA      16
#define HOT_TLS_SLOTS     24
#define HOT_ARENA_GRAINS  8
#define HOT_ARENA_IDMAP   16
#define HOT_ARENA_SHIFT   3 /* log2 of ARENA_GRAIN */
#define HOT_PAGE_SHIFT    9 /* pages from grains */
#define HOT_SLOT_MASK     28
#define HOT_TRACE_KMALLOC 12

_Static_assert(offsetof(struct percpu_tls, area) == HOT_TLS_AREA, "place in percpu_tls");
_Static_assert(offsetof(struct percpu_tls, slots) == HOT_TLS_SLOTS, "place in percpu_tls");
_Static_assert(offsetof(struct arena, grains) == HOT_ARENA_GRAINS, "place in arena");
_Static_assert(offsetof(struct arena, idmap) == HOT_ARENA_IDMAP, "place in arena");
_Static_assert(ARENA_GRAIN == 1 << HOT_ARENA_SHIFT && HOT_ARENA_SHIFT + HOT_PAGE_SHIFT == PAGE_SHIFT, "shifts");
_Static_assert(TRACE_KMALLOC * sizeof(struct trace_semaphore) == HOT_TRACE_KMALLOC, "place in trace_semaphore");
_Static_assert(offsetof(struct kmem_slot, address_mask) == HOT_SLOT_MASK, "place in kmem_slot");
_Static_assert(KMEM_PERCPU_SHIFT == 24, "shift of the CPU id");

/* Into a section: rdx a table of slots, r9 the index. rcx becomes the slot. */
#define HOT_ENTER KMEM_RSEQ_DESCRIPTOR                                    \
	"movq percpu_tls+" HOT_STRING(HOT_TLS_AREA) "(%%rip), %%r10\n"     \
	"6:\tleaq 9b(%%rip), %%r11\n\t"                                   \
	"movq %%r11, %%fs:8(%%r10)\n"                                     \
	"1:\n\t"                                                          \
	"movl %%fs:21(%%r10), %%ecx\n\t"                                  \
	"addq (%%rdx,%%r9,8), %%rcx\n\t"

/*
 * Pop, and return the object; else go to SLOW. The count of allocations passes 2^48 when it comes to a sample
 * (slab/sampler.h): then DUE gets the object and the slot as third and fourth argument.
 */
#define HOT_POP(SLOW, DUE)                                                                \
	HOT_ENTER                                                                         \
	"movzwl (%%rcx), %%r8d\n\t"                                                      \
	"cmpl trace_semaphore+" HOT_STRING(HOT_TRACE_KMALLOC) "(%%rip), %%r8d\n\t"         \
	"jbe " #SLOW "\n\t"                                                               \
	"movq 24(%%rcx,%%r8,8), %%rax\n\t"                                                \
	"addq $0xffff, (%%rcx)\n"                                                         \
	KMEM_RSEQ_END                                                                     \
	"jc 7f\n\t"                                                                      \
	"ret\n"                                                                          \
	"7:\tmovq %%rax, %%rdx\n\t"                                                     \
	"jmp " #DUE "\n\t"

/*
 * Free the object in rdi, unless it is the one that was freed last; else go to SLOW.
 * Rotated, the distance from the arena's base is too large not only for what lies
 * outside, but also for what is not aligned, and while somebody traces (trace.h). The
 * word is loaded as wide as it was stored: a part of it comes late from the store
 * before, a tenth of the time in a row of frees. CHECK: more to look at in the section.
 */
#define HOT_FREE(SLOW, CHECK)                                                                    \
	"movq %%rdi, %%rax\n\t"                                                           \
	"subq trace_base(%%rip), %%rax\n\t"                                                    \
	"rorq $" HOT_STRING(HOT_ARENA_SHIFT) ", %%rax\n\t"                                 \
	"cmpq arena+" HOT_STRING(HOT_ARENA_GRAINS) "(%%rip), %%rax\n\t"                    \
	"jae " #SLOW "\n\t"                                                               \
	"shrq $" HOT_STRING(HOT_PAGE_SHIFT) ", %%rax\n\t"                                  \
	"movq arena+" HOT_STRING(HOT_ARENA_IDMAP) "(%%rip), %%r9\n\t"                      \
	"movzwl (%%r9,%%rax,2), %%r9d\n\t"                                                \
	"movq percpu_tls+" HOT_STRING(HOT_TLS_SLOTS) "(%%rip), %%rdx\n\t"                  \
	HOT_ENTER                                                                         \
	"movq (%%rcx), %%r8\n\t"                                                         \
	"movzwl %%r8w, %%r8d\n\t"                                                        \
	"cmpl 16(%%rcx), %%r8d\n\t"                                                       \
	"jae " #SLOW "\n\t"                                                               \
	CHECK                                                                             \
	/* The top; of an empty slot the header's last word, which is no address. */      \
	"cmpq %%rdi, 24(%%rcx,%%r8,8)\n\t"                                                \
	"je " #SLOW "\n\t"                                                                \
	"movq %%rdi, 32(%%rcx,%%r8,8)\n\t"                                                \
	"incq (%%rcx)\n"                                                                  \
	KMEM_RSEQ_END                                                                     \
	"ret\n\t"

/* CHECK: an address of no object by its low bits, which slots know of their cache. */
#define HOT_CHECK_ADDRESS(SLOW)                                                           \
	"testl %%edi, " HOT_STRING(HOT_SLOT_MASK) "(%%rcx)\n\t"                           \
	"jnz " #SLOW "\n\t"

/* Functions of such bodies, their arguments, and the functions that only they call. */
#define HOT_FUNCTION __attribute__((__naked__, __aligned__(64)))
#define HOT_ARGUMENT __attribute__((__unused__))
#define HOT_SLOW     KMEM_HIDDEN __attribute__((__noinline__, __used__))

#endif
