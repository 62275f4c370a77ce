/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * real.c - a process that uses libkmem in a known way; driven like fake.c.
 *
 *	real ROUNDS THREADS
 *
 * Prints the line for watch.c, then the id of its cache "real" in a second one.
 */
#include <kmem/observe.h>
#include <kmem/slab.h>

#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BULK 8

static struct kmem_cache *cache;
static unsigned long rounds;

/* The root from the notes of one loaded file, as tools find it. */
static int find_root(struct dl_phdr_info *info, size_t size, void *out)
{
	const struct kmem_observe **root = out;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const char *cur = (const char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		const char *end = cur + info->dlpi_phdr[i].p_memsz;

		while (info->dlpi_phdr[i].p_type == PT_NOTE && cur < end) {
			const ElfW(Nhdr) *note = (const void *)cur;
			const char *name = cur + sizeof(*note);
			const char *desc = name + ((note->n_namesz + 3) & ~3u);

			if (!strcmp(name, KMEM_OBSERVE_OWNER)) {
				const struct kmem_observe_note *n = (const void *)desc;

				*root = (const void *)((const char *)&n->offset + n->offset);
				return 1;
			}
			cur = desc + ((note->n_descsz + 3) & ~3u);
		}
	}
	return 0;
}

static void one_round(void)
{
	void *bulk[BULK], *p;

	p = kmem_cache_alloc(cache, GFP_KERNEL);
	kmem_cache_free(cache, p);
	if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, BULK, bulk) != BULK)
		exit(2);
	kmem_cache_free_bulk(cache, BULK, bulk);
	p = kmalloc(100, GFP_KERNEL);
	kfree(p);
	p = kmalloc(100000, GFP_KERNEL);
	kfree(p);
}

static void *work(void *arg)
{
	unsigned long i;

	(void)arg;
	for (i = 0; i < rounds; i++)
		one_round();
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long nr_threads = argc > 2 ? strtoul(argv[2], NULL, 0) : 1, i;
	const struct kmem_observe *root = NULL;
	pthread_t threads[64];
	sigset_t set;
	int sig;

	if (argc < 3 || nr_threads > 64)
		return 2;
	rounds = strtoul(argv[1], NULL, 0);
	cache = kmem_cache_create("real", 72, NULL, 0);
	dl_iterate_phdr(find_root, &root);
	if (!cache || !root || root->magic != KMEM_OBSERVE_MAGIC)
		return 2;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("%d %#lx %#lx %#lx %#lx\n%u\n", getpid(), (unsigned long)root, root->arena_base,
	       root->arena_limit, root->idmap, cache->id);
	fflush(stdout);
	sigwait(&set, &sig);
	for (i = 0; i < nr_threads; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			return 2;
	for (i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
