// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/percpu.h: statistics of an interface. */
#include <linux/percpu.h>

struct stats {
	uint64_t packets, bytes;
	int last;
	void *owner;
};

int main(void)
{
	struct stats __percpu *stats = alloc_percpu(struct stats), *mine;
	uint64_t packets = 0;
	int cpu, i;

	if (!stats)
		return 1;
	for (i = 0; i < 1000; i++) {
		this_cpu_inc(stats->packets);
		this_cpu_add(stats->bytes, 1500);
		__this_cpu_write(stats->last, i);
	}
	mine = get_cpu_ptr(stats);
	mine->owner = &packets;
	put_cpu_ptr(stats);
	for_each_possible_cpu(cpu)
		packets += per_cpu_ptr(stats, cpu)->packets;
	free_percpu(stats);
	return packets != 1000;
}
