/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream_work.c - allocates and frees by every kind of call, in several threads,
 * and says how many events that were. Reads a line, works, with "fork" beside children that do as much,
 * prints the counts, reads another line, ends: by exit(), with "kill" by a signal, with "exec" as another program.
 *
 * usage: stream_work ROUNDS THREADS
 */
#include <kmem/fastpath.h>
#include <kmem/page.h>
#include <kmem/slab.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BULK 16

static struct kmem_cache *cache;
static long rounds;

static void *work(void *unused)
{
	void *bulk[BULK], *p;
	long i;

	(void)unused;
	for (i = 0; i < rounds; i++) {
		p = kmem_cache_alloc_inline(cache, GFP_KERNEL);
		kmem_cache_free_inline(cache, p);
		p = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO);
		kmem_cache_free(cache, p);
		p = kmalloc(100, GFP_KERNEL);
		kfree(p);
		if (i % 16)
			continue;
		if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, BULK, bulk) != BULK)
			abort();
		kmem_cache_free_bulk(cache, BULK, bulk);
		p = kmalloc(20000, GFP_KERNEL);
		kfree(p);
		__free_pages(alloc_pages(GFP_KERNEL, 1), 1);
	}
	return NULL;
}

static void await_line(char *line, size_t bytes)
{
	if (!fgets(line, (int)bytes, stdin))
		exit(2);
}

/* Their events are not the parent's. */
static void work_in_children(void)
{
	int i, status;

	for (i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (!pid) {
			work(NULL);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			exit(3);
	}
}

int main(int argc, char **argv)
{
	long threads = argc > 2 ? atol(argv[2]) : 0, sixteenth, t;
	pthread_t thread[64];
	char line[32];

	rounds = argc > 1 ? atol(argv[1]) : 0;
	if (rounds < 1 || threads < 1 || threads > 64)
		return 2;
	cache = kmem_cache_create("stream", 64, 0, 0, NULL);
	/* So that the counts below are all that happens: what is made once is there. */
	rounds = 1;
	work(NULL);
	rounds = atol(argv[1]);
	printf("ready\n");
	fflush(stdout);
	await_line(line, sizeof(line));
	if (!strncmp(line, "fork", 4))
		work_in_children();
	for (t = 0; t < threads; t++)
		if (pthread_create(&thread[t], NULL, work, NULL))
			return 1;
	for (t = 0; t < threads; t++)
		pthread_join(thread[t], NULL);
	sixteenth = (rounds + 15) / 16;
	printf("%ld %ld\n", threads * (2 * rounds + BULK * sixteenth), threads * (rounds + sixteenth));
	fflush(stdout);
	await_line(line, sizeof(line));
	if (!strncmp(line, "kill", 4))
		raise(SIGKILL);
	if (!strncmp(line, "exec", 4))
		execl("/bin/cat", "cat", (char *)NULL);
	return 0;
}
