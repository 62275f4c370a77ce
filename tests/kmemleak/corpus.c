/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * corpus.c - objects that are reachable, or lost, in every way that fools leak
 * scanners. Each case has a cache of its own: keep-* must not be reported,
 * lose-* must be, shared-* only without --all-mappings.
 *
 * Pointers are handed around disguised (hide/show), so that the only plain copy
 * is where the case wants it.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <kmem/slab.h>

#define NOINLINE __attribute__((noinline))
#define DISGUISE UINT64_C(0x5555555555555555)
#define CLEAR_REGISTERS                                                                         \
	"xor %%ebx, %%ebx\n\txor %%ecx, %%ecx\n\txor %%edx, %%edx\n\txor %%esi, %%esi\n\t"      \
	"xor %%r8d, %%r8d\n\txor %%r9d, %%r9d\n\txor %%r10d, %%r10d\n\txor %%r11d, %%r11d\n\t"  \
	"xor %%r12d, %%r12d\n\txor %%r13d, %%r13d\n\txor %%r14d, %%r14d\n\txor %%ebp, %%ebp\n\t"

static void *volatile global, *volatile interior, *volatile coloured, *volatile tagged, *volatile listed, *volatile heap_block;
static __thread void *volatile local;
static pthread_key_t key;
static volatile int ready;
static void *volatile *anonymous, *volatile *shared, *volatile *readonly, *volatile *inaccessible;
static ucontext_t *coroutine, *back;

static NOINLINE void *make(const char *name)
{
	struct kmem_cache *cache = kmem_cache_create(name, 64, 0, 0, NULL);
	void *object = cache ? kmem_cache_zalloc(cache, GFP_KERNEL) : NULL;

	if (!object)
		abort();
	return object;
}

/* The last of many, so that its slab does not begin with an object. */
static NOINLINE void *make_coloured(const char *name)
{
	struct kmem_cache_args args = { .colour = true };
	struct kmem_cache *cache = kmem_cache_create(name, 700, &args, 0);
	void *object[64];

	if (!cache || kmem_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_ZERO, 64, object) != 64)
		abort();
	kmem_cache_free_bulk(cache, 63, object);
	return object[63];
}

static uintptr_t hide(void *p)
{
	return (uintptr_t)p ^ DISGUISE;
}

static NOINLINE void scrub(void)
{
	volatile char dead[128 << 10];

	for (size_t i = 0; i < sizeof(dead); i++)
		dead[i] = 0;
}

/* ---- reachable --------------------------------------------------------------------------- */

static NOINLINE void keep_in_variables(void)
{
	static void *block;

	global = make("keep-global");
	interior = (char *)make("keep-interior") + 8;
	coloured = (char *)make_coloured("keep-coloured") + 699;
	tagged = (char *)make("keep-tagged") + 1;
	listed = make("keep-list-1");
	*(void **)listed = (char *)make("keep-list-2") + 24;
	local = make("keep-tls");
	pthread_key_create(&key, NULL);
	pthread_setspecific(key, make("keep-pthread-key"));
	block = malloc(5000);
	heap_block = block;
	memset(block, 0, 5000);
	((void **)block)[100] = make("keep-malloc");
}

static void *map(int flags)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static NOINLINE void keep_in_mappings(void)
{
	anonymous = map(MAP_PRIVATE);
	anonymous[7] = make("keep-anonymous");
	readonly = map(MAP_PRIVATE);
	readonly[0] = make("keep-readonly");
	mprotect((void *)(uintptr_t)readonly, 4096, PROT_READ);
	inaccessible = map(MAP_PRIVATE);
	inaccessible[511] = make("keep-inaccessible");
	mprotect((void *)(uintptr_t)inaccessible, 4096, PROT_NONE);
	shared = map(MAP_SHARED);
	shared[3] = make("shared-anonymous");
}

/* Spins with the pointer in r15 and nowhere else. */
static void *in_register(void *arg)
{
	__asm__ volatile("mov %0, %%r15\n\txor %1, %%r15\n\t" CLEAR_REGISTERS
			 "xor %%eax, %%eax\n\txor %%edi, %%edi\n\tmovl $1, ready(%%rip)\n"
			 "1:\tpause\n\tjmp 1b"
			 : : "D"(arg), "S"(DISGUISE) : "memory");
	__builtin_unreachable();
}

/* Spins with the pointer in the upper half of xmm7 and nowhere else. */
static void *in_vector(void *arg)
{
	__asm__ volatile("mov %0, %%rax\n\txor %1, %%rax\n\tmovq %%rax, %%xmm7\n\tpslldq $8, %%xmm7\n\t"
			 CLEAR_REGISTERS "xor %%eax, %%eax\n\txor %%edi, %%edi\n\txor %%r15d, %%r15d\n\t"
			 "movl $1, ready(%%rip)\n"
			 "1:\tpause\n\tjmp 1b"
			 : : "D"(arg), "S"(DISGUISE) : "memory");
	__builtin_unreachable();
}

static void *on_stack(void *arg)
{
	void *volatile mine = (void *)((uintptr_t)arg ^ DISGUISE);

	ready = 1;
	for (;;)
		pause();
	return mine;
}

static NOINLINE void start(void *(*run)(void *), const char *name)
{
	pthread_t thread;

	ready = 0;
	if (pthread_create(&thread, NULL, run, (void *)hide(make(name))))
		abort();
	while (!ready)
		usleep(1000);
}

static NOINLINE void run_coroutine(void)
{
	void *volatile mine = make("keep-coroutine");

	swapcontext(coroutine, back);
	global = mine;
}

static NOINLINE void keep_in_coroutine(void)
{
	coroutine = map(MAP_PRIVATE);
	back = map(MAP_PRIVATE);
	getcontext(coroutine);
	coroutine->uc_stack.ss_size = 64 << 10;
	coroutine->uc_stack.ss_sp = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	makecontext(coroutine, run_coroutine, 0);
	swapcontext(back, coroutine);
}

/* ---- lost --------------------------------------------------------------------------------- */

static NOINLINE void lose(void)
{
	void **a, **b;

	make("lose-direct");
	a = make("lose-chain-1");
	*a = make("lose-chain-2");
	a = make("lose-circle-1");
	b = make("lose-circle-2");
	*a = b;
	*b = a;
	a = make("lose-self");
	a[0] = a;
	a[1] = &a[1];
	__asm__ volatile("" : : "r"(a), "r"(b) : "memory");
}

/* The value stays on the dead part of the stack, deeper than later calls reach. */
static NOINLINE void lose_below_stack_pointer(int depth)
{
	void *volatile frame[64] = { NULL };

	if (depth)
		lose_below_stack_pointer(depth - 1);
	else
		frame[5] = make("lose-stale-stack");
	__asm__ volatile("" : : "r"(frame) : "memory");
}

int main(void)
{
	make("lose-first-object");
	make_coloured("lose-coloured");
	scrub();
	keep_in_variables();
	keep_in_mappings();
	keep_in_coroutine();
	start(in_register, "keep-register");
	start(in_vector, "keep-vector");
	start(on_stack, "keep-stack");
	lose();
	scrub();
	lose_below_stack_pointer(40);
	printf("READY pid=%d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		pause();
}
