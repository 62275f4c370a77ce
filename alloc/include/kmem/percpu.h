/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percpu.h - memory of which every CPU has its own copy (include/linux/percpu.h).
 *
 *	u64 *hits = alloc_percpu(uint64_t);
 *	this_cpu_inc(*hits);                          any thread, a nanosecond, no atomic instruction
 *	for_each_possible_cpu(cpu)
 *		sum += *per_cpu_ptr(hits, cpu);
 *
 * A pointer from alloc_percpu() is the address of CPU 0's copy. The this_cpu
 * operations change the running CPU's copy in a restartable sequence
 * (kmem/fastpath.h): a thread that is preempted, moved or interrupted in the
 * middle starts again, so that none is lost or done twice, on whichever CPU it
 * ends up. They are safe in signal handlers. Without rseq there is one copy, and
 * they are atomic instructions.
 *
 * "CPU" is the number that libkmem uses: where the kernel offers it, the compact
 * id that it gives to the running threads of a process, else the CPU's number.
 *
 * Nothing here keeps a thread on its CPU. What more than one operation must see
 * unchanged belongs between get_cpu_ptr() and put_cpu_ptr().
 */
#ifndef KMEM_PERCPU_H
#define KMEM_PERCPU_H

#include <stddef.h>
#include <stdint.h>
#include <kmem/attr.h>
#include <kmem/fastpath.h>
#include <kmem/gfp.h>

KMEM_BEGIN

#ifndef __percpu
#define __percpu
#endif

#define PCPU_MIN_UNIT_SIZE 32768u /* largest size */

/*
 * `size` bytes for every CPU, zero-filled, aligned to `align`. At most
 * PCPU_MIN_UNIT_SIZE bytes, aligned to at most a page. Context: may block; the
 * gfp variants without __GFP_DIRECT_RECLAIM take only memory that is already
 * there. Return: NULL when memory is out, and, with one line on stderr, for a bad
 * size or align.
 */
KMEM_API void *__alloc_percpu(size_t size, size_t align) KMEM_CHECK;
KMEM_API void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp) KMEM_CHECK;
#define alloc_percpu(type)          ((type *)__alloc_percpu(sizeof(type), __alignof__(type)))
#define alloc_percpu_gfp(type, gfp) ((type *)__alloc_percpu_gfp(sizeof(type), __alignof__(type), (gfp)))

/* Free all copies. NULL is ignored. What alloc_percpu() did not return is reported and the process aborts. */
KMEM_API void free_percpu(void *p);

/* CPUs that have a copy, from 0 on. */
KMEM_API unsigned int num_possible_cpus(void) KMEM_CHECK;
#define nr_cpu_ids num_possible_cpus()
#define for_each_possible_cpu(cpu) \
	for ((cpu) = 0; (unsigned int)(cpu) < num_possible_cpus(); (cpu)++)
/* Which of them run threads is not known: a sum over the online ones must not miss any. */
#define num_online_cpus() num_possible_cpus()
#define for_each_online_cpu(cpu) for_each_possible_cpu(cpu)

/* The running CPU: out of date as soon as it is read, unless between get_cpu() and put_cpu(). */
static inline unsigned int raw_smp_processor_id(void)
{
	unsigned int id;

	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(id) : "r"(kmem_fast_id));
	return id;
}
#define smp_processor_id() raw_smp_processor_id()

/* A CPU's copy; the running CPU's, which another thread may be using the next moment. */
#define per_cpu_ptr(ptr, cpu) \
	((__typeof__(ptr))((uintptr_t)(ptr) + ((uintptr_t)(cpu) << KMEM_PERCPU_SHIFT)))
#define raw_cpu_ptr(ptr)  per_cpu_ptr((ptr), raw_smp_processor_id())
#define this_cpu_ptr(ptr) raw_cpu_ptr(ptr)

/*
 * The running CPU's copy for the caller alone, among those who use these calls:
 * they take a lock of that CPU, as local_lock() on PREEMPT_RT. The thread may
 * sleep and move; the copy stays its own. Calls nest. Not in signal handlers.
 * A this_cpu operation of another thread does not respect the lock.
 */
KMEM_API unsigned int kmem_get_cpu(void);
KMEM_API void kmem_put_cpu(void);
#define get_cpu() kmem_get_cpu()
#define put_cpu() kmem_put_cpu()
#define get_cpu_ptr(ptr) per_cpu_ptr((ptr), kmem_get_cpu())
#define put_cpu_ptr(ptr) ((void)(ptr), kmem_put_cpu())

/* ---- operations on the running CPU's copy of an integer or pointer of 1, 2, 4 or 8 bytes ---- */

/* 1 without rseq, when all CPUs share copy 0; constant once the library is initialised. */
extern KMEM_API const uint32_t kmem_percpu_shared;

#define KMEM_CPU_ENTER KMEM_RSEQ_ENTER "addq %[p], %%rcx\n\t"
#define KMEM_CPU_WHERE [rseq] "r"(__rseq_offset), [id] "r"(kmem_fast_id), [p] "r"(p)
#define KMEM_CPU_INLINE static inline __attribute__((__always_inline__))

/* Four forms of one operation; `bytes` is a constant, so that one remains. */
#define KMEM_CPU_SIZES(one)                      \
	switch (bytes) {                         \
	case 1: one("b", "b", uint8_t); break;   \
	case 2: one("w", "w", uint16_t); break;  \
	case 4: one("l", "k", uint32_t); break;  \
	default: one("q", "q", uint64_t); break; \
	}

/* The last instruction makes the change; an interrupted thread has either executed it or starts again. */
#define KMEM_CPU_STORE(name, insn, shared)                                                                  \
	KMEM_CPU_INLINE void name(void *p, size_t bytes, uint64_t v)                                        \
	{                                                                                                   \
		if (__builtin_expect(kmem_percpu_shared, 0))                                                \
			KMEM_CPU_SIZES(shared)                                                              \
		else                                                                                        \
			KMEM_CPU_SIZES(insn)                                                                \
	}

#define KMEM_CPU_CHANGE(op, suffix, modifier)                                                       \
	__asm__ volatile(KMEM_CPU_ENTER op suffix " %" modifier "[v], (%%rcx)\n" KMEM_RSEQ_END      \
		: : KMEM_CPU_WHERE, [v] "r"(v) : "r11", "rcx", "memory", "cc")
#define KMEM_CPU_MOV(suffix, modifier, type) KMEM_CPU_CHANGE("mov", suffix, modifier)
#define KMEM_CPU_ADD(suffix, modifier, type) KMEM_CPU_CHANGE("add", suffix, modifier)
#define KMEM_CPU_AND(suffix, modifier, type) KMEM_CPU_CHANGE("and", suffix, modifier)
#define KMEM_CPU_OR(suffix, modifier, type)  KMEM_CPU_CHANGE("or", suffix, modifier)
#define KMEM_CPU_SHARED_MOV(suffix, modifier, type) __atomic_store_n((type *)p, (type)v, __ATOMIC_RELAXED)
#define KMEM_CPU_SHARED_ADD(suffix, modifier, type) (void)__atomic_fetch_add((type *)p, (type)v, __ATOMIC_RELAXED)
#define KMEM_CPU_SHARED_AND(suffix, modifier, type) (void)__atomic_fetch_and((type *)p, (type)v, __ATOMIC_RELAXED)
#define KMEM_CPU_SHARED_OR(suffix, modifier, type)  (void)__atomic_fetch_or((type *)p, (type)v, __ATOMIC_RELAXED)

KMEM_CPU_STORE(kmem_cpu_write, KMEM_CPU_MOV, KMEM_CPU_SHARED_MOV)
KMEM_CPU_STORE(kmem_cpu_add, KMEM_CPU_ADD, KMEM_CPU_SHARED_ADD)
KMEM_CPU_STORE(kmem_cpu_and, KMEM_CPU_AND, KMEM_CPU_SHARED_AND)
KMEM_CPU_STORE(kmem_cpu_or, KMEM_CPU_OR, KMEM_CPU_SHARED_OR)

/* Those that answer. Bytes beyond the operand's size are cut off by the macros below. */
#define KMEM_CPU_GET(suffix, modifier, type)                                                        \
	__asm__ volatile(KMEM_CPU_ENTER "mov" suffix " (%%rcx), %" modifier "[v]\n" KMEM_RSEQ_END   \
		: [v] "=&r"(v) : KMEM_CPU_WHERE : "r11", "rcx", "memory", "cc")
#define KMEM_CPU_SHARED_GET(suffix, modifier, type) v = __atomic_load_n((const type *)p, __ATOMIC_RELAXED)

KMEM_CPU_INLINE uint64_t kmem_cpu_read(const void *p, size_t bytes)
{
	uint64_t v = 0;

	if (__builtin_expect(kmem_percpu_shared, 0))
		KMEM_CPU_SIZES(KMEM_CPU_SHARED_GET)
	else
		KMEM_CPU_SIZES(KMEM_CPU_GET)
	return v;
}

#define KMEM_CPU_XADD(suffix, modifier, type)                                                       \
	__asm__ volatile(KMEM_CPU_ENTER "xadd" suffix " %" modifier "[old], (%%rcx)\n" KMEM_RSEQ_END \
		: [old] "+&r"(old) : KMEM_CPU_WHERE : "r11", "rcx", "memory", "cc")
#define KMEM_CPU_SHARED_XADD(suffix, modifier, type) old = __atomic_fetch_add((type *)p, (type)v, __ATOMIC_RELAXED)

KMEM_CPU_INLINE uint64_t kmem_cpu_add_return(void *p, size_t bytes, uint64_t v)
{
	uint64_t old = v;

	if (__builtin_expect(kmem_percpu_shared, 0))
		KMEM_CPU_SIZES(KMEM_CPU_SHARED_XADD)
	else
		KMEM_CPU_SIZES(KMEM_CPU_XADD)
	return old + v;
}

#define KMEM_CPU_SWAP(suffix, modifier, type)                                                                 \
	__asm__ volatile(KMEM_CPU_ENTER "mov" suffix " (%%rcx), %" modifier "[old]\n\t"                       \
		"mov" suffix " %" modifier "[v], (%%rcx)\n" KMEM_RSEQ_END                                     \
		: [old] "=&r"(old) : KMEM_CPU_WHERE, [v] "r"(v) : "r11", "rcx", "memory", "cc")
#define KMEM_CPU_SHARED_SWAP(suffix, modifier, type) old = __atomic_exchange_n((type *)p, (type)v, __ATOMIC_ACQ_REL)

KMEM_CPU_INLINE uint64_t kmem_cpu_xchg(void *p, size_t bytes, uint64_t v)
{
	uint64_t old = 0;

	if (__builtin_expect(kmem_percpu_shared, 0))
		KMEM_CPU_SIZES(KMEM_CPU_SHARED_SWAP)
	else
		KMEM_CPU_SIZES(KMEM_CPU_SWAP)
	return old;
}

#define KMEM_CPU_CMPXCHG(suffix, modifier, type)                                                              \
	__asm__ volatile(KMEM_CPU_ENTER "cmpxchg" suffix " %" modifier "[v], (%%rcx)\n" KMEM_RSEQ_END         \
		: "+&a"(old) : KMEM_CPU_WHERE, [v] "r"(v) : "r11", "rcx", "memory", "cc")
#define KMEM_CPU_SHARED_CMPXCHG(suffix, modifier, type)                                                       \
	do {                                                                                                  \
		type was = (type)old;                                                                         \
		__atomic_compare_exchange_n((type *)p, &was, (type)v, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE); \
		old = was;                                                                                    \
	} while (0)

/* Return: what was there; v is stored when that is `old`. */
KMEM_CPU_INLINE uint64_t kmem_cpu_cmpxchg(void *p, size_t bytes, uint64_t old, uint64_t v)
{
	if (__builtin_expect(kmem_percpu_shared, 0))
		KMEM_CPU_SIZES(KMEM_CPU_SHARED_CMPXCHG)
	else
		KMEM_CPU_SIZES(KMEM_CPU_CMPXCHG)
	return old;
}

/* The kernel's names; pcp is an lvalue, *ptr or ptr->member. */
#define KMEM_CPU_ARGS(pcp)                                                                                      \
	((void)sizeof(char[sizeof(pcp) == 1 || sizeof(pcp) == 2 || sizeof(pcp) == 4 || sizeof(pcp) == 8 ? 1 : -1]), \
	 (void *)(uintptr_t)&(pcp)), sizeof(pcp)

#define this_cpu_read(pcp)            ((__typeof__(pcp))kmem_cpu_read(KMEM_CPU_ARGS(pcp)))
#define this_cpu_write(pcp, val)      kmem_cpu_write(KMEM_CPU_ARGS(pcp), (uint64_t)(val))
#define this_cpu_add(pcp, val)        kmem_cpu_add(KMEM_CPU_ARGS(pcp), (uint64_t)(val))
#define this_cpu_and(pcp, val)        kmem_cpu_and(KMEM_CPU_ARGS(pcp), (uint64_t)(val))
#define this_cpu_or(pcp, val)         kmem_cpu_or(KMEM_CPU_ARGS(pcp), (uint64_t)(val))
#define this_cpu_add_return(pcp, val) ((__typeof__(pcp))kmem_cpu_add_return(KMEM_CPU_ARGS(pcp), (uint64_t)(val)))
#define this_cpu_xchg(pcp, val)       ((__typeof__(pcp))kmem_cpu_xchg(KMEM_CPU_ARGS(pcp), (uint64_t)(val)))
#define this_cpu_cmpxchg(pcp, oval, nval) \
	((__typeof__(pcp))kmem_cpu_cmpxchg(KMEM_CPU_ARGS(pcp), (uint64_t)(oval), (uint64_t)(nval)))
/* *ovalp is updated when that fails. Return: whether nval was stored. */
#define this_cpu_try_cmpxchg(pcp, ovalp, nval)                                   \
	__extension__({                                                          \
		__typeof__(ovalp) kmem_ovalp = (ovalp);                          \
		__typeof__(pcp) kmem_was = *kmem_ovalp;                          \
		*kmem_ovalp = this_cpu_cmpxchg(pcp, kmem_was, nval);             \
		*kmem_ovalp == kmem_was;                                         \
	})

#define this_cpu_sub(pcp, val)        this_cpu_add(pcp, -(uint64_t)(val))
#define this_cpu_inc(pcp)             this_cpu_add(pcp, 1)
#define this_cpu_dec(pcp)             this_cpu_sub(pcp, 1)
#define this_cpu_sub_return(pcp, val) this_cpu_add_return(pcp, -(uint64_t)(val))
#define this_cpu_inc_return(pcp)      this_cpu_add_return(pcp, 1)
#define this_cpu_dec_return(pcp)      this_cpu_sub_return(pcp, 1)

/* The kernel's cheaper forms for code that cannot be preempted: here the same. */
#define raw_cpu_read(pcp)                this_cpu_read(pcp)
#define raw_cpu_write(pcp, val)          this_cpu_write(pcp, val)
#define raw_cpu_add(pcp, val)            this_cpu_add(pcp, val)
#define raw_cpu_and(pcp, val)            this_cpu_and(pcp, val)
#define raw_cpu_or(pcp, val)             this_cpu_or(pcp, val)
#define raw_cpu_add_return(pcp, val)     this_cpu_add_return(pcp, val)
#define raw_cpu_xchg(pcp, val)           this_cpu_xchg(pcp, val)
#define raw_cpu_cmpxchg(pcp, oval, nval) this_cpu_cmpxchg(pcp, oval, nval)
#define raw_cpu_try_cmpxchg(pcp, ovalp, nval) this_cpu_try_cmpxchg(pcp, ovalp, nval)
#define raw_cpu_sub(pcp, val)            this_cpu_sub(pcp, val)
#define raw_cpu_inc(pcp)                 this_cpu_inc(pcp)
#define raw_cpu_dec(pcp)                 this_cpu_dec(pcp)
#define raw_cpu_sub_return(pcp, val)     this_cpu_sub_return(pcp, val)
#define raw_cpu_inc_return(pcp)          this_cpu_inc_return(pcp)
#define raw_cpu_dec_return(pcp)          this_cpu_dec_return(pcp)
#define __this_cpu_read(pcp)                this_cpu_read(pcp)
#define __this_cpu_write(pcp, val)          this_cpu_write(pcp, val)
#define __this_cpu_add(pcp, val)            this_cpu_add(pcp, val)
#define __this_cpu_and(pcp, val)            this_cpu_and(pcp, val)
#define __this_cpu_or(pcp, val)             this_cpu_or(pcp, val)
#define __this_cpu_add_return(pcp, val)     this_cpu_add_return(pcp, val)
#define __this_cpu_sub_return(pcp, val)     this_cpu_sub_return(pcp, val)
#define __this_cpu_inc_return(pcp)          this_cpu_inc_return(pcp)
#define __this_cpu_dec_return(pcp)          this_cpu_dec_return(pcp)
#define __this_cpu_xchg(pcp, val)           this_cpu_xchg(pcp, val)
#define __this_cpu_cmpxchg(pcp, oval, nval) this_cpu_cmpxchg(pcp, oval, nval)
#define __this_cpu_try_cmpxchg(pcp, ovalp, nval) this_cpu_try_cmpxchg(pcp, ovalp, nval)
#define __this_cpu_sub(pcp, val)            this_cpu_sub(pcp, val)
#define __this_cpu_inc(pcp)                 this_cpu_inc(pcp)
#define __this_cpu_dec(pcp)                 this_cpu_dec(pcp)

KMEM_END

#endif
