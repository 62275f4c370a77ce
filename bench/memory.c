/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - what an allocator takes from the system for objects of one size, or of
 * mixed sizes (not with typed caches).
 *
 * memory SIZE|mix: allocates 64 MiB, frees 90 % of the objects at random, then the
 * rest, and prints resident / requested bytes for the first two states, and the
 * resident KiB that are left in the end. Every byte is written. What the program
 * itself holds was resident before and is not counted.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "api.h"

#define LIVE ((size_t)64 << 20)

static struct {
	void **object;
	uint32_t *size;
	size_t nr;
	size_t live; /* requested bytes */
} held;

static int statm;
static api_handle handle;

/* Memory of the size asked for: a typed cache has one size only. */
static void *take(size_t bytes)
{
	return api_alloc(API == API_MALLOC ? (api_handle)bytes : handle);
}

static size_t resident(void)
{
	char buf[128], *at;
	ssize_t len = pread(statm, buf, sizeof(buf) - 1, 0);

	buf[len > 0 ? len : 0] = '\0';
	strtoul(buf, &at, 10);
	return strtoul(at, NULL, 10) * 4096;
}

static uint64_t hash(uint64_t n)
{
	n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return n ^ n >> 31;
}

/* 8 bytes to 8 KiB, each power of two as often as the next. */
static uint32_t mixed_size(size_t i)
{
	uint64_t n = hash(i);
	uint32_t power = 8u << n % 10;

	return power + (uint32_t)(n >> 32) % power;
}

/* Memory that is resident from now on, as it is when the objects are there. */
static void *own(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

static void allocate(uint32_t size)
{
	for (held.nr = 0; held.live < LIVE; held.nr++) {
		uint32_t bytes = size ? size : mixed_size(held.nr);

		held.object[held.nr] = take(bytes);
		if (!held.object[held.nr])
			exit(1);
		memset(held.object[held.nr], 1, bytes);
		held.size[held.nr] = bytes;
		held.live += bytes;
	}
}

/* Free those whose hash is below percent; what was freed before is left out. */
static void release(unsigned int percent)
{
	size_t i;

	for (i = 0; i < held.nr; i++) {
		if (!held.object[i] || hash(i * 7 + 3) % 100 >= percent)
			continue;
		api_free(handle, held.object[i]);
		held.object[i] = NULL;
		held.live -= held.size[i];
	}
}

/* Time and work, in which allocators give memory back: a third of a second, and a little of every size now and then. */
static void settle(void)
{
	const struct timespec pause = { 0, 100 * 1000 * 1000 };
	void *object[500];
	size_t round, i;

	for (round = 0; round < 3; round++) {
		nanosleep(&pause, NULL);
		for (i = 0; i < 500; i++)
			object[i] = take(mixed_size(i));
		for (i = 0; i < 500; i++)
			api_free(handle, object[i]);
	}
}

int main(int argc, char **argv)
{
	uint32_t size = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	size_t most = LIVE / (size ? size : 16) + 1, before;
	double peak, sparse;

	statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	held.object = own(most * sizeof(*held.object));
	held.size = own(most * sizeof(*held.size));
	if (API != API_MALLOC)
		handle = api_open(size, NULL);
	api_free(handle, take(64));
	before = resident();
	allocate(size);
	peak = (double)(resident() - before) / (double)held.live;
	release(90);
	settle();
	sparse = (double)(resident() - before) / (double)held.live;
	release(100);
	settle();
	printf("peak %.4f\nsparse %.4f\nleft_kib %ld\n", peak, sparse, ((long)resident() - (long)before) / 1024);
	return 0;
}
