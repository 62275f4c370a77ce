/* SPDX-License-Identifier: BSD-2-Clause */
/* support.h - what several tests need: stderr as text, one CPU, exact accounting, a fresh process. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/page.h>

#include "base/os.h"
#include "page/arena.h"
#include "page/buddy.h"
#include "page/pcp.h"
#include "slab/cache.h"

/* ---- stderr ---- */

static int capture_fd, capture_stderr;

static inline void capture_start(void)
{
	capture_fd = memfd_create("capture", 0);
	capture_stderr = dup(2);
	dup2(capture_fd, 2);
}

/* What was printed since; valid until the next capture. */
static inline const char *capture_end(void)
{
	static char text[65536];
	ssize_t len;

	dup2(capture_stderr, 2);
	close(capture_stderr);
	len = pread(capture_fd, text, sizeof(text) - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	close(capture_fd);
	return text;
}

/* ---- processors and memory ---- */

/* Stay on one CPU, so that "the running CPU's slot" is one slot. */
static inline void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	cr_assert_eq(sched_setaffinity(0, sizeof(set), &set), 0);
}

/* Whether a byte may be read, without a fault when not. */
static inline bool readable(const void *addr)
{
	int fd[2];
	bool ok;

	cr_assert_eq(pipe(fd), 0);
	ok = write(fd[1], addr, 1) == 1;
	close(fd[0]);
	close(fd[1]);
	return ok;
}

/* Pages of a range that are in memory. */
static inline size_t resident_pages(void *addr, size_t bytes)
{
	static unsigned char vec[65536];
	size_t i, nr = 0;

	cr_assert_leq(bytes >> 12, sizeof(vec));
	cr_assert_eq(mincore(addr, bytes, vec), 0);
	for (i = 0; i < bytes >> 12; i++)
		nr += vec[i] & 1;
	return nr;
}

/* Take back the first block that every node has from the start. Nothing was allocated yet. */
static inline void start_empty(void)
{
	unsigned int i;

	for (i = 0; i < zone_config.nr_nodes; i++) {
		struct kmem_zone *zone = &zones[i];
		struct page *page;

		buddy_lock(zone);
		page = buddy_take_block(zone);
		zone->present_pages -= BLOCK_PAGES;
		buddy_unlock(zone);
		cr_assert(page && !zone->present_pages);
		page_set_type(page, KMEM_PAGE_RESERVED);
		os_decommit(page_to_addr(page), BLOCK_BYTES);
		arena_return_blocks(page_index(page) >> MAX_PAGE_ORDER, 1);
	}
	zone_update_watermarks();
	pcp_update();
}

/* Leave nothing that a request without reclaim could get. */
static inline void take_the_rest(void)
{
	while (alloc_pages(GFP_NOWAIT, 0))
		;
}

static inline bool all_bytes(const void *p, size_t bytes, uint8_t value)
{
	const uint8_t *at = p;

	return !bytes || (at[0] == value && !memcmp(at, at + 1, bytes - 1));
}

/* A reproducible random number. */
static inline uint32_t random_next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* ---- accounting ---- */

static inline uint64_t slot_objects(const struct kmem_cache *s)
{
	unsigned int which, cpu;
	uint64_t held = 0;

	for (which = 0; s->slot_offset && which < 2; which++)
		for (cpu = 0; cpu < percpu_nr_cpus(); cpu++)
			held += kmem_slot_count((const struct kmem_slot *)(uintptr_t)(percpu_region(which) +
				s->slot_offset + ((uint64_t)cpu << KMEM_PERCPU_SHIFT)));
	for (unsigned int nid = 0; nid < s->nr_nodes; nid++)
		if (node_of(s, nid)->shared)
			held += kmem_slot_count((const struct kmem_slot *)(uintptr_t)node_of(s, nid)->shared);
	return held;
}

static inline uint64_t barn_objects(const struct kmem_cache *s)
{
	uint64_t held = kmem_prefill_held(s->prefill);

	for (unsigned int nid = 0; nid < s->nr_nodes; nid++) {
		const struct kmem_cache_node *n = node_of(s, nid);

		for (uint32_t i = 0; i < n->nr_full; i++)
			held += barn_sheaf(n, i)->count;
	}
	return held;
}

/* Objects of a cache that have left their slabs, counted as a reader outside does. */
static inline uint64_t bitmap_objects(const struct kmem_cache *s)
{
	const uint64_t *arena_bits = (const uint64_t *)(const void *)arena.bitmap;
	size_t i, nr_pages = arena.bytes >> PAGE_SHIFT;
	uint64_t taken = 0;
	uint32_t word;

	for (i = BLOCK_PAGES; i < nr_pages; i++) {
		const struct page *page = page_at(i);
		uint64_t bits = 0;

		if (page->type != KMEM_PAGE_SLAB || page->cache_id != s->id)
			continue;
		for (word = 0; word < (page->objects + 63u) / 64; word++)
			bits += (uint64_t)__builtin_popcountll(kmem_slab_taken(page, arena_bits[kmem_bitmap_word(i, word)], word));
		cr_assert_eq(bits, page->inuse, "a slab's inuse is not the number of its bits");
		taken += bits;
	}
	return taken;
}

/* The rule of kmem/observe.h. */
static inline uint64_t live_objects(const struct kmem_cache *s)
{
	return bitmap_objects(s) - slot_objects(s) - barn_objects(s);
}

/* Every way to count the live objects of a cache gives `live`. */
#define ASSERT_BALANCED(s, live)                                                           \
	do {                                                                               \
		struct kmem_cache_stat balance;                                            \
		kmem_cache_stat((s), &balance);                                            \
		cr_assert_eq(balance.active, (uint64_t)(live), "active %lu, live %lu",     \
			     balance.active, (uint64_t)(live));                            \
		cr_assert_eq(balance.allocs - balance.frees, (uint64_t)(live),             \
			     "allocs %lu - frees %lu, live %lu", balance.allocs,           \
			     balance.frees, (uint64_t)(live));                             \
		cr_assert_eq(live_objects(s), (uint64_t)(live), "bitmaps say %lu, live %lu", \
			     live_objects(s), (uint64_t)(live));                           \
		cr_assert_eq(balance.cached, slot_objects(s) + barn_objects(s));           \
		balance.active = 0;                                                        \
		for (unsigned int nid = 0; nid < (s)->nr_nodes; nid++)                     \
			balance.active += node_of((s), nid)->nr_taken;                     \
		cr_assert_eq(balance.active, bitmap_objects(s));                           \
	} while (0)

/* ---- a fresh process ---- */

/*
 * Run this program again as `role` (a constructor of the test file looks for it
 * in KMEM_TEST_ROLE) with KMEM_OPTIONS set, and `prepare` called before exec.
 * Return: its wait status; what it printed is in out.
 */
static inline int run_role(const char *role, const char *options, void (*prepare)(void), char *out, size_t bytes)
{
	int fd[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	cr_assert_eq(pipe(fd), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (!pid) {
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		close(fd[0]);
		setenv("KMEM_TEST_ROLE", role, 1);
		setenv("KMEM_OPTIONS", options, 1);
		if (prepare)
			prepare();
		execl("/proc/self/exe", "role", (char *)NULL);
		_exit(126);
	}
	close(fd[1]);
	while (len + 1 < bytes && (n = read(fd[0], out + len, bytes - len - 1)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fd[0]);
	waitpid(pid, &status, 0);
	return status;
}

#endif
