/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libkmem-malloc.so from outside: all eleven functions, with errno and edge
 * cases as glibc has them. Linked with that library only.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kmem/slab.h>

#include "entry/malloc_sizes.h"

/* ---- the library serves ---- */

static unsigned long active_of(const char *cache)
{
	static char text[1 << 16];
	char start[64];
	const char *row;

	kmem_slabinfo(text, sizeof(text));
	snprintf(start, sizeof(start), "\n%s ", cache);
	row = strstr(text, start);
	return row ? strtoul(row + strlen(start), NULL, 10) : ~0ul;
}

/* The cache that serves `size`. */
static const char *class_of(size_t size)
{
	static char name[32];
	void *p = laundered(malloc(size));

	snprintf(name, sizeof(name), "malloc-%zu", malloc_usable_size(p));
	free(p);
	return name;
}

Test(malloc, objects_come_from_our_caches)
{
	const char *cache = class_of(hidden(7000));
	unsigned long before = active_of(cache);
	void *p[10];
	int i;

	for (i = 0; i < 10; i++)
		p[i] = laundered(malloc(hidden(7000)));
	cr_expect_eq(active_of(cache), before + 10, "%s", cache);
	for (i = 0; i < 10; i++)
		free(p[i]);
	cr_expect_eq(active_of(cache), before);
}

/* Of every cache of ours: what is left over at the end of a slab. */
Test(malloc, slabs_have_little_left_over)
{
	static char text[1 << 17];
	unsigned int classes = 0, size, objects, pages;
	char *row;

	for (size = 1; size <= 8192; size += 16)
		free(laundered(malloc(hidden(size))));
	kmem_slabinfo(text, sizeof(text));
	for (row = strstr(text, "\nmalloc-"); row; row = strstr(row + 1, "\nmalloc-")) {
		cr_assert_eq(sscanf(row, " %*s %*u %*u %u %u %u", &size, &objects, &pages), 3);
		cr_assert_leq((pages * 4096 - objects * size) * 64, pages * 4096, "%.20s", row + 1);
		classes++;
	}
	cr_assert_geq(classes, 100);
}

/* ---- malloc, free ---- */

Test(malloc, every_size_is_aligned_usable_and_apart)
{
	void *p[NR_SIZES];
	unsigned int i;

	for (i = 0; i < NR_SIZES; i++) {
		p[i] = malloc(sizes[i]);
		cr_assert_not_null(p[i], "%zu", sizes[i]);
		cr_assert_eq((uintptr_t)p[i] % 16, 0);
		cr_assert_geq(malloc_usable_size(p[i]), sizes[i]);
		fill(p[i], sizes[i], i);
	}
	for (i = 0; i < NR_SIZES; i++)
		cr_assert(intact(p[i], sizes[i], i), "%zu", sizes[i]);
	for (i = 0; i < NR_SIZES; i++)
		free(p[i]);
}

Test(malloc, zero_bytes_are_a_real_object_each)
{
	void *p = malloc(hidden(0)), *q = malloc(hidden(0));

	cr_assert_not_null(p);
	cr_assert_not_null(q);
	cr_expect_neq(p, q);
	cr_expect_geq(malloc_usable_size(p), 1);
	free(p);
	free(q);
	free(NULL);
}

Test(malloc, too_much_is_enomem)
{
	static const size_t too_much[] = { SIZE_MAX, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX, (size_t)1 << 50 };
	unsigned int i;

	for (i = 0; i < 5; i++) {
		errno = 0;
		cr_expect_null(malloc(hidden(too_much[i])));
		cr_expect_eq(errno, ENOMEM, "%zx", too_much[i]);
	}
}

Test(malloc, success_and_free_leave_errno_alone)
{
	unsigned int i;

	for (i = 0; i < NR_SIZES; i++) {
		void *p, *q;

		errno = 1234;
		p = malloc(sizes[i]);
		q = calloc(1, sizes[i]);
		cr_assert_eq(errno, 1234, "%zu", sizes[i]);
		free(p);
		cr_assert_eq(errno, 1234, "free of %zu", sizes[i]);
		free(q);
		cr_assert_eq(errno, 1234, "free of %zu", sizes[i]);
	}
}

Test(malloc, usable_bytes_are_usable)
{
	void *p[NR_SIZES];
	unsigned int i;

	cr_expect_eq(malloc_usable_size(NULL), 0);
	for (i = 0; i < NR_SIZES; i++) {
		p[i] = laundered(malloc(sizes[i]));
		fill(p[i], malloc_usable_size(p[i]), i);
	}
	for (i = 0; i < NR_SIZES; i++) {
		cr_assert(intact(p[i], malloc_usable_size(p[i]), i));
		free(p[i]);
	}
}

Test(malloc, waste_is_bounded)
{
	size_t size;

	for (size = 0; size <= 8192; size++) {
		void *p = malloc(size);

		cr_assert_leq(malloc_usable_size(p), (size ? size : 1) + 15 + (size > 6000 ? size / 32 : size > 4096 ? size / 22 : size > 1024 ? size / 32 : size > 512 ? size / 16 : 0),
			      "%zu", size);
		free(p);
	}
	for (size = 8193; size < 4 * MIB; size = size * 3 / 2) {
		void *p = malloc(size);

		cr_assert_eq(malloc_usable_size(p), (size + 4095) / 4096 * 4096);
		free(p);
	}
}

/* ---- calloc ---- */

Test(calloc, every_size_is_zero_also_after_a_dirty_free)
{
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < NR_SIZES; i++) {
			void *p = calloc(1, sizes[i]);

			cr_assert_not_null(p);
			cr_assert(all_zero(p, sizes[i]), "%zu round %u", sizes[i], round);
			memset(p, 0xff, malloc_usable_size(laundered(p)));
			free(p);
		}
	}
}

Test(calloc, overflow_is_enomem)
{
	errno = 0;
	cr_expect_null(calloc(hidden(SIZE_MAX / 2), hidden(3)));
	cr_expect_eq(errno, ENOMEM);
	errno = 0;
	cr_expect_null(calloc(hidden((size_t)1 << 32), hidden((size_t)1 << 32)));
	cr_expect_eq(errno, ENOMEM);
	errno = 0;
	cr_expect_null(calloc(hidden(1), hidden(SIZE_MAX)));
	cr_expect_eq(errno, ENOMEM);
}

Test(calloc, nothing_times_something_is_an_object)
{
	void *p = calloc(0, 10), *q = calloc(10, 0);

	cr_assert(p && q && p != q);
	free(p);
	free(q);
}

Test(calloc, counts_are_multiplied)
{
	int *p = calloc(1000, sizeof(int));

	cr_expect(all_zero(p, 4000));
	cr_expect_geq(malloc_usable_size(p), 4000);
	free(p);
}

/* ---- realloc ---- */

Test(realloc, of_null_is_malloc)
{
	unsigned int i;

	for (i = 0; i < NR_SIZES; i++) {
		void *p = realloc(NULL, sizes[i]);

		cr_assert_not_null(p);
		cr_assert_geq(malloc_usable_size(p), sizes[i]);
		free(p);
	}
}

Test(realloc, to_zero_frees_and_is_null)
{
	const char *cache = class_of(hidden(7000));
	unsigned long before = active_of(cache);
	void *p = malloc(hidden(7000));

	errno = 1234;
	cr_expect_null(realloc(p, hidden(0)));
	cr_expect_eq(errno, 1234);
	cr_expect_eq(active_of(cache), before);
	p = malloc(hidden(5 * MIB));
	cr_expect_null(realloc(p, hidden(0)));
}

Test(realloc, from_every_size_to_every_size_keeps_the_content, .timeout = 120)
{
	unsigned int i, j;

	for (i = 0; i < NR_SIZES; i++) {
		for (j = 0; j < NR_SIZES; j++) {
			size_t kept = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
			void *p;

			if (!sizes[j])
				continue;
			p = malloc(sizes[i]);
			fill(p, kept, i + j);
			p = realloc(p, sizes[j]);
			cr_assert_not_null(p);
			cr_assert(intact(p, kept, i + j), "%zu -> %zu", sizes[i], sizes[j]);
			cr_assert_geq(malloc_usable_size(p), sizes[j]);
			cr_assert_eq((uintptr_t)p % 16, 0);
			fill(p, sizes[j], i);
			free(p);
		}
	}
}

Test(realloc, step_by_step_through_all_borders)
{
	size_t size = 1;
	char *p = malloc(1);

	fill(p, 1, 7);
	for (; size < 40 * MIB; size = size * 5 / 4 + 1) {
		p = realloc(p, size * 5 / 4 + 1);
		cr_assert_not_null(p);
		cr_assert(intact(p, size, 7), "grow from %zu", size);
		fill(p, size * 5 / 4 + 1, 7);
	}
	for (; size > 1; size = size * 3 / 4) {
		p = realloc(p, size * 3 / 4);
		cr_assert_not_null(p);
		cr_assert(intact(p, size * 3 / 4, 7), "shrink from %zu", size);
		fill(p, size * 3 / 4, 7);
	}
	free(p);
}

Test(realloc, among_the_smallest_sizes_stays_in_place)
{
	char *p = malloc(hidden(8)), *q = malloc(hidden(16));

	cr_expect_eq(realloc(laundered(p), hidden(1)), p);
	cr_expect_eq(realloc(laundered(q), hidden(3)), q);
	p = realloc(p, hidden(9));
	cr_expect_eq((uintptr_t)p % 16, 0);
	free(p);
	free(q);
}

Test(realloc, a_large_object_shrinks_where_it_is_and_returns_pages)
{
	char *p = malloc(hidden(1000000)), *q = realloc(p, hidden(20000));

	cr_expect_eq(q, p);
	cr_expect_eq(malloc_usable_size(q), 20480);
	free(q);
}

/* Alone over the free pages behind it; with a neighbour that grows, too, by an eighth at a time. */
Test(realloc, a_growing_object_is_seldom_moved)
{
	unsigned int nr, i, moves = 0;
	size_t size;

	for (nr = 1; nr <= 2; nr++) {
		char *p[2] = { NULL, NULL };

		moves = 0;
		for (size = 20000; size < MIB; size += 5000) {
			for (i = 0; i < nr; i++) {
				char *q = laundered(realloc(p[i], hidden(size)));

				cr_assert_geq(malloc_usable_size(q), size);
				cr_assert(!p[i] || intact(q, size - 5000, i));
				fill(q, size, i);
				moves += q != p[i];
				p[i] = q;
			}
		}
		cr_expect_leq(moves, nr == 1 ? 10 : 80, "%u objects: %u moves in %u steps", nr, moves, nr * 206);
		/* What is spare goes back with the first byte less. */
		for (i = 0; i < nr; i++) {
			p[i] = laundered(realloc(p[i], hidden(size - 10000)));
			cr_expect_lt(malloc_usable_size(p[i]), size - 10000 + 4096);
			free(p[i]);
		}
	}
}

Test(realloc, failure_leaves_the_old_object)
{
	char *p = malloc(hidden(100)), *same = laundered(p);

	strcpy(p, "still here");
	errno = 0;
	cr_expect_null(realloc(p, hidden(SIZE_MAX)));
	cr_expect_eq(errno, ENOMEM);
	errno = 0;
	cr_expect_null(realloc(laundered(same), hidden((size_t)1 << 50)));
	cr_expect_eq(errno, ENOMEM);
	same = laundered(same);
	cr_expect_str_eq(same, "still here");
	free(same);
}

Test(realloc, a_mapped_object_survives_a_failure)
{
	char *p = malloc(hidden(6 * MIB)), *same = laundered(p);

	fill(p, 6 * MIB, 3);
	errno = 0;
	cr_expect_null(realloc(p, hidden((size_t)1 << 50)));
	cr_expect_eq(errno, ENOMEM);
	cr_expect(intact(same, 6 * MIB, 3));
	free(same);
}

Test(realloc, success_leaves_errno_alone)
{
	void *p = malloc(10);

	errno = 1234;
	p = realloc(p, hidden(10000));
	p = realloc(p, hidden(10 * MIB));
	p = realloc(p, hidden(30 * MIB));
	p = realloc(p, hidden(5 * MIB));
	p = realloc(p, hidden(10));
	cr_expect_eq(errno, 1234);
	free(p);
}

Test(reallocarray, multiplies_and_checks)
{
	char *p = reallocarray(NULL, hidden(100), hidden(10)), *same;

	cr_assert_not_null(p);
	cr_expect_geq(malloc_usable_size(p), 1000);
	fill(p, 1000, 1);
	p = reallocarray(p, hidden(1000), hidden(10));
	cr_expect(intact(p, 1000, 1));
	same = laundered(p);
	errno = 0;
	cr_expect_null(reallocarray(p, hidden(SIZE_MAX / 2), hidden(3)));
	cr_expect_eq(errno, ENOMEM);
	cr_expect(intact(same, 1000, 1));
	cr_expect_null(reallocarray(same, hidden(0), hidden(3)));
}

/* ---- giving back ---- */

static size_t resident(void)
{
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	cr_assert(f && fscanf(f, "%*u %zu", &pages) == 1);
	fclose(f);
	return pages * 4096;
}

/* Objects of many sizes, so that most of them are parked when they are free. */
Test(giving_back, memory_leaves_while_the_program_goes_on_with_a_little_work, .timeout = 60)
{
	enum { NR = 20000 };
	static void *p[NR];
	const struct timespec pause = { 0, 5000000 };
	size_t before = resident(), full;
	unsigned int i, n;

	for (i = 0; i < NR; i++)
		memset(p[i] = malloc(hidden(1 + i * 37 % 6000)), 1, 1 + i * 37 % 6000);
	full = resident();
	cr_assert_gt(full, before + 40 * MIB);
	errno = 1234;
	for (i = 0; i < NR; i++)
		free(p[i]);
	/* A few calls of a slow path each time: three decay periods of a second must do. */
	for (n = 0; n < 600 && resident() > before + 10 * MIB; n++) {
		errno = 1234;
		for (i = 0; i < 4; i++)
			free(laundered(malloc(hidden(9000))));
		cr_assert_eq(errno, 1234);
		nanosleep(&pause, NULL);
	}
	cr_expect_lt(n, 600, "%zu of %zu KiB stayed", (resident() - before) >> 10, (full - before) >> 10);
}

/* ---- threads and fork ---- */

static volatile int stop;

static void *churn(void *seed_start)
{
	uint64_t seed = (uintptr_t)seed_start;
	void *held[64] = { NULL };
	size_t bytes[64] = { 0 };
	unsigned int i;

	for (i = 0; !stop; i++) {
		unsigned int at;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		at = (unsigned int)(seed >> 40) % 64;
		if (held[at] && !intact(held[at], bytes[at] < 64 ? bytes[at] : 64, at))
			abort();
		if (seed >> 63) {
			free(held[at]);
			bytes[at] = (seed >> 33) % 20000;
			held[at] = malloc(bytes[at]);
		} else {
			bytes[at] = (seed >> 33) % 9000 + 1;
			held[at] = realloc(held[at], bytes[at]);
		}
		if (!held[at])
			abort();
		fill(held[at], bytes[at] < 64 ? bytes[at] : 64, at);
	}
	for (i = 0; i < 64; i++)
		free(held[i]);
	return NULL;
}

static int use_everything(void)
{
	unsigned int i, round;

	for (round = 0; round < 20; round++) {
		void *p[NR_SIZES];

		for (i = 0; i < NR_SIZES; i++) {
			if (!(p[i] = malloc(sizes[i])))
				return 1;
			fill(p[i], sizes[i] < 100 ? sizes[i] : 100, i);
		}
		for (i = 0; i < NR_SIZES; i++) {
			if (!intact(p[i], sizes[i] < 100 ? sizes[i] : 100, i))
				return 2;
			free(p[i]);
		}
	}
	return 0;
}

Test(fork, a_child_of_threads_that_allocate_can_allocate, .timeout = 120)
{
	pthread_t thread[4];
	uintptr_t i;
	int status, n;

	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, churn, (void *)(i + 1));
	for (n = 0; n < 100; n++) {
		pid_t pid = fork();

		cr_assert_geq(pid, 0);
		if (!pid) {
			alarm(20);
			_exit(use_everything());
		}
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert_eq(status, 0, "child status %x", status);
	}
	stop = 1;
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

static void *free_it(void *p)
{
	free(p);
	return malloc(100);
}

Test(threads, what_one_allocates_another_frees)
{
	unsigned int i;

	for (i = 0; i < NR_SIZES; i++) {
		pthread_t thread;
		void *p;

		pthread_create(&thread, NULL, free_it, malloc(sizes[i]));
		pthread_join(thread, &p);
		free(p);
	}
}

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
	(void)number;
	ticks++;
}

Test(threads, signals_restart_the_fast_path_unharmed)
{
	struct sigaction action = { .sa_handler = on_tick };
	timer_t timer;
	struct itimerspec every = { { 0, 50000 }, { 0, 50000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	void *held[100] = { NULL };
	unsigned int i;

	sigaction(SIGUSR1, &action, NULL);
	cr_assert_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	timer_settime(timer, 0, &every, NULL);
	for (i = 0; ticks < 2000; i++) {
		unsigned int at = i % 100;

		if (held[at] && !intact(held[at], 48, at))
			cr_assert(0, "content lost");
		free(held[at]);
		held[at] = malloc(48);
		fill(held[at], 48, at);
	}
	timer_delete(timer);
}

/* ---- misuse ---- */

Test(misuse, free_of_foreign_memory_aborts, .signal = SIGABRT)
{
	static char own[64];

	free(laundered(own + 16));
}

Test(misuse, free_inside_a_large_object_aborts, .signal = SIGABRT)
{
	free(laundered((char *)malloc(hidden(100000)) + 4096));
}

Test(misuse, a_large_object_freed_twice_aborts, .signal = SIGABRT)
{
	void *p = malloc(hidden(100000)), *again = laundered(p);

	free(p);
	free(again);
}

Test(misuse, an_object_freed_twice_in_a_row_aborts, .signal = SIGABRT)
{
	void *p = malloc(hidden(40)), *again = laundered(p);

	free(p);
	free(again);
}

Test(misuse, free_of_an_unaligned_address_aborts, .signal = SIGABRT)
{
	free(laundered((char *)malloc(hidden(40)) + 4));
}

Test(misuse, realloc_of_foreign_memory_aborts, .signal = SIGABRT)
{
	static char own[64];

	if (realloc(laundered(own), hidden(100)))
		exit(0);
}
