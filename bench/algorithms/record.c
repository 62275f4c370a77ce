/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c - records what a program allocates and frees, for `make bench-algorithms`:
 *
 *   RECORD=out.trace [RECORD_FROM=N] LD_PRELOAD=build/bench/record.so PROGRAM...
 *
 * leaving out the first N events. The format is in workload.h. A scope begins with every
 * read() or fgets() that brings something: what a server or a shell allocates from there
 * on is for that request. realloc() is a free and an allocation. What was allocated
 * before the recording, or not freed at exit, has no free in it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What glibc's malloc() and the others are. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t bytes);
void *__libc_memalign(size_t align, size_t bytes);
void __libc_free(void *p);

#define MAX_EVENTS (1L << 22)
#define MAX_LIVE   (1UL << 20)

static int32_t event[MAX_EVENTS]; /* > 0: allocation of so many bytes; < 0: distance back; 0: scope */
static long nr_events, nr_allocs;
static long to_skip;
static struct {
	uintptr_t p; /* 0: never used; 1: deleted */
	long id;
} live[MAX_LIVE];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *(*real_fgets)(char *, int, FILE *);

static size_t slot_of(uintptr_t p, int empty)
{
	size_t i = (p >> 4) * 0x9e3779b1u % MAX_LIVE;

	while (live[i].p != p && live[i].p && !(empty && live[i].p == 1))
		i = (i + 1) % MAX_LIVE;
	return i;
}

/* Whether the recording has begun. */
static int begun(void)
{
	return to_skip <= 0 || to_skip-- <= 0;
}

/* What lies at the end of a run of slots need not be remembered as deleted. */
static void forget(size_t i)
{
	live[i].p = 1;
	if (live[(i + 1) % MAX_LIVE].p)
		return;
	for (; live[i].p == 1; i = (i + MAX_LIVE - 1) % MAX_LIVE)
		live[i].p = 0;
}

static void note(int32_t what)
{
	if (nr_events < MAX_EVENTS)
		event[nr_events++] = what;
}

static void *allocated(void *p, size_t bytes)
{
	size_t i;

	if (!p)
		return NULL;
	pthread_mutex_lock(&lock);
	if (begun()) {
		i = slot_of((uintptr_t)p, 1);
		live[i].p = (uintptr_t)p;
		live[i].id = nr_allocs++;
		note(bytes > INT32_MAX ? INT32_MAX : bytes ? (int32_t)bytes : 1);
	}
	pthread_mutex_unlock(&lock);
	return p;
}

static void freed(void *p)
{
	size_t i;

	if (!p)
		return;
	pthread_mutex_lock(&lock);
	i = slot_of((uintptr_t)p, 0);
	if (begun() && live[i].p) {
		note((int32_t)(live[i].id - nr_allocs));
		forget(i);
	}
	pthread_mutex_unlock(&lock);
}

static void scope(int begins)
{
	if (!begins)
		return;
	pthread_mutex_lock(&lock);
	if (nr_events && event[nr_events - 1]) /* else one has begun already, or the recording has not */
		note(0);
	pthread_mutex_unlock(&lock);
}

void *malloc(size_t bytes)
{
	return allocated(__libc_malloc(bytes), bytes);
}

void *calloc(size_t n, size_t size)
{
	return allocated(__libc_calloc(n, size), n * size);
}

void *realloc(void *p, size_t bytes)
{
	void *moved;

	/* Before others can be given the block. */
	freed(p);
	moved = __libc_realloc(p, bytes);
	return allocated(moved ? moved : bytes ? p : NULL, bytes) == moved ? moved : NULL;
}

void *aligned_alloc(size_t align, size_t bytes)
{
	return allocated(__libc_memalign(align, bytes), bytes);
}

int posix_memalign(void **p, size_t align, size_t bytes)
{
	*p = aligned_alloc(align, bytes);
	return *p ? 0 : 12;
}

void free(void *p)
{
	freed(p);
	__libc_free(p);
}

ssize_t read(int fd, void *buf, size_t bytes)
{
	ssize_t got = syscall(SYS_read, fd, buf, bytes);

	scope(got > 0);
	return got;
}

char *fgets(char *buf, int bytes, FILE *file)
{
	char *got = real_fgets(buf, bytes, file);

	scope(got != NULL);
	return got;
}

__attribute__((constructor)) static void begin(void)
{
	const char *from = getenv("RECORD_FROM");

	to_skip = from ? atol(from) : 0;
	real_fgets = (char *(*)(char *, int, FILE *))dlsym(RTLD_NEXT, "fgets");
}

__attribute__((destructor)) static void end(void)
{
	const char *name = getenv("RECORD");
	long nr = nr_events;
	FILE *out = name ? fopen(name, "we") : NULL;

	if (!out)
		return;
	for (long i = 0, column = 0; i < nr; i++) {
		column = !event[i] || column == 24 ? 0 : column + 1;
		if (column == 0)
			fputc('\n', out);
		if (event[i])
			fprintf(out, "%d ", event[i]);
		else
			fputs("| ", out);
	}
	fputc('\n', out);
	fclose(out);
}
