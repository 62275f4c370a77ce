/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers of records: nothing is lost or doubled, full ones are delivered, and readers find the rest. */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "base/batch.h"
#include "base/observe.h"
#include "base/trace.h"
#include "entry/init.h"

static void append(uint64_t n)
{
	batch_append(n, (const void *)(uintptr_t)(n * 16), n + 1, batch_rest(64, 7, KMEM_BATCH_KMALLOC, 3));
}

/* What readers do: the records between a buffer's start and the cursor. */
static const struct kmem_batch *current(unsigned int cpu, unsigned int *count)
{
	uint64_t cursor = *(uint64_t *)(uintptr_t)(batch_root.cursors + ((uint64_t)cpu << KMEM_PERCPU_SHIFT));
	const struct kmem_batch *b;

	*count = 0;
	if (!cursor)
		return NULL;
	b = (const void *)(uintptr_t)ALIGN_DOWN(cursor - 1, (uint64_t)KMEM_BATCH_BYTES);
	*count = (unsigned int)((cursor - (uintptr_t)b->record) / sizeof(b->record[0]));
	return b;
}

static unsigned int in_buffers(void)
{
	unsigned int cpu, count, sum = 0;

	for (cpu = 0; cpu < batch_root.nr_cpus; cpu++) {
		current(cpu, &count);
		sum += count;
	}
	return sum;
}

Test(batch, the_root_says_where_things_are)
{
	kmem_init();
	cr_expect_eq(observe_root.batches, (uintptr_t)&batch_root);
	cr_expect_eq(batch_root.buffers % KMEM_BATCH_BYTES, 0);
	cr_expect_eq(batch_root.nr_cpus, percpu_nr_cpus());
	cr_expect_gt(batch_root.nr_buffers, batch_root.nr_cpus);
	cr_expect_eq(in_buffers(), 0);
}

Test(batch, what_is_appended_is_there_to_be_read)
{
	const struct kmem_batch_record record = { 5, 80, 6, 64, 7, KMEM_BATCH_KMALLOC, 3 };
	unsigned int cpu, count;

	kmem_init();
	append(5);
	for (cpu = 0; cpu < batch_root.nr_cpus; cpu++) {
		const struct kmem_batch *b = current(cpu, &count);

		if (!count)
			continue;
		cr_expect_eq(count, 1);
		cr_expect_eq(b->cpu, cpu);
		cr_expect_eq(b->seq, 0);
		cr_expect_gt(b->tsc_first, 0);
		cr_expect_eq(memcmp(&b->record[0], &record, sizeof(record)), 0);
	}
	cr_expect_eq(in_buffers(), 1);
}

Test(batch, full_buffers_are_delivered_and_used_again)
{
	const uint64_t nr = 1000000;
	uint64_t i;

	kmem_init();
	for (i = 0; i < nr; i++) {
		append(i);}
	cr_expect_eq(batch_root.lost, 0);
	cr_expect_eq(batch_root.delivered * KMEM_BATCH_RECORDS + in_buffers(), nr);
}

static void *append_many(void *number)
{
	uint64_t i, me = (uint64_t)(uintptr_t)number;

	for (i = 0; i < 500000; i++) {
		append(me << 32 | i);}
	return NULL;
}

Test(batch, threads_lose_nothing)
{
	pthread_t thread[8];
	uintptr_t i;

	kmem_init();
	for (i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, append_many, (void *)i);
	for (i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(batch_root.delivered * KMEM_BATCH_RECORDS + in_buffers() + batch_root.lost, 8 * 500000);
	cr_expect_eq(batch_root.lost, 0);
}

static volatile sig_atomic_t from_handler;

static void append_in_handler(int signo)
{
		append((uint64_t)signo);from_handler++;
}

Test(batch, signal_handlers_may_append)
{
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	uint64_t i;

	kmem_init();
	signal(SIGALRM, append_in_handler);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < 3000000; i++) {
		append(i);}
	setitimer(ITIMER_REAL, &never, NULL);
	cr_expect_gt(from_handler, 0);
	cr_expect_eq(batch_root.delivered * KMEM_BATCH_RECORDS + in_buffers() + batch_root.lost,
		     i + (uint64_t)from_handler);
	cr_expect_eq(batch_root.lost, 0);
}

Test(batch, a_child_starts_with_empty_buffers)
{
	int status;
	pid_t pid;

	kmem_init();
	append(1);
	pid = fork();
	if (!pid) {
		unsigned int before = in_buffers();

		append(1);
		_exit(before || in_buffers() != 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	cr_expect_eq(in_buffers(), 1);
}
