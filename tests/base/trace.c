/* SPDX-License-Identifier: BSD-2-Clause */
/* The probes as a tracer finds them: ELF notes, a nop each, and one semaphore each. */
#include "support.h"

#include <elf.h>
#include <link.h>

#include "base/trace.h"

struct probe {
	const char *name, *arguments;
	uint64_t pc, semaphore; /* run-time addresses */
};

/* Numbers of fields: those of the kernel's records, of the ones that the kernel has. */
static const struct {
	enum trace_event event;
	unsigned int arguments;
} fields[] = {
	{ TRACE_KMEM_CACHE_ALLOC, 8 }, { TRACE_KMEM_CACHE_FREE, 3 }, { TRACE_KMALLOC, 7 }, { TRACE_KFREE, 2 },
	{ TRACE_MM_PAGE_ALLOC, 4 }, { TRACE_MM_PAGE_FREE, 2 }, { TRACE_MM_PAGE_FREE_BATCHED, 1 },
	{ TRACE_MM_PAGE_ALLOC_EXTFRAG, 6 }, { TRACE_MM_PAGE_ALLOC_ZONE_LOCKED, 4 }, { TRACE_MM_PAGE_PCPU_DRAIN, 3 },
	{ TRACE_MM_SHRINK_SLAB_START, 9 }, { TRACE_MM_SHRINK_SLAB_END, 7 }, { TRACE_PERCPU_ALLOC_PERCPU, 10 },
	{ TRACE_PERCPU_ALLOC_PERCPU_FAIL, 4 }, { TRACE_PERCPU_FREE_PERCPU, 3 }, { TRACE_MEMPOOL_ALLOC, 6 },
	{ TRACE_MEMPOOL_FREE, 5 }, { TRACE_MEMPOOL_WAIT, 5 }, { TRACE_MEMPOOL_RESIZE, 5 }, { TRACE_GENPOOL_ALLOC, 5 },
	{ TRACE_GENPOOL_FREE, 5 }, { TRACE_MP_CREATE, 4 }, { TRACE_MP_GROW, 5 }, { TRACE_MP_RESET, 4 },
	{ TRACE_MP_DESTROY, 4 }, { TRACE_BATCH, 2 }, { TRACE_ZONE_GROW, 3 }, { TRACE_ZONE_RETURN, 3 },
	{ TRACE_PURGE, 3 }, { TRACE_KMEM_CACHE_CREATE, 7 }, { TRACE_KMEM_CACHE_DESTROY, 3 },
	{ TRACE_KMEM_CACHE_SHRINK, 3 }, { TRACE_SLOT_REFILL, 4 }, { TRACE_SLOT_FLUSH, 4 },
	{ TRACE_SAMPLE, 6 }, { TRACE_OTEL_ALLOC, 3 }, { TRACE_OTEL_FREE, 1 },
};

static const char *const names[TRACE_NR_EVENTS] = {
#define NAME(provider, name, NAME) #name,
	TRACE_PROBES(NAME)
};

#define PROBES 64 /* at most */

static uint8_t *image;

static int main_module(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(uint64_t *)bias = info->dlpi_addr;
	return 1; /* the first is the program */
}

/* This program's .note.stapsdt. Return: number of kmem probes. */
static unsigned int read_probes(struct probe *probe, unsigned int max)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	off_t bytes = lseek(fd, 0, SEEK_END);
	const Elf64_Ehdr *header;
	const Elf64_Shdr *section;
	unsigned int i, nr = 0;
	uint64_t bias = 0;

	dl_iterate_phdr(main_module, &bias);
	image = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert_neq(image, MAP_FAILED);
	header = (const void *)image;
	section = (const void *)(image + header->e_shoff);
	for (i = 0; i < header->e_shnum; i++) {
		const char *names = (const char *)image + section[header->e_shstrndx].sh_offset;
		const uint8_t *at = image + section[i].sh_offset, *end = at + section[i].sh_size;

		if (strcmp(names + section[i].sh_name, ".note.stapsdt"))
			continue;
		while (at < end && nr < max) {
			const Elf64_Nhdr *note = (const void *)at;
			const uint8_t *desc = at + sizeof(*note) + ((note->n_namesz + 3) & ~3u);
			const char *provider = (const char *)desc + 24;
			const char *name = provider + strlen(provider) + 1;
			uint64_t addr[3]; /* of the nop, of .stapsdt.base, of the semaphore; aligned to 4 */

			memcpy(addr, desc, sizeof(addr));

			if (!strcmp(provider, "kmem") || !strcmp(provider, "otel_memory"))
				probe[nr++] = (struct probe){ name, name + strlen(name) + 1, addr[0] + bias,
							      addr[2] + bias };
			at = desc + ((note->n_descsz + 3) & ~3u);
		}
	}
	close(fd);
	return nr;
}

static const struct probe *find_probe(const struct probe *probe, unsigned int nr, const char *name)
{
	const struct probe *found = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (strcmp(probe[i].name, name))
			continue;
		/* The others of the batch probe only raise the semaphores of objects. */
		if (found && !strcmp(name, "batch"))
			continue;
		cr_expect_null(found, "%s fires in two places", name);
		found = &probe[i];
	}
	return found;
}

Test(trace, each_event_is_one_probe_with_its_fields)
{
	struct probe probe[PROBES];
	unsigned int nr = read_probes(probe, PROBES), i;

	cr_expect_eq(nr, TRACE_NR_EVENTS + 4, "and four places of the batch probe");
	cr_expect_eq(sizeof(fields) / sizeof(fields[0]), TRACE_NR_EVENTS);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *name = names[fields[i].event], *c;
		const struct probe *p = find_probe(probe, nr, name);
		unsigned int arguments = 1;

		cr_assert_not_null(p, "%s", name);
		for (c = p->arguments; *c; c++)
			arguments += *c == ' ';
		cr_expect_eq(arguments, fields[i].arguments, "%s: %s", p->name, p->arguments);
	}
}

Test(trace, a_probe_is_a_nop_and_its_semaphore_is_in_the_array)
{
	struct probe probe[PROBES];
	unsigned int nr = read_probes(probe, PROBES), i;

	for (i = 0; i < TRACE_NR_EVENTS; i++) {
		const struct probe *p = find_probe(probe, nr, names[i]);

		cr_assert_not_null(p);
		cr_expect_eq(*(const uint8_t *)(uintptr_t)p->pc, 0x90, "%s", p->name);
		cr_expect_eq(p->semaphore, (uintptr_t)&trace_semaphore[i].count, "%s", p->name);
	}
}

Test(trace, attaching_the_batch_probe_raises_the_semaphores_of_objects)
{
	struct probe probe[PROBES];
	unsigned int nr = read_probes(probe, PROBES), i, place = 0;
	const enum trace_event event[] = { TRACE_BATCH, TRACE_KMEM_CACHE_ALLOC, TRACE_KMEM_CACHE_FREE, TRACE_KMALLOC,
					   TRACE_KFREE };

	for (i = 0; i < nr; i++) {
		if (strcmp(probe[i].name, "batch"))
			continue;
		cr_assert_lt(place, 5);
		cr_expect_eq(*(const uint8_t *)(uintptr_t)probe[i].pc, 0x90);
		cr_expect_eq(probe[i].semaphore, (uintptr_t)&trace_semaphore[event[place]].count, "%u", place);
		place++;
	}
	cr_expect_eq(place, 5);
}

Test(trace, pages_are_traced_for_the_batch_too)
{
	trace_semaphore[TRACE_BATCH].count = 1;
	cr_expect(trace_on(TRACE_MM_PAGE_ALLOC));
	cr_expect(trace_on(TRACE_MM_PAGE_FREE));
	cr_expect_not(trace_on(TRACE_GENPOOL_ALLOC));
	cr_expect_not(trace_single(TRACE_MM_PAGE_ALLOC));
	trace_semaphore[TRACE_MM_PAGE_ALLOC].count = 1;
	cr_expect(trace_single(TRACE_MM_PAGE_ALLOC));
}

Test(trace, a_single_probe_is_told_from_the_batch)
{
	trace_semaphore[TRACE_BATCH].count = 1;
	trace_semaphore[TRACE_KMALLOC].count = 1;
	cr_expect_not(trace_single(TRACE_KMALLOC));
	trace_semaphore[TRACE_KMALLOC].count = 2;
	cr_expect(trace_single(TRACE_KMALLOC));
}

Test(trace, watching_is_known_apart_from_tracing)
{
	trace_semaphore[TRACE_KMALLOC].count = 1;
	cr_expect_not(trace_watched());
	trace_watch(true);
	cr_expect(trace_watched());
	cr_expect_eq(trace_semaphore[TRACE_BATCH].count, 0);
	trace_watch(false);
	cr_expect_not(trace_watched());
	trace_semaphore[TRACE_KMEM_CACHE_ALLOC].asked = 65535;
	cr_expect(trace_watched());
}

Test(trace, nobody_traces_at_start)
{
	unsigned int i;

	for (i = 0; i < TRACE_NR_EVENTS; i++) {
		cr_expect_eq(trace_semaphore[i].count, 0);
		cr_expect_not(trace_on((enum trace_event)i));
		trace_semaphore[i].count++;
		cr_expect(trace_on((enum trace_event)i));
	}
}

Test(trace, a_probe_nobody_listens_to_does_nothing)
{
	capture_start();
	trace_kmem_cache_alloc(NULL, NULL, "x", 1, 2, 3, 4, 5);
	trace_kmem_cache_free(NULL, NULL, "x");
	trace_kmalloc(NULL, NULL, 1, 2, 3, 4, 5);
	trace_kfree(NULL, NULL);
	trace_mm_page_alloc(1, 2, 3, 0);
	trace_mm_page_free(1, 2);
	trace_mempool_alloc(NULL, NULL, NULL, "x", 1, 0);
	trace_mempool_free(NULL, NULL, NULL, "x", 1);
	trace_mempool_wait(NULL, NULL, "x", 1, 2);
	trace_mempool_resize(NULL, NULL, "x", 1, 2);
	trace_genpool_alloc(NULL, 1, NULL, "x", 2);
	trace_genpool_free(NULL, 1, NULL, "x", 2);
	trace_mp_create(NULL, NULL, "x", 1);
	trace_mp_grow(NULL, NULL, NULL, "x", 1);
	trace_mp_reset(NULL, NULL, "x", 1);
	trace_mp_destroy(NULL, NULL, "x", 1);
	trace_mm_page_free_batched(1);
	trace_mm_shrink_slab_start(NULL, NULL, 1, 2, 3, 4, 5, 6, 7);
	trace_mm_shrink_slab_end(NULL, 1, NULL, 2, 3, 4, 5);
	trace_percpu_alloc_percpu(NULL, 0, 1, 2, 3, NULL, 4, NULL, 5, 6);
	trace_percpu_alloc_percpu_fail(0, 1, 2, 3);
	trace_percpu_free_percpu(NULL, 1, NULL);
	trace_zone_grow(1, 2, 3);
	trace_zone_return(1, 2, 3);
	trace_purge(1, 2, 0);
	trace_kmem_cache_create(NULL, NULL, "x", 1, 2, 3, 4);
	trace_kmem_cache_destroy(NULL, NULL, "x");
	trace_kmem_cache_shrink(NULL, "x", 1);
	trace_slot_refill(NULL, "x", 0, 1);
	trace_slot_flush(NULL, "x", 0, 1);
	cr_expect_str_eq(capture_end(), "");
}

Test(trace, the_inline_fast_path_sees_the_same_semaphores)
{
	struct kmem_cache *s = kmem_cache_create("traced", 64, 0, 0, NULL);
	void *object = kmem_cache_alloc(s, GFP_KERNEL), *again = NULL;

	cr_expect_eq((const void *)kmem_fast_semaphore, (const void *)&trace_semaphore[TRACE_KMEM_CACHE_ALLOC]);
	cr_expect_eq(kmem_fast_semaphore[0] | kmem_fast_semaphore[1], 0);

	trace_semaphore[TRACE_KMEM_CACHE_FREE].count = 1;
	cr_expect_not(kmem_slot_push_dormant(s, object), "a traced free must not take the fast path");
	trace_semaphore[TRACE_KMEM_CACHE_FREE].count = 0;
	cr_expect(kmem_slot_push_dormant(s, object));

	trace_semaphore[TRACE_KMEM_CACHE_ALLOC].count = 1;
	cr_expect_not(kmem_slot_pop_dormant(s, &again), "a traced allocation must not take the fast path");
	trace_semaphore[TRACE_KMEM_CACHE_ALLOC].count = 0;
	cr_expect(kmem_slot_pop_dormant(s, &again));
	cr_expect_eq(again, object);
}

Test(trace, dormant_operations_stop_at_the_ends_of_the_slot)
{
	struct kmem_cache *s = kmem_cache_create("ends", 64, 0, 0, NULL);
	void *object[300];
	int held = 0, i;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	while (kmem_slot_pop_dormant(s, &object[held]))
		held++;
	cr_expect_gt(held, 0);
	for (i = held; i < 300; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	while (kmem_slot_pop_dormant(s, &object[0]))
		continue;
	for (i = 0; i < 300 && kmem_slot_push_dormant(s, object[i]); i++)
		continue;
	cr_expect_eq(i, 120, "two sheaves of 60, but %d", i);
}
