/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pinned.c - a program with a few survivors in many slabs, for kmemtrace pin.
 *
 * It waits for a line on stdin before each step, and answers with one:
 *   1  crowd() fills slabs of 256-byte objects, one in 32 of them comes from survivor(); crowd's are freed
 *   2  survivor's are freed, and the cache is shrunk
 * Each answer has the resident memory: "resident 12345678".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kmem/page.h>
#include <kmem/slab.h>

#define NOINLINE   __attribute__((noinline, noclone))
#define OBJECTS    65536u
#define EVERY      32u
#define OBJECT     256u

static struct kmem_cache *cache;
static void *objects[OBJECTS];

static NOINLINE void *survivor(void)
{
	void *p = kmem_cache_alloc(cache, GFP_KERNEL);

	memset(p, 1, OBJECT);
	return p;
}

static NOINLINE void *crowd(void)
{
	void *p = kmem_cache_alloc(cache, GFP_KERNEL);

	memset(p, 2, OBJECT);
	return p;
}

static void fill(void)
{
	for (unsigned int i = 0; i < OBJECTS; i++)
		objects[i] = i % EVERY ? crowd() : survivor();
	for (unsigned int i = 0; i < OBJECTS; i++)
		if (i % EVERY) {
			kmem_cache_free(cache, objects[i]);
			objects[i] = NULL;
		}
	kmem_cache_shrink(cache);
}

static void release(void)
{
	for (unsigned int i = 0; i < OBJECTS; i++)
		if (objects[i])
			kmem_cache_free(cache, objects[i]);
	kmem_cache_shrink(cache);
}

static void answer(void)
{
	unsigned long pages = 0;
	FILE *f;

	kmem_page_purge(0);
	f = fopen("/proc/self/statm", "re");
	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		exit(1);
	fclose(f);
	printf("resident %lu\n", pages * (unsigned long)sysconf(_SC_PAGESIZE));
	fflush(stdout);
}

static void wait_for_line(void)
{
	char line[16];

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
}

int main(void)
{
	cache = kmem_cache_create("pinned", OBJECT, 0, 0, NULL);
	if (!cache)
		return 1;
	printf("READY\n");
	fflush(stdout);
	wait_for_line();
	fill();
	answer();
	wait_for_line();
	release();
	answer();
	wait_for_line();
	return 0;
}
