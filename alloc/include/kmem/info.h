/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info.h - the state of the allocator as text, in the formats of the kernel's
 * files, so that what parses those parses these.
 *
 * Every function prints into buf, at most `bytes` bytes, always terminated, and
 * returns the length that the whole text needs (bytes may be 0). All take time
 * proportional to what they print, except where noted; none locks, so while
 * others allocate the numbers are off by the calls in flight.
 *
 * Tools print the same about another process: slabscope buddyinfo PID.
 */
#ifndef KMEM_INFO_H
#define KMEM_INFO_H

#include <stddef.h>
#include <kmem/attr.h>

KMEM_BEGIN

struct kmem_cache;

/* /proc/buddyinfo: free blocks of each order. Pages parked in per-CPU lists are not in it, as in the kernel. */
KMEM_API size_t kmem_buddyinfo(char *buf, size_t bytes);

/* In the same format, what buddyinfo leaves out: blocks parked in per-CPU lists. Looks at every block. */
KMEM_API size_t kmem_pcpinfo(char *buf, size_t bytes);

/* /proc/pagetypeinfo: free blocks by mobility and order, and pageblocks by mobility. */
KMEM_API size_t kmem_pagetypeinfo(char *buf, size_t bytes);

/*
 * The two files of debugfs extfrag/, a number per order. unusable_index: which
 * part of the free memory is in blocks too small for it. extfrag_index: whether
 * an allocation would fail for lack of memory (0) or fragmentation (towards 1);
 * -1.000 when it would succeed.
 */
KMEM_API size_t kmem_unusable_index(char *buf, size_t bytes);
KMEM_API size_t kmem_extfrag_index(char *buf, size_t bytes);

/* /proc/vmstat and /proc/zoneinfo, with the counters that there are here; kmem_... are our own. Look at every block. */
KMEM_API size_t kmem_vmstat(char *buf, size_t bytes);
KMEM_API size_t kmem_zoneinfo(char *buf, size_t bytes);

/*
 * An attribute of a cache as /sys/kernel/slab/<cache>/<attribute> shows it: one
 * line, or nothing for what is only written. `active` and `cached` are our own:
 * the objects in use, and those parked, by CPU and node. Return: length as above,
 * or -ENOENT for an attribute that there is not.
 */
KMEM_API long kmem_slab_sysfs(const struct kmem_cache *s, const char *attribute, char *buf, size_t bytes);

/* The nth attribute in order of name, NULL at the end. */
KMEM_API const char *kmem_slab_attribute(unsigned int nth);

KMEM_END

#endif
