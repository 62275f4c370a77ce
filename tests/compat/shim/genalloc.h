/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genalloc.h - what the kernel's lib/genalloc.c takes from other headers, as
 * little as will do: it stands in front of that file, whose includes are left
 * out, and only one thread runs it. Searches in bitmaps are plain loops.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t phys_addr_t, dma_addr_t;
typedef int spinlock_t;
typedef struct {
	long value;
} atomic_long_t;

#define GFP_KERNEL    0
#define NUMA_NO_NODE  (-1)
#define BITS_PER_LONG 64
#define BITS_TO_LONGS(n)         (((n) + 63) / 64)
#define BIT_WORD(n)              ((n) / 64)
#define BITMAP_FIRST_WORD_MASK(n) (~0UL << ((n) & 63))
#define BITMAP_LAST_WORD_MASK(n)  (~0UL >> (-(n) & 63))
#define roundup(n, to)           (((n) + (to) - 1) / (to) * (to))
#define roundup_pow_of_two(n)    ((n) <= 1 ? 1UL : 1UL << (64 - __builtin_clzl((unsigned long)(n) - 1)))
#define __ALIGN_MASK(n, mask)    (((n) + (mask)) & ~(mask))
#define unlikely(x)              (x)
#define READ_ONCE(x)             (x)
#define cpu_relax()              ((void)0)
#define in_nmi()                 false
#define EXPORT_SYMBOL(name)      struct exported_##name
#define EXPORT_SYMBOL_GPL(name)  struct exported_##name
#define BUG()                    abort()
#define BUG_ON(condition)        ((condition) ? abort() : (void)0)
#define WARN_ON(condition)       (condition)
#define try_cmpxchg(p, old, new) __atomic_compare_exchange_n(p, old, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)

#define atomic_long_set(a, n)  ((a)->value = (long)(n))
#define atomic_long_read(a)    ((a)->value)
#define atomic_long_add(n, a)  ((a)->value += (long)(n))
#define atomic_long_sub(n, a)  ((a)->value -= (long)(n))

#define spin_lock_init(lock)               (*(lock) = 0)
#define spin_lock(lock)                    (++*(lock))
#define spin_unlock(lock)                  (--*(lock))
#define spin_lock_irqsave(lock, flags)     ((flags) = 0, ++*(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), --*(lock))
#define rcu_read_lock()                    ((void)0)
#define rcu_read_unlock()                  ((void)0)

#define kmalloc_node(bytes, gfp, nid) malloc(bytes)
#define vzalloc_node(bytes, nid)      calloc(1, bytes)
#define kfree(p)                      free(p)
#define kfree_const(p)                ((void)(p))
#define vfree(p)                      free(p)

struct list_head {
	struct list_head *next, *prev;
};

#define INIT_LIST_HEAD(l)  ((l)->next = (l)->prev = (l))
#define list_entry(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))
#define list_del(l)        ((l)->prev->next = (l)->next, (l)->next->prev = (l)->prev)
#define list_for_each_safe(at, after, l) \
	for ((at) = (l)->next; (after) = (at)->next, (at) != (l); (at) = (after))
#define list_for_each_entry_rcu(at, l, member)                               \
	for ((at) = list_entry((l)->next, __typeof__(*(at)), member);        \
	     &(at)->member != (l);                                           \
	     (at) = list_entry((at)->member.next, __typeof__(*(at)), member))

static inline void list_add_rcu(struct list_head *entry, struct list_head *head)
{
	entry->next = head->next;
	entry->prev = head;
	head->next->prev = entry;
	head->next = entry;
}

static inline unsigned long find_bit(const unsigned long *map, unsigned long size, unsigned long at, unsigned long value)
{
	while (at < size && (map[at / 64] >> at % 64 & 1) != value)
		at++;
	return at < size ? at : size;
}

#define find_first_bit(map, size)            find_bit(map, size, 0, 1)
#define find_next_bit(map, size, start)      find_bit(map, size, start, 1)
#define find_next_zero_bit(map, size, start) find_bit(map, size, start, 0)

unsigned long bitmap_find_next_zero_area_off(unsigned long *map, unsigned long size, unsigned long start,
					     unsigned int nr, unsigned long align_mask, unsigned long align_offset);
#define bitmap_find_next_zero_area(map, size, start, nr, mask) \
	bitmap_find_next_zero_area_off(map, size, start, nr, mask, 0)
