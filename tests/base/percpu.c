/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU regions: where slots lie, and that the mode without rseq works on every CPU. */
#include "support.h"

#include <sys/rseq.h>

#include "base/os.h"
#include "base/percpu.h"

static struct kmem_slot *slot_at(unsigned int which, unsigned int cpu, uint32_t offset)
{
	return (struct kmem_slot *)(uintptr_t)(percpu_region(which) + ((uint64_t)cpu << KMEM_PERCPU_SHIFT) + offset);
}

Test(percpu, rseq_is_used_where_glibc_registered_it)
{
	if (!__rseq_size)
		cr_skip("glibc has not registered rseq");
	cr_expect_neq(percpu_mode(), PERCPU_NONE);
	cr_expect_eq(percpu_nr_cpus(), os_nr_cpus());
	cr_expect_eq(percpu_bytes(), (size_t)os_nr_cpus() << KMEM_PERCPU_SHIFT);
	cr_expect_eq(percpu_tls.id, kmem_fast_id);
}

Test(percpu, the_running_cpu_s_id_is_below_the_count)
{
	unsigned int cpu;

	for (cpu = 0; cpu < os_nr_cpus(); cpu++) {
		pin_to((int)cpu);
		cr_expect_lt(percpu_this_cpu(), percpu_nr_cpus());
		if (percpu_mode() == PERCPU_CPU_ID)
			cr_expect_eq(percpu_this_cpu(), cpu);
	}
}

Test(percpu, the_null_slot_of_every_cpu_holds_nothing)
{
	unsigned int which, cpu;

	for (which = 0; which < 2; which++) {
		for (cpu = 0; cpu < percpu_nr_cpus(); cpu++) {
			cr_expect_eq(slot_at(which, cpu, 0)->capacity, 0);
			cr_expect_eq(slot_at(which, cpu, 0)->word, 0);
		}
	}
}

Test(percpu, slots_are_apart_zero_and_usable_on_every_cpu)
{
	uint32_t last = 0, i, bytes = 1000, cpu;

	for (i = 0; i < 100; i++) {
		uint32_t offset = percpu_slot_alloc(bytes);

		cr_assert_neq(offset, 0);
		cr_expect_eq(offset % 64, 32);
		if (last)
			cr_expect_geq(offset, last + bytes);
		for (cpu = 0; cpu < percpu_nr_cpus(); cpu++) {
			cr_expect(all_bytes(slot_at(0, cpu, offset), bytes, 0));
			cr_expect(all_bytes(slot_at(1, cpu, offset), bytes, 0));
			memset(slot_at(0, cpu, offset), 1, bytes);
			memset(slot_at(1, cpu, offset), 2, bytes);
		}
		last = offset;
	}
}

Test(percpu, a_freed_slot_serves_the_same_size_again)
{
	uint32_t a = percpu_slot_alloc(1024), b = percpu_slot_alloc(512);

	percpu_slot_free(a, 1024);
	cr_expect_neq(percpu_slot_alloc(512), a);
	cr_expect_eq(percpu_slot_alloc(1024), a);
	cr_expect_neq(percpu_slot_alloc(1024), a);
	percpu_slot_free(b, 512);
	cr_expect_eq(percpu_slot_alloc(512), b);
}

Test(percpu, any_number_of_freed_slots_is_reused)
{
	enum { MANY = 500 };
	uint32_t offset[MANY], highest = 0, i;

	for (i = 0; i < MANY; i++) {
		offset[i] = percpu_slot_alloc(1024);
		highest = MAX(highest, offset[i]);
	}
	for (i = 0; i < MANY; i++)
		percpu_slot_free(offset[i], 1024);
	for (i = 0; i < MANY; i++)
		cr_assert_leq(percpu_slot_alloc(1024), highest, "slot %u was lost", i);
}

/* Two capacities can round to one slot size: the next owner must not find the last one's capacity. */
Test(percpu, a_reused_slot_starts_with_capacity_0)
{
	uint32_t offset = percpu_slot_alloc(1024), cpu;

	for (cpu = 0; cpu < percpu_nr_cpus(); cpu++)
		slot_at(0, cpu, offset)->capacity = slot_at(1, cpu, offset)->capacity =
			slot_at(0, cpu, offset)->limit = slot_at(1, cpu, offset)->limit = 124;
	percpu_slot_free(offset, 1024);
	cr_assert_eq(percpu_slot_alloc(1024), offset);
	for (cpu = 0; cpu < percpu_nr_cpus(); cpu++) {
		cr_expect_eq(slot_at(0, cpu, offset)->capacity, 0);
		cr_expect_eq(slot_at(1, cpu, offset)->capacity, 0);
	}
}

Test(percpu, full_regions_say_so)
{
	size_t taken = 0;

	cr_expect_eq(percpu_slot_alloc((size_t)17 << 20), 0);
	while (percpu_slot_alloc(1 << 20))
		taken++;
	cr_expect_geq(taken, 10);
	cr_expect_leq(taken, 16);
}

Test(percpu, the_barrier_succeeds)
{
	cr_assert(percpu_barrier());
	percpu_after_fork();
	cr_expect_neq(percpu_slot_alloc(64), 0);
}

Test(percpu, without_rseq_every_cpu_reads_the_null_slot)
{
	unsigned int cpu;

	cr_assert_eq(percpu_init(false), 0);
	cr_expect_eq(percpu_mode(), PERCPU_NONE);
	cr_expect_eq(percpu_nr_cpus(), 1);
	cr_expect_eq(percpu_slot_alloc(64), 0);
	for (cpu = 0; cpu < os_nr_cpus(); cpu++) {
		pin_to((int)cpu);
		cr_expect_eq(percpu_this_cpu(), 0);
	}
	cr_expect_eq(slot_at(0, percpu_this_cpu(), 0)->capacity, 0);
	cr_assert(percpu_barrier());
}
