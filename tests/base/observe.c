/* SPDX-License-Identifier: BSD-2-Clause */
/* The root says what is, and the ELF note leads to it. */
#include "support.h"

#include <elf.h>
#include <link.h>

#include "base/observe.h"
#include "base/os.h"
#include "base/trace.h"
#include "page/buddy.h"

/* Notes are aligned to 4 bytes: what is in them is copied out. */
static struct kmem_observe_note found;
static const uint8_t *found_at;
static unsigned int nr_found;

static void scan_notes(const uint8_t *at, const uint8_t *end)
{
	while (at + sizeof(Elf64_Nhdr) <= end) {
		const Elf64_Nhdr *note = (const void *)at;
		const char *name = (const char *)(note + 1);
		const uint8_t *desc = (const uint8_t *)name + ((note->n_namesz + 3) & ~3u);

		if (note->n_type == KMEM_OBSERVE_NOTE && note->n_namesz == sizeof(KMEM_OBSERVE_OWNER) &&
		    !strcmp(name, KMEM_OBSERVE_OWNER)) {
			cr_expect_eq(note->n_descsz, sizeof(struct kmem_observe_note));
			memcpy(&found, desc, sizeof(found));
			found_at = desc;
			nr_found++;
		}
		at = desc + ((note->n_descsz + 3) & ~3u);
	}
}

static int each_module(struct dl_phdr_info *info, size_t size, void *unused)
{
	int i;

	(void)size;
	(void)unused;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uint8_t *start = (const uint8_t *)info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_NOTE && p->p_align <= 4)
			scan_notes(start, start + p->p_memsz);
	}
	return 0;
}

Test(observe, the_note_leads_to_the_root)
{
	dl_iterate_phdr(each_module, NULL);
	cr_assert_eq(nr_found, 1);
	cr_expect_eq(found.version, KMEM_OBSERVE_VERSION);
	cr_expect_eq(found.size, sizeof(struct kmem_observe));
	cr_expect_eq(found_at + offsetof(struct kmem_observe_note, offset) + found.offset,
		     (const uint8_t *)&observe_root);
}

Test(observe, the_root_describes_its_structures)
{
	cr_expect_eq(observe_root.magic, KMEM_OBSERVE_MAGIC);
	cr_expect_eq(memcmp(&observe_root.magic, "slbscope", 8), 0);
	cr_expect_eq(observe_root.version, KMEM_OBSERVE_VERSION);
	cr_expect_eq(observe_root.size, sizeof(observe_root));
	cr_expect_eq(observe_root.state, 1);
	cr_expect_eq(observe_root.cache_bytes, sizeof(struct kmem_cache));
	cr_expect_eq(observe_root.node_bytes, sizeof(struct kmem_cache_node));
	cr_expect_eq(observe_root.page_desc_bytes, sizeof(struct page));
	cr_expect_eq(observe_root.zone_bytes, sizeof(struct kmem_zone));
	cr_expect_eq(observe_root.slot_header_bytes, sizeof(struct kmem_slot));
	cr_expect_eq(observe_root.sheaf_header_bytes, sizeof(struct kmem_sheaf));
	cr_expect_gt(strlen(observe_root.release), 0);
	cr_expect_leq(observe_root.init_ns, os_now_ns());
	cr_expect_gt(observe_root.init_ns, 0);
}

Test(observe, the_root_equals_reality)
{
	void *p = kmalloc(100, GFP_KERNEL);

	cr_assert_not_null(p);
	cr_expect_eq(observe_root.arena_base, arena.base);
	cr_expect_eq(observe_root.arena_end, arena.base + arena.bytes);
	cr_expect_eq(observe_root.arena_limit, arena.base + arena.limit);
	cr_expect_eq(observe_root.pages, (uintptr_t)arena.pages);
	cr_expect_eq(observe_root.idmap, (uintptr_t)arena.idmap);
	cr_expect_eq(observe_root.bitmap, (uintptr_t)arena.bitmap);
	cr_expect_eq(observe_root.caches, (uintptr_t)cache_array);
	cr_expect_eq(observe_root.nodes, (uintptr_t)node_array);
	cr_expect_eq(observe_root.zones, (uintptr_t)&zones[0]);
	cr_expect_eq(observe_root.nr_nodes, 1);
	cr_expect_eq(observe_root.rseq, (uint32_t)percpu_mode());
	cr_expect_eq(observe_root.nr_cpus, percpu_nr_cpus());
	cr_expect_eq(observe_root.percpu[0], percpu_region(0));
	cr_expect_eq(observe_root.percpu[1], percpu_region(1));
	cr_expect_eq(observe_root.percpu_bytes, percpu_bytes());
	cr_expect_eq(observe_root.percpu_shift, KMEM_PERCPU_SHIFT);
	cr_expect_eq(observe_root.nr_caches, cache_count());
}

Test(observe, a_reader_finds_an_object_s_cache_from_its_address)
{
	const uint16_t *idmap = (const void *)(uintptr_t)observe_root.idmap;
	const struct kmem_cache *caches = (const void *)(uintptr_t)observe_root.caches;
	void *p = kmalloc(100, GFP_KERNEL);
	uint16_t id = idmap[((uintptr_t)p - observe_root.arena_base) >> KMEM_PAGE_SHIFT];

	cr_assert_lt(id, observe_root.nr_caches);
	cr_expect_str_eq(caches[id].name, "kmalloc-128");
	cr_expect_eq(caches[id].state, KMEM_CACHE_LIVE);
}

Test(observe, sheaves_lie_in_the_published_range)
{
	struct kmem_sheaf *sheaf = sheaf_alloc(60);

	cr_assert_not_null(sheaf);
	cr_expect_geq((uintptr_t)sheaf, observe_root.sheaves);
	cr_expect_leq((uintptr_t)&sheaf->object[60], observe_root.sheaves_end);
}

static bool is_black(const void *addr)
{
	const struct kmem_black_range *range = (const void *)(uintptr_t)observe_root.black;
	uint32_t i;

	for (i = 0; i < observe_root.nr_black; i++)
		if ((uintptr_t)addr >= range[i].start && (uintptr_t)addr < range[i].end)
			return true;
	return false;
}

Test(observe, all_of_the_allocator_s_memory_is_black)
{
	struct kmem_sheaf *sheaf = sheaf_alloc(60);
	void *p = kmalloc(100, GFP_KERNEL);
	int local;

	cr_expect(is_black(&observe_root));
	cr_expect(is_black(&arena));
	cr_expect(is_black(&zones[0]));
	cr_expect(is_black(&cache_array));
	cr_expect(is_black(arena.pages));
	cr_expect(is_black(arena.idmap));
	cr_expect(is_black(arena.bitmap));
	cr_expect(is_black(arena.block_state));
	cr_expect(is_black(cache_array));
	cr_expect(is_black(node_array));
	cr_expect(is_black(sheaf));
	cr_expect(is_black((void *)(uintptr_t)percpu_region(0)));
	cr_expect(is_black((void *)(uintptr_t)percpu_region(1)));
	/* The user's memory is not. */
	cr_expect_not(is_black(p));
	cr_expect_not(is_black(&local));
}

static unsigned int errands;

static void errand(void)
{
	errands++;
}

Test(observe, an_errand_is_done_once_by_who_may)
{
	observe_set_errand(errand);
	observe_poll();
	cr_expect_eq(errands, 0);
	observe_call();
	observe_poll();
	cr_expect_eq(errands, 0, "who goes on at once has other things to do");
	cr_expect_not(trace_on(TRACE_KMALLOC));
	observe_call();
	observe_call();
	cr_expect(trace_on(TRACE_KMEM_CACHE_ALLOC) && trace_on(TRACE_KMALLOC), "allocations come by");
	cr_expect_not(trace_on(TRACE_KMEM_CACHE_FREE) || trace_on(TRACE_KFREE));
	usleep(5000);
	observe_poll();
	cr_expect_eq(errands, 1);
	cr_expect_not(trace_on(TRACE_KMEM_CACHE_ALLOC) || trace_on(TRACE_KMALLOC));
	observe_poll();
	cr_expect_eq(errands, 1);
	/* Nobody to run it: nobody is called. */
	observe_set_errand(NULL);
	observe_call();
	cr_expect_not(trace_on(TRACE_KMALLOC));
}
