/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot.c - bulk critical sections; see slot.h and kmem/fastpath.h.
 *
 * Registers in all of them: rcx the slot, r11 its word, edx the number held,
 * r8 where in the slot to copy, r9 the loop counter, r10 its limit or the value in flight.
 */
#include "slab/slot.h"

/*
 * Copy edx objects from (FROM) to (TO), 8 at a time; no sheaf or slot is so short
 * that the rest would matter. One by one it cost as much as the pops and pushes.
 */
#define COPY(FROM, TO)                                      \
	"leal -8(%%rdx), %%r10d\n\t"                       \
	"xorl %%r9d, %%r9d\n\t"                            \
	"cmpl %%r10d, %%r9d\n\t"                           \
	"jg 5f\n"                                          \
	"3:\tmovups (" FROM ",%%r9,8), %%xmm0\n\t"         \
	"movups 16(" FROM ",%%r9,8), %%xmm1\n\t"           \
	"movups 32(" FROM ",%%r9,8), %%xmm2\n\t"           \
	"movups 48(" FROM ",%%r9,8), %%xmm3\n\t"           \
	"movups %%xmm0, (" TO ",%%r9,8)\n\t"               \
	"movups %%xmm1, 16(" TO ",%%r9,8)\n\t"             \
	"movups %%xmm2, 32(" TO ",%%r9,8)\n\t"             \
	"movups %%xmm3, 48(" TO ",%%r9,8)\n\t"             \
	"addl $8, %%r9d\n\t"                               \
	"cmpl %%r10d, %%r9d\n\t"                           \
	"jle 3b\n"                                         \
	"5:\tcmpl %%edx, %%r9d\n\t"                        \
	"je 7f\n"                                          \
	"3:\tmovq (" FROM ",%%r9,8), %%r10\n\t"            \
	"movq %%r10, (" TO ",%%r9,8)\n\t"                  \
	"incl %%r9d\n\t"                                   \
	"cmpl %%edx, %%r9d\n\t"                            \
	"jne 3b\n"                                         \
	"7:\n\t"

/* edx = min(held, max); stop when 0; r8 = address of the topmost edx objects. */
#define TAKE_TOP                                 \
	"movl %%edx, %%r8d\n\t"                  \
	"cmpl %[count], %%edx\n\t"               \
	"cmoval %[count], %%edx\n\t"             \
	"testl %%edx, %%edx\n\t"                 \
	"jz 2f\n\t"                              \
	"subl %%edx, %%r8d\n\t"                  \
	"leaq 32(%%rcx,%%r8,8), %%r8\n\t"        \
	COPY("%%r8", "%[object]")

/* r8 = address behind the held objects; edx = min(room, count); stop when 0; copy in. More may be held than fit now. */
#define PUT_TOP                                  \
	"leaq 32(%%rcx,%%rdx,8), %%r8\n\t"       \
	"movl 20(%%rcx), %%r9d\n\t"              \
	"xorl %%r10d, %%r10d\n\t"                \
	"subl %%edx, %%r9d\n\t"                  \
	"cmovbl %%r10d, %%r9d\n\t"               \
	"movl %[count], %%edx\n\t"               \
	"cmpl %%r9d, %%edx\n\t"                  \
	"cmoval %%r9d, %%edx\n\t"                \
	"testl %%edx, %%edx\n\t"                 \
	"jz 2f\n\t"                              \
	COPY("%[object]", "%%r8")

/* word and net change in one 16-byte store: r11 and r10. */
#define COMMIT_PAIR                              \
	"movq %%r11, %%xmm0\n\t"                 \
	"movq %%r10, %%xmm1\n\t"                 \
	"punpcklqdq %%xmm1, %%xmm0\n\t"          \
	"movups %%xmm0, (%%rcx)\n"

#define SLOT_SECTION(NAME, BODY)                                                              \
	noinline uint32_t NAME(const struct kmem_cache *s, void **object, uint32_t count)     \
	{                                                                                     \
		uint32_t moved;                                                               \
                                                                                              \
		__asm__ volatile(KMEM_RSEQ_BEGIN KMEM_SLOT_WORD BODY KMEM_RSEQ_END                           \
			: "=&d"(moved)                                                        \
			: [rseq] "r"(percpu_tls.rseq), [id] "r"(percpu_tls.id), [s] "r"(s),  \
			  [object] "r"(object), [count] "r"(count)                            \
			: "r11", "rcx", "r8", "r9", "r10", "xmm0", "xmm1", "xmm2",     \
			  "xmm3", "memory", "cc");   \
		return moved;                                                                 \
	}

SLOT_SECTION(slot_alloc_many,
	TAKE_TOP
	"imulq $0xffff, %%rdx, %%r10\n\t"
	"addq %%r10, %%r11\n\t"
	"movq %%r11, (%%rcx)\n")

SLOT_SECTION(slot_free_many,
	PUT_TOP
	"addq %%rdx, %%r11\n\t"
	"movq %%r11, (%%rcx)\n")

SLOT_SECTION(slot_flush,
	TAKE_TOP
	"subq %%rdx, %%r11\n\t"
	"movq 8(%%rcx), %%r10\n\t"
	"subq %%rdx, %%r10\n\t"
	COMMIT_PAIR)

SLOT_SECTION(slot_refill,
	PUT_TOP
	"addq %%rdx, %%r11\n\t"
	"movq 8(%%rcx), %%r10\n\t"
	"addq %%rdx, %%r10\n\t"
	COMMIT_PAIR)

void slot_point(struct kmem_cache *s, uint64_t slot)
{
	uint64_t *hot = (uint64_t *)(uintptr_t)s->hot, value = percpu_hot_slot(slot);
	uint32_t i;

	__atomic_store_n(&s->percpu, slot, __ATOMIC_RELEASE);
	__atomic_store_n(&percpu_tls.slots[s->id], value, __ATOMIC_RELEASE);
	for (i = 0; i < s->nr_hot; i++)
		__atomic_store_n(&hot[i], value, __ATOMIC_RELEASE);
}

void slot_follow(struct kmem_cache *s, uint64_t *hot, uint32_t nr)
{
	s->hot = (uintptr_t)hot;
	s->nr_hot = nr;
	slot_point(s, s->percpu);
}

static uint32_t take_top(struct kmem_slot *slot, void **object, uint32_t max)
{
	uint32_t held = kmem_slot_count(slot);
	uint32_t moved = MIN(held, max);

	memcpy(object, &slot->object[held - moved], moved * sizeof(*object));
	return moved;
}

static uint32_t put_top(struct kmem_slot *slot, void **object, uint32_t count)
{
	uint32_t held = kmem_slot_count(slot);
	uint32_t moved = MIN(slot->limit - held, count);

	memcpy(&slot->object[held], object, moved * sizeof(*object));
	return moved;
}

bool slot_replace(const struct kmem_cache *s, const struct kmem_slot *slot, uint64_t expected, uint64_t word)
{
	bool done;

	__asm__ volatile(KMEM_RSEQ_BEGIN
		"cmpq %[slot], %%rcx\n\t"
		"jne 2f\n\t"
		"cmpq %[expected], (%%rcx)\n\t"
		"jne 2f\n\t"
		"movq %[word], (%%rcx)\n"
		KMEM_RSEQ_END
		: "=@cce"(done)
		: [rseq] "r"(percpu_tls.rseq), [id] "r"(percpu_tls.id), [s] "r"(s), [slot] "r"(slot),
		  [expected] "r"(expected), [word] "r"(word)
		: "r11", "rcx", "memory");
	return done;
}

/* After the objects, for those who look without the lock (refuse.c). */
static void set_word(struct kmem_slot *slot, uint64_t word)
{
	__atomic_store_n(&slot->word, word, __ATOMIC_RELEASE);
}

uint32_t slot_locked_alloc(struct kmem_slot *slot, void **object, uint32_t max)
{
	uint32_t moved = take_top(slot, object, max);

	set_word(slot, slot->word + moved * UINT64_C(0xffff));
	return moved;
}

uint32_t slot_locked_free(struct kmem_slot *slot, void **object, uint32_t count)
{
	uint32_t moved = put_top(slot, object, count);

	set_word(slot, slot->word + moved);
	return moved;
}

uint32_t slot_locked_flush(struct kmem_slot *slot, void **object, uint32_t max)
{
	uint32_t moved = take_top(slot, object, max);

	set_word(slot, slot->word - moved);
	slot->net -= moved;
	return moved;
}

uint32_t slot_locked_refill(struct kmem_slot *slot, void **object, uint32_t count)
{
	uint32_t moved = put_top(slot, object, count);

	set_word(slot, slot->word + moved);
	slot->net += moved;
	return moved;
}
