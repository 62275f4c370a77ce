/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * numa.h - which node a CPU belongs to: the system's nodes, or invented ones.
 *
 * Node ids are below KMEM_MAX_NODES; a system with more has them folded. On one
 * node, which is nearly every machine, numa_this_node() is the constant 0 behind
 * one test.
 */
#ifndef BASE_NUMA_H
#define BASE_NUMA_H

#include <kmem/observe.h>

#include "base/base.h"
#include "base/os.h"
#include "base/percpu.h"

#define NUMA_NO_NODE (-1)
#define NUMA_MAX_CPUS 1024 /* CPUs beyond are taken for node 0 */

struct numa {
	unsigned int nr_nodes;
	bool invented;
	uint8_t cpu_node[NUMA_MAX_CPUS];
};
extern KMEM_HIDDEN struct numa numa;

/*
 * nodes 0: the system's nodes. Else that many invented ones, CPU n on node
 * n % nodes, for tests. Before percpu_init(), which needs the answer.
 */
void numa_init(unsigned int nodes);

/* As numa_init(0), from another folder than /sys/devices/system/node. */
void numa_read(const char *folder);

/* Nodes of this process, 1 .. KMEM_MAX_NODES; ids are below it. 1 before numa_init(). */
static inline unsigned int numa_nr_nodes(void)
{
	return MAX(numa.nr_nodes, 1u);
}

/* Whether nodes are memory of their own, so that placing pages means something. */
static inline bool numa_is_real(void)
{
	return numa.nr_nodes > 1 && !numa.invented;
}

static inline unsigned int numa_cpu_node(unsigned int cpu)
{
	return cpu < NUMA_MAX_CPUS ? numa.cpu_node[cpu] : 0;
}

/* Node of the running CPU: a hint, it may change at any time. */
static inline unsigned int numa_this_node(void)
{
	if (likely(numa.nr_nodes <= 1))
		return 0;
	/* Without rseq the per-CPU id is always 0. */
	return numa_cpu_node(percpu_mode() == PERCPU_NONE ? os_this_cpu() : percpu_this_cpu());
}

#endif
