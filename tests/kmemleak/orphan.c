/* SPDX-License-Identifier: BSD-2-Clause */
/* orphan.c - a process whose main thread has ended: /proc/PID is that of a zombie, the heap is alive. One leak. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kmem/slab.h>

static void *volatile *inaccessible;

static void *live_on(void *arg)
{
	void *volatile mine = kmalloc(100, GFP_KERNEL);

	(void)arg;
	usleep(200000);
	printf("READY pid=%d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		pause();
	return mine;
}

static __attribute__((noinline)) void lose(void)
{
	void *p = kzalloc(500, GFP_KERNEL);

	__asm__ volatile("" : : "r"(p) : "memory");
}

int main(void)
{
	pthread_t thread;

	inaccessible = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (inaccessible == MAP_FAILED)
		return 1;
	inaccessible[4] = kmalloc(200, GFP_KERNEL);
	mprotect((void *)(uintptr_t)inaccessible, 4096, PROT_NONE);
	lose();
	if (pthread_create(&thread, NULL, live_on, NULL))
		return 1;
	pthread_exit(NULL);
}
