/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake.c - a process that looks as if it carried libkmem: the structures of
 * observe.h with the known values of fake.h, and the note that leads to them.
 *
 * fake [MODE]: normal; version (a layout of another release); early (not yet
 * initialised); slabs=N (the main cache has N slabs with page descriptors and
 * bitmaps); damage=SEED (random words in the tables, as a corrupt heap has them). Writes "r" when ready and waits until its parent has gone.
 */
#include <kmem/observe.h>

#include "fake.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define PERCPU_SHIFT 12u
#define MAX_PAGES    (1u << 20)

static struct kmem_observe fake_root __attribute__((used));
static struct kmem_cache caches[FAKE_CACHES + 1];
static struct kmem_cache_node nodes[(FAKE_CACHES + 1) * FAKE_NODES];
static struct kmem_zone zones[FAKE_NODES];
static struct kmem_black_range black[1];
static char *percpu;
static struct page *pages;
static uint16_t *idmap;
static uint64_t *bitmap;

static union {
	struct kmem_sheaf sheaf;
	struct kmem_slot slot;
	char room[256];
} sheaves[4];

/* The note as alloc/ emits it: self-relative, so that no relocation touches it. */
__attribute__((used)) static void emit_note(void)
{
	__asm__ volatile(".pushsection .note.slabscope,\"a\",@note\n"
			 ".balign 4\n"
			 ".long 10, 16, %c0\n"
			 ".asciz \"slabscope\"\n"
			 ".balign 4\n"
			 ".long %c1, %c2\n"
			 "1: .quad fake_root - 1b\n"
			 ".popsection\n"
			 :
			 : "i"(KMEM_OBSERVE_NOTE), "i"(KMEM_OBSERVE_VERSION), "i"(sizeof(struct kmem_observe)));
}

static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	return p;
}

static uint64_t addr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static struct kmem_slot *slot_of(unsigned int id, unsigned int cpu)
{
	return (struct kmem_slot *)(void *)(percpu + ((size_t)cpu << PERCPU_SHIFT) + id * 256u);
}

/* count objects held, `allocs` served; net such that frees come out as `frees`. */
static void set_slot(struct kmem_slot *slot, unsigned int count, uint64_t allocs, uint64_t frees)
{
	slot->word = count | allocs << 16;
	slot->net = (int64_t)(count + allocs - frees);
	slot->capacity = 16;
}

static void fill_cache(unsigned int id, const char *name, unsigned int state)
{
	struct kmem_cache *s = &caches[id];

	s->id = (uint16_t)id;
	s->state = (uint16_t)state;
	s->size = 64;
	s->object_size = 60;
	s->objects = FAKE_OBJECTS;
	s->min_objects = FAKE_OBJECTS;
	s->sheaf_capacity = 8;
	s->slot_capacity = 16;
	s->nr_nodes = FAKE_NODES;
	s->refcount = state == KMEM_CACHE_LIVE;
	s->slot_offset = id * 256u;
	s->percpu = addr(slot_of(id, 0));
	snprintf(s->name, sizeof(s->name), "%s", name);
}

static void fill_main(void)
{
	struct kmem_cache_node *n = &nodes[FAKE_MAIN * FAKE_NODES];

	fill_cache(FAKE_MAIN, "fake-64", KMEM_CACHE_LIVE);
	caches[FAKE_MAIN].folded_allocs = FAKE_FOLDED;
	caches[FAKE_MAIN].folded_frees = FAKE_FOLDED;
	n[0].nr_slabs = 3;
	n[0].nr_objects = 3 * FAKE_OBJECTS;
	n[0].nr_taken = 150;
	n[0].nr_partial = 2;
	n[0].nr_full = 2;
	n[0].full[0] = addr(&sheaves[0]);
	n[0].full[1] = addr(&sheaves[1]);
	n[0].parked = 8 + 5;
	n[0].stat.alloc = FAKE_NODE_ALLOCS;
	n[0].stat.refill = 40;
	n[1].nr_slabs = 1;
	n[1].nr_objects = FAKE_OBJECTS;
	n[1].nr_taken = 10;
	n[1].nr_partial = 1;
	n[1].stat.refill = 2;
	n[1].stat.free = FAKE_FREES - FAKE_FOLDED - 900u - 450u - 3u;
	sheaves[0].sheaf.count = 8;
	sheaves[1].sheaf.count = 5;
	set_slot(slot_of(FAKE_MAIN, 0), 3, 1000, 900);
	set_slot(slot_of(FAKE_MAIN, 1), 5, 500, 450);
	set_slot(slot_of(FAKE_MAIN, 2), 0, 0, 0);
	set_slot(slot_of(FAKE_MAIN, 3), 2, 7, 3);
}

static void fill_others(void)
{
	struct kmem_cache_node *n;

	fill_cache(FAKE_DEAD, "fake-dead", KMEM_CACHE_DEAD);
	n = &nodes[FAKE_DEAD * FAKE_NODES];
	n->nr_slabs = 1;
	n->nr_objects = FAKE_OBJECTS;
	n->nr_taken = 2;

	fill_cache(FAKE_BUSY, "fake-busy", KMEM_CACHE_LIVE);
	n = &nodes[FAKE_BUSY * FAKE_NODES];
	n->seq = 7;
	n->nr_slabs = 1;
	n->nr_objects = FAKE_OBJECTS;
	n->nr_taken = 4;

	fill_cache(FAKE_SHARED, "fake-shared", KMEM_CACHE_LIVE);
	caches[FAKE_SHARED].percpu = 0;
	caches[FAKE_SHARED].slot_offset = 0;
	n = &nodes[FAKE_SHARED * FAKE_NODES];
	n->nr_slabs = 1;
	n->nr_objects = FAKE_OBJECTS;
	n->nr_taken = 20;
	n->shared = addr(&sheaves[2]);
	set_slot(&sheaves[2].slot, 6, 30, 16);
}

/* Slots and counters of its own; everything else is the main cache's. */
static void fill_alias(bool root_gone)
{
	struct kmem_cache_node *n = &nodes[FAKE_ALIAS * FAKE_NODES];

	fill_cache(FAKE_ALIAS, "fake-alias", KMEM_CACHE_LIVE);
	caches[FAKE_ALIAS].root_id = FAKE_MAIN;
	caches[FAKE_MAIN].root_id = FAKE_MAIN;
	caches[FAKE_MAIN].next_alias = FAKE_ALIAS;
	caches[FAKE_MAIN].refcount = root_gone ? 1 : 2;
	if (root_gone)
		caches[FAKE_MAIN].state = KMEM_CACHE_DEAD;
	set_slot(slot_of(FAKE_ALIAS, 0), 4, 60, 10);
	n->stat.alloc = 3;
	n->stat.free = 1;
	n->stat.refill = 5;
	fake_root.nr_caches = FAKE_CACHES + 1;
}

/* Slab i is page 1 + i of the arena; i % 65 of its objects are taken, the rest came back or, in every third, never left. */
static void fill_slabs(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int taken = i % (FAKE_OBJECTS + 1);
		struct page *page = &pages[kmem_page_place(1 + i)];

		idmap[1 + i] = FAKE_MAIN;
		page->type = KMEM_PAGE_SLAB;
		page->cache_id = FAKE_MAIN;
		page->nr_pages = 1;
		page->objects = FAKE_OBJECTS;
		page->inuse = (uint16_t)taken;
		page->fresh = i % 3 ? FAKE_OBJECTS : taken;
		bitmap[kmem_bitmap_word(1 + i, 0)] = i % 3 && taken < 64 ? ~UINT64_C(0) << taken : 0;
	}
	/* A neighbour of another cache right behind must not be counted. */
	idmap[1 + nr] = FAKE_DEAD;
	pages[kmem_page_place(1 + nr)] = (struct page){ .type = KMEM_PAGE_SLAB, .cache_id = FAKE_DEAD, .objects = 64, .inuse = 64 };
	fake_root.arena_end = FAKE_ARENA + ((uint64_t)(nr + 2) << KMEM_PAGE_SHIFT);
}

static void fill_root(void)
{
	struct kmem_observe *r = &fake_root;

	*r = (struct kmem_observe){
		.magic = KMEM_OBSERVE_MAGIC, .version = KMEM_OBSERVE_VERSION, .size = sizeof(*r),
		.state = 1, .rseq = 2,
		.cache_bytes = sizeof(struct kmem_cache), .node_bytes = sizeof(struct kmem_cache_node),
		.page_desc_bytes = sizeof(struct page), .zone_bytes = sizeof(struct kmem_zone),
		.pcp_bytes = sizeof(struct kmem_pcp), .nr_zones = FAKE_NODES,
		.slot_header_bytes = sizeof(struct kmem_slot), .sheaf_header_bytes = sizeof(struct kmem_sheaf),
		.nr_cpus = FAKE_CPUS, .nr_nodes = FAKE_NODES, .percpu_shift = PERCPU_SHIFT,
		.nr_caches = FAKE_CACHES,
		.arena_base = FAKE_ARENA, .arena_limit = FAKE_ARENA + (UINT64_C(1) << 40),
		.pages = addr(pages), .idmap = addr(idmap), .bitmap = addr(bitmap),
		.caches = addr(caches), .nodes = addr(nodes), .zones = addr(zones),
		.percpu = { addr(percpu), addr(percpu) }, .percpu_bytes = FAKE_CPUS << PERCPU_SHIFT,
		.sheaves = addr(sheaves), .sheaves_end = addr(sheaves + 4),
		.black = addr(black), .nr_black = 1, .release = "fake",
	};
	zones[0].present_pages = 1024;
	zones[0].free_pages = 1000;
	zones[0].free_list[3][KMEM_NR_MIGRATETYPES - 1].nr = 125;
}

/* Overwrite some words of a table with random, small or huge values; `keep` bytes at its start stay. */
static void damage(void *table, size_t bytes, size_t keep, unsigned int words)
{
	static const uint64_t nasty[] = { 0, 1, 7, 0xffff, 0xffffffff, UINT64_MAX, UINT64_C(1) << 63, FAKE_ARENA };

	for (unsigned int i = 0; i < words; i++) {
		size_t at = keep + (size_t)rand() % (bytes - keep - 8);
		uint64_t word = rand() % 2 ? nasty[rand() % 8] : (uint64_t)rand() << 32 | (uint64_t)rand();

		memcpy((char *)table + at, &word, sizeof(word));
	}
}

static void damage_all(unsigned int seed)
{
	srand(seed);
	if (seed % 3)
		damage(&fake_root, sizeof(fake_root), 72, seed % 5);
	damage(caches, sizeof(caches), 0, seed % 7);
	damage(nodes, sizeof(nodes), 0, seed % 11);
	damage(sheaves, sizeof(sheaves), 0, 2);
	damage(pages, 64 * sizeof(*pages), 0, 8);
	damage(percpu, FAKE_CPUS << PERCPU_SHIFT, 0, 50);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "normal";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	percpu = reserve(FAKE_CPUS << PERCPU_SHIFT);
	pages = reserve(MAX_PAGES * sizeof(*pages));
	idmap = reserve(MAX_PAGES * sizeof(*idmap));
	bitmap = reserve((size_t)MAX_PAGES * KMEM_BITMAP_BYTES);
	fill_root();
	fill_main();
	fill_others();
	fill_slabs(!strncmp(mode, "slabs=", 6) ? (unsigned int)atoi(mode + 6) : 4u);
	if (!strcmp(mode, "version"))
		fake_root.version = KMEM_OBSERVE_VERSION + 1;
	if (!strcmp(mode, "sizes"))
		fake_root.node_bytes++;
	if (!strncmp(mode, "merged", 6))
		fill_alias(!strcmp(mode, "merged-gone"));
	if (!strncmp(mode, "damage=", 7))
		damage_all((unsigned int)atoi(mode + 7));
	if (!strcmp(mode, "early"))
		fake_root = (struct kmem_observe){ .magic = KMEM_OBSERVE_MAGIC, .version = KMEM_OBSERVE_VERSION,
						   .size = sizeof(fake_root) };
	if (write(STDOUT_FILENO, "r", 1) != 1)
		return 1;
	close(STDOUT_FILENO);
	for (;;)
		pause();
}
