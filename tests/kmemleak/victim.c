/* SPDX-License-Identifier: BSD-2-Clause */
/* victim.c - see victim.h. */
#include "kmemleak/victim.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include <kmem/slab.h>

static struct kmem_cache *gone, *kept;
static void *volatile list;
static void *volatile large;

static __attribute__((noinline)) void lose(int nr)
{
	while (nr--) {
		void *p = kmem_cache_zalloc(gone, GFP_KERNEL);

		__asm__ volatile("" : : "r"(p) : "memory");
	}
}

static __attribute__((noinline)) void keep(struct victim *v)
{
	for (int i = 0; i < VICTIM_KEPT; i++) {
		void **p = kmem_cache_zalloc(kept, GFP_KERNEL);

		*p = list;
		list = p;
	}
	large = kzalloc(100000, GFP_KERNEL);
	strcpy(large, "a large object");
	v->kept = ~(uint64_t)(uintptr_t)list;
	v->large = ~(uint64_t)(uintptr_t)large;
}

/* Without the checks of a sanitizer, which would leave gaps between its variables. */
static __attribute__((noinline, no_sanitize("address", "undefined"))) void scrub(void)
{
	volatile char dead[16 << 10];

	for (size_t i = 0; i < sizeof(dead); i++)
		dead[i] = 0;
	/* A system call keeps the registers of arguments that it does not have. */
	__asm__ volatile("xor %%esi, %%esi\n\txor %%edx, %%edx\n\txor %%r8d, %%r8d\n\t"
			 "xor %%r9d, %%r9d\n\txor %%r10d, %%r10d" : : : "rsi", "rdx", "r8", "r9", "r10");
}

static void child(struct victim *v)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	gone = kmem_cache_create("gone", 64, 0, 0, NULL);
	kept = kmem_cache_create("kept", 64, 0, 0, NULL);
	keep(v);
	lose(VICTIM_GONE);
	scrub();
	v->ready = 1;
	for (;;) {
		usleep(1000);
		if (!v->lose_more)
			continue;
		lose(v->lose_more);
		scrub();
		v->lose_more = 0;
	}
}

struct victim *victim_start(void)
{
	struct victim *v = mmap(NULL, sizeof(*v), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	cr_assert_neq(v, MAP_FAILED);
	pid = fork();
	if (!pid)
		child(v);
	v->pid = pid;
	for (int i = 0; i < 5000 && !v->ready; i++)
		usleep(1000);
	cr_assert(v->ready);
	cr_assert_eq(target_open(&v->target, pid), 0, "%s", v->target.message);
	cr_assert_eq(target_find_roots(&v->target), 0, "%s", v->target.message);
	return v;
}

void victim_lose(struct victim *v, int nr)
{
	v->lose_more = nr;
	for (int i = 0; i < 5000 && v->lose_more; i++)
		usleep(1000);
	cr_assert_eq(v->lose_more, 0);
}

void victim_kill(struct victim *v)
{
	if (v->pid <= 0)
		return;
	kill(v->pid, SIGKILL);
	waitpid(v->pid, NULL, 0);
	v->pid = 0;
}

void victim_stop(struct victim *v)
{
	victim_kill(v);
	target_close(&v->target);
	munmap(v, sizeof(*v));
}
