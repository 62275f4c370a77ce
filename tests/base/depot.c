/* SPDX-License-Identifier: BSD-2-Clause */
/* The depot: a stack is stored once, found again by its handle, from many threads. */
#include "support.h"

#include <pthread.h>

#include "base/depot.h"
#include "base/observe.h"

Test(depot, a_handle_gives_the_stack_back)
{
	const uint64_t frame[] = { 1, 2, 3 };
	uint32_t handle = depot_save(frame, 3);
	const struct kmem_depot_record *record = depot_stack(handle);

	cr_assert_neq(handle, 0);
	cr_expect_eq(record->nr, 3);
	cr_expect_arr_eq(record->frame, frame, sizeof(frame));
	cr_expect_eq((uintptr_t)record, observe_root.depot + handle * UINT64_C(8), "where readers look");
	cr_expect_null(depot_stack(0));
}

Test(depot, the_same_stack_has_the_same_handle)
{
	const uint64_t a[] = { 1, 2, 3 }, b[] = { 1, 2, 4 };
	uint32_t handle = depot_save(a, 3);

	cr_expect_eq(depot_save(a, 3), handle);
	cr_expect_neq(depot_save(b, 3), handle);
	cr_expect_neq(depot_save(a, 2), handle);
}

enum { STACKS = 20000, THREADS = 4 };
static uint32_t handles[THREADS][STACKS];

static void *store(void *arg)
{
	uint32_t *mine = arg;
	unsigned int i;

	for (i = 0; i < STACKS; i++) {
		uint64_t frame[] = { i, i * 7 };

		mine[i] = depot_save(frame, 2);
	}
	return NULL;
}

Test(depot, threads_find_what_they_stored)
{
	pthread_t thread[THREADS];
	unsigned int t, i;

	for (t = 0; t < THREADS; t++)
		pthread_create(&thread[t], NULL, store, handles[t]);
	for (t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);
	for (t = 0; t < THREADS; t++)
		for (i = 0; i < STACKS; i++) {
			const struct kmem_depot_record *record = depot_stack(handles[t][i]);

			cr_assert(record && record->nr == 2 && record->frame[0] == i && record->frame[1] == i * 7);
		}
}

Test(depot, works_in_the_child_of_a_fork)
{
	const uint64_t frame[] = { 5 };
	uint32_t handle = depot_save(frame, 1);
	int status;
	pid_t pid = fork();

	if (!pid) {
		depot_after_fork();
		_exit(depot_save(frame, 1) == handle ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0);
}
