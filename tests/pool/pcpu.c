/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU memory: placement, reuse, misuse; and operations that stay exact while
 * threads are moved between CPUs and interrupted by signals, with rseq and without.
 */
#include "support.h"

#include <pthread.h>
#include <sys/time.h>

#include <kmem/page.h>
#include <kmem/percpu.h>

#include "base/os.h"
#include "base/percpu.h"
#include "pool/table.h"

/* ---- memory ---- */

Test(pcpu, every_cpu_has_a_zeroed_copy)
{
	uint64_t *p = __alloc_percpu(200, 8);
	unsigned int cpu, round;

	cr_expect_eq(num_possible_cpus(), percpu_nr_cpus());
	for (round = 0; round < 2; round++) {
		cr_assert_not_null(p);
		for_each_possible_cpu(cpu) {
			cr_expect(all_bytes(per_cpu_ptr(p, cpu), 200, 0), "CPU %u, round %u", cpu, round);
			memset(per_cpu_ptr(p, cpu), 0x77, 200);
		}
		free_percpu(p);
		p = __alloc_percpu(200, 8);
	}
}

Test(pcpu, alignment)
{
	size_t align;
	unsigned int cpu;

	for (align = 1; align <= PAGE_SIZE; align *= 2) {
		char *p = __alloc_percpu(3, align), *q = __alloc_percpu(align, align);

		for_each_possible_cpu(cpu) {
			cr_expect_eq((uintptr_t)per_cpu_ptr(p, cpu) % align, 0);
			cr_expect_eq((uintptr_t)per_cpu_ptr(q, cpu) % align, 0);
		}
	}
}

Test(pcpu, allocations_are_apart_and_freed_ones_are_reused)
{
	enum { MANY = 3000 };
	static char *p[MANY];
	static uint16_t size[MANY];
	uint64_t seed = 3, end, used;
	unsigned int round, i;

	for (i = 0; i < MANY; i++) {
		size[i] = (uint16_t)(1 + random_next(&seed) % 300);
		p[i] = __alloc_percpu(size[i], 8);
		memset(per_cpu_ptr(p[i], num_possible_cpus() - 1), (int)i, size[i]);
	}
	end = pools.percpu_end;
	used = pools.percpu_used;
	for (round = 0; round < 5; round++) {
		for (i = round % 2; i < MANY; i += 2) {
			cr_assert(all_bytes(per_cpu_ptr(p[i], num_possible_cpus() - 1), size[i], (uint8_t)i), "%u", i);
			free_percpu(p[i]);
		}
		for (i = round % 2; i < MANY; i += 2) {
			p[i] = __alloc_percpu(size[i], 8);
			memset(per_cpu_ptr(p[i], num_possible_cpus() - 1), (int)i, size[i]);
		}
	}
	cr_expect_eq(pools.percpu_end, end);
	cr_expect_eq(pools.percpu_used, used);
	for (i = 0; i < MANY; i++)
		free_percpu(p[i]);
	cr_expect_eq(pools.percpu_used, 0);
	cr_expect_eq(pools.percpu_allocs, pools.percpu_frees);
}

/* The kernel's three spellings of all operations. */
#define EVERY_FORM(prefix, type)                                                     \
	do {                                                                         \
		type *p = alloc_percpu(type), old = 9;                               \
		prefix##write(*p, 5);                                                \
		prefix##add(*p, 10);                                                 \
		prefix##sub(*p, 2);                                                  \
		prefix##inc(*p);                                                     \
		prefix##dec(*p);                                                     \
		cr_expect_eq(prefix##read(*p), 13);                                  \
		prefix##and(*p, 12);                                                 \
		prefix##or(*p, 3);                                                   \
		cr_expect_eq(prefix##read(*p), 15);                                  \
		cr_expect_eq(prefix##add_return(*p, 5), 20);                         \
		cr_expect_eq(prefix##sub_return(*p, 6), 14);                         \
		cr_expect_eq(prefix##inc_return(*p), 15);                            \
		cr_expect_eq(prefix##dec_return(*p), 14);                            \
		cr_expect_eq(prefix##xchg(*p, 20), 14);                              \
		cr_expect_eq(prefix##cmpxchg(*p, 19, 1), 20);                        \
		cr_expect_eq(prefix##cmpxchg(*p, 20, 2), 20);                        \
		cr_expect_not(prefix##try_cmpxchg(*p, &old, 3));                     \
		cr_expect_eq(old, 2);                                                \
		cr_expect(prefix##try_cmpxchg(*p, &old, 3));                         \
		cr_expect_eq(prefix##read(*p), 3);                                   \
		free_percpu(p);                                                      \
	} while (0)

Test(pcpu, every_form_of_every_operation_on_every_size)
{
	unsigned int cpu, nr = 0;

	pin_to(0);
	EVERY_FORM(this_cpu_, uint8_t);
	EVERY_FORM(this_cpu_, uint16_t);
	EVERY_FORM(this_cpu_, uint32_t);
	EVERY_FORM(this_cpu_, uint64_t);
	EVERY_FORM(raw_cpu_, int8_t);
	EVERY_FORM(raw_cpu_, int16_t);
	EVERY_FORM(raw_cpu_, int);
	EVERY_FORM(raw_cpu_, long);
	EVERY_FORM(__this_cpu_, uint8_t);
	EVERY_FORM(__this_cpu_, int16_t);
	EVERY_FORM(__this_cpu_, uint32_t);
	EVERY_FORM(__this_cpu_, long);
	for_each_online_cpu(cpu)
		nr++;
	cr_expect_eq(nr, num_online_cpus());
}

Test(pcpu, what_is_refused)
{
	capture_start();
	cr_expect_null(__alloc_percpu(0, 8));
	cr_expect_null(__alloc_percpu(PCPU_MIN_UNIT_SIZE + 1, 8));
	cr_expect_null(__alloc_percpu(8, 3));
	cr_expect_null(__alloc_percpu(8, 2 * PAGE_SIZE));
	cr_expect_null(__alloc_percpu(8, 0));
	cr_expect_not_null(strstr(capture_end(), "kmem: illegal size (32769) or align (8) for percpu allocation: "
						 "at most 32768 bytes, aligned to a page\n"));
	cr_expect_not_null(__alloc_percpu(PCPU_MIN_UNIT_SIZE, PAGE_SIZE));
}

Test(pcpu, who_cannot_wait_gets_what_is_there)
{
	unsigned int nr = 0;

	cr_expect_null(__alloc_percpu_gfp(8, 8, GFP_NOWAIT), "nothing is, at first");
	free_percpu(alloc_percpu(uint64_t));
	while (alloc_percpu_gfp(uint64_t, GFP_NOWAIT))
		nr++;
	cr_expect_eq(nr, 65536 / 8);
	cr_expect_not_null(alloc_percpu_gfp(uint64_t, GFP_KERNEL));
}

Test(pcpu, full_is_full)
{
	unsigned int nr = 0;

	while (__alloc_percpu(PCPU_MIN_UNIT_SIZE, 8))
		nr++;
	cr_expect_eq(nr, (1u << KMEM_PERCPU_SHIFT) / PCPU_MIN_UNIT_SIZE);
	cr_expect_null(alloc_percpu(char));
}

Test(pcpu, a_foreign_pointer_is_a_bug, .signal = SIGABRT)
{
	int local;

	free_percpu(&local);
}

Test(pcpu, an_interior_pointer_is_a_bug, .signal = SIGABRT)
{
	free_percpu((char *)__alloc_percpu(64, 8) + 8);
}

Test(pcpu, a_double_free_is_a_bug, .signal = SIGABRT)
{
	uint64_t *p = alloc_percpu(uint64_t);

	free_percpu(NULL);
	free_percpu(p);
	free_percpu(p);
}

/* ---- operations ---- */

/* These run in a process of its own, too, where Criterion is not yet awake. */
static unsigned int bad;

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			bad++;                                                 \
		}                                                              \
	} while (0)

struct all_sizes {
	uint8_t a;
	int16_t b;
	uint32_t c;
	int64_t d;
	void *pointer;
};

static void every_operation(struct all_sizes *p)
{
	int64_t expected = 100;

	memset(this_cpu_ptr(p), 0, sizeof(*p));
	this_cpu_write(p->a, 250);
	this_cpu_add(p->a, 10);
	CHECK(this_cpu_read(p->a) == 4); /* it wraps, and alone */
	this_cpu_sub(p->b, 1);
	CHECK(this_cpu_read(p->b) == -1);
	CHECK(this_cpu_ptr(p)->c == 0);
	this_cpu_inc(p->b);
	this_cpu_dec(p->b);
	CHECK(this_cpu_add_return(p->b, -2) == -3);
	this_cpu_or(p->c, 0xf0f0f0f0u);
	this_cpu_and(p->c, 0xffff0000u);
	CHECK(this_cpu_read(p->c) == 0xf0f00000u);
	CHECK(this_cpu_inc_return(p->c) == 0xf0f00001u);
	CHECK(this_cpu_xchg(p->c, 7u) == 0xf0f00001u);
	CHECK(this_cpu_dec_return(p->c) == 6);
	CHECK(this_cpu_sub_return(p->c, 7) == UINT32_MAX);
	this_cpu_write(p->d, -5);
	CHECK(this_cpu_cmpxchg(p->d, 1, 2) == -5);
	CHECK(this_cpu_read(p->d) == -5);
	CHECK(this_cpu_cmpxchg(p->d, -5, 2) == -5);
	CHECK(!this_cpu_try_cmpxchg(p->d, &expected, 9));
	CHECK(expected == 2);
	CHECK(this_cpu_try_cmpxchg(p->d, &expected, 9));
	CHECK(this_cpu_read(p->d) == 9);
	CHECK(!this_cpu_xchg(p->pointer, (void *)p));
	CHECK(this_cpu_read(p->pointer) == p);
	CHECK(this_cpu_cmpxchg(p->a, 4, 200) == 4);
	CHECK(raw_cpu_read(p->a) + __this_cpu_read(p->b) == 197);
}

Test(pcpu, every_operation_on_every_size)
{
	struct all_sizes *p = alloc_percpu(struct all_sizes);

	pin_to(0);
	cr_expect_eq(kmem_percpu_shared, percpu_mode() == PERCPU_NONE);
	every_operation(p);
	cr_expect_eq(bad, 0);
}

Test(pcpu, an_operation_changes_the_running_cpu_s_copy)
{
	uint64_t *p = alloc_percpu(uint64_t);
	unsigned int cpu, id;

	for (cpu = 0; cpu < os_nr_cpus(); cpu++) {
		uint64_t before;

		pin_to((int)cpu);
		/* The compact id of a thread may change when it sleeps: not in between, as a rule. */
		do {
			id = raw_smp_processor_id();
			before = *per_cpu_ptr(p, id);
			this_cpu_add(*p, 5);
		} while (raw_smp_processor_id() != id);
		cr_expect_eq(*per_cpu_ptr(p, id), before + 5);
		cr_expect_lt(id, num_possible_cpus());
	}
}

/* ---- threads ---- */

enum { THREADS = 16, ROUNDS = 200000 };

struct counters {
	uint64_t add, returned, claimed;
	uint32_t swapped;
	uint16_t small;
};

static struct counters *counters;
static volatile uint64_t signals;

static void on_signal(int nr)
{
	(void)nr;
	this_cpu_add(counters->add, 1000000000000u);
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
}

/* Compare-and-exchange on a copy that changes with the CPU: the loop adds one, somewhere. */
static void add_by_cmpxchg(void)
{
	uint64_t old = this_cpu_read(counters->claimed);

	while (!this_cpu_try_cmpxchg(counters->claimed, &old, old + 1))
		continue;
}

static void *count(void *arg)
{
	uint64_t last = 0, moved = 0, seed = (uintptr_t)arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		cpu_set_t set;

		this_cpu_inc(counters->add);
		last += this_cpu_inc_return(counters->returned) != 0;
		add_by_cmpxchg();
		this_cpu_inc(counters->small);
		moved += this_cpu_xchg(counters->swapped, 1) == 0;
		moved -= this_cpu_xchg(counters->swapped, 0) == 1;
		if (random_next(&seed) % 1000)
			continue;
		CPU_ZERO(&set);
		CPU_SET(random_next(&seed) % os_nr_cpus(), &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	if (last != ROUNDS)
		abort();
	return (void *)(uintptr_t)moved;
}

static void count_exactly(void)
{
	static const struct itimerval often = { { 0, 500 }, { 0, 500 } }, never;
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct counters sum = { 0 };
	pthread_t thread[THREADS];
	unsigned int cpu, i;
	uint64_t moved = 0;
	void *result;

	counters = alloc_percpu(struct counters);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, count, (void *)(uintptr_t)(i + 1)));
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		moved += (uint64_t)(uintptr_t)result;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	for_each_possible_cpu(cpu) {
		const struct counters *c = per_cpu_ptr(counters, cpu);

		sum.add += c->add;
		sum.returned += c->returned;
		sum.claimed += c->claimed;
		sum.swapped += c->swapped;
		sum.small = (uint16_t)(sum.small + c->small);
	}
	CHECK(signals > 20);
	CHECK(sum.add == (uint64_t)THREADS * ROUNDS + signals * 1000000000000u);
	CHECK(sum.returned == (uint64_t)THREADS * ROUNDS);
	CHECK(sum.claimed == (uint64_t)THREADS * ROUNDS);
	CHECK(sum.swapped == moved); /* ones put in and not taken out */
	CHECK(sum.small == (uint16_t)(THREADS * ROUNDS));
}

Test(pcpu, counters_are_exact_while_threads_move_and_signals_interrupt, .timeout = 100)
{
	count_exactly();
	cr_expect_eq(bad, 0);
}

/* In a process of its own: programs take the mode for constant. */
__attribute__((constructor)) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");
	struct all_sizes *p;

	if (!name || strcmp(name, "shared"))
		return;
	p = alloc_percpu(struct all_sizes);
	CHECK(kmem_percpu_shared == 1);
	CHECK(num_possible_cpus() == 1);
	CHECK(this_cpu_ptr(p) == p);
	every_operation(p);
	count_exactly();
	fflush(stdout);
	_exit((int)bad);
}

Test(pcpu, everything_without_rseq, .timeout = 100)
{
	char out[4096];

	cr_expect_eq(run_role("shared", "rseq=off", NULL, out, sizeof(out)), 0, "%s", out);
}

/* ---- a copy to oneself ---- */

static uint64_t (*pairs)[2];

static void *use_pairs(void *unused)
{
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		uint64_t *pair = *get_cpu_ptr(pairs);

		if (pair[0] != pair[1])
			abort();
		pair[0]++;
		if (i % 64 == 0)
			sched_yield();
		get_cpu(); /* they nest */
		pair[1]++;
		put_cpu();
		put_cpu_ptr(pairs);
	}
	return unused;
}

Test(pcpu, a_copy_that_was_got_is_one_s_own, .timeout = 100)
{
	pthread_t thread[8];
	unsigned int cpu, i;
	uint64_t sum = 0;

	pairs = __alloc_percpu(sizeof(*pairs), 16);
	for (i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, use_pairs, NULL);
	for (i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	for_each_possible_cpu(cpu)
		sum += (*per_cpu_ptr(pairs, cpu))[1];
	cr_expect_eq(sum, 8 * 20000);
}

Test(pcpu, put_without_get_is_a_bug, .signal = SIGABRT)
{
	put_cpu();
}

static void *get_and_put(void *unused)
{
	get_cpu();
	put_cpu();
	return unused;
}

Test(pcpu, fork_inside_of_get_cpu)
{
	int status;
	pid_t pid;

	pin_to(0);
	get_cpu();
	pid = fork();
	if (!pid) {
		pthread_t thread;

		alarm(5);
		put_cpu();
		pthread_create(&thread, NULL, get_and_put, NULL);
		pthread_join(thread, NULL);
		free_percpu(alloc_percpu(int));
		_exit(0);
	}
	put_cpu();
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0);
}
