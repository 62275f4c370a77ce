/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sampled.c - allocates and frees by every function of the C library, from threads that end and a child, and says
 * how many bytes that were. Waits for a line before it begins, and before it ends.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20000

/* Not known to the compiler, which would leave out what is freed at once. */
static void *(*volatile do_malloc)(size_t) = malloc;
static void *(*volatile do_calloc)(size_t, size_t) = calloc;
static void *(*volatile do_realloc)(void *, size_t) = realloc;
static void *(*volatile do_memalign)(size_t, size_t) = memalign;
static void (*volatile do_free)(void *) = free;

static void *work(void *sum)
{
	unsigned long long bytes = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		void *a = do_malloc(64), *b = do_calloc(1, 200), *c = do_memalign(64, 1000), *d = do_malloc(3000);

		memset(c, 1, 1000);
		d = do_realloc(d, 20000);
		bytes += 64 + 200 + 1000 + 3000 + 20000;
		do_free(a);
		do_free(b);
		do_free(c);
		do_free(d);
	}
	__atomic_fetch_add((unsigned long long *)sum, bytes, __ATOMIC_RELAXED);
	return NULL;
}

static void await_line(void)
{
	char line[8];

	if (!fgets(line, sizeof(line), stdin))
		exit(2);
}

int main(void)
{
	unsigned long long sum = 0;
	pthread_t thread[3];
	int i;

	setvbuf(stdin, NULL, _IONBF, 0);
	printf("ready\n");
	fflush(stdout);
	await_line();
	for (i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, work, &sum))
			return 1;
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("%llu\n", sum);
	fflush(stdout);
	await_line();
	return 0;
}
