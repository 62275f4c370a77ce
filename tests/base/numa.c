/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes: the lists of sysfs, invented nodes, and that several nodes rule out the mm_cid. */
#include "support.h"

#include <sys/stat.h>

#include "base/numa.h"
#include "base/observe.h"
#include "base/os.h"
#include "base/percpu.h"

static char folder[] = "/tmp/numa-XXXXXX";

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static void write_node(int node, const char *cpus)
{
	char name[32], path[128];

	snprintf(name, sizeof(name), "node%d", node);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(name, sizeof(name), "node%d/cpulist", node);
	write_file(name, cpus);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(numa, .init = setup, .fini = teardown);

Test(numa, two_nodes_with_ranges_and_single_cpus)
{
	write_file("online", "0-1\n");
	write_node(0, "0-3,8\n");
	write_node(1, "4-7,9-11\n");
	numa_read(folder);
	cr_expect_eq(numa_nr_nodes(), 2);
	cr_expect(numa_is_real());
	cr_expect_eq(numa_cpu_node(0), 0);
	cr_expect_eq(numa_cpu_node(3), 0);
	cr_expect_eq(numa_cpu_node(4), 1);
	cr_expect_eq(numa_cpu_node(8), 0);
	cr_expect_eq(numa_cpu_node(9), 1);
	cr_expect_eq(numa_cpu_node(11), 1);
}

Test(numa, ids_may_have_gaps_and_nodes_no_cpus)
{
	write_file("online", "0,3,5\n");
	write_node(0, "0\n");
	write_node(3, "\n");
	write_node(5, "1\n");
	numa_read(folder);
	cr_expect_eq(numa_nr_nodes(), 6);
	cr_expect_eq(numa_cpu_node(1), 5);
}

Test(numa, more_nodes_than_we_have_are_folded)
{
	write_file("online", "0-9\n");
	write_node(9, "7\n");
	numa_read(folder);
	cr_expect_eq(numa_nr_nodes(), KMEM_MAX_NODES);
	cr_expect_eq(numa_cpu_node(7), 1);
}

Test(numa, one_node_or_no_sysfs_is_node_0)
{
	numa_read(folder);
	cr_expect_eq(numa_nr_nodes(), 1);
	write_file("online", "0\n");
	numa_read(folder);
	cr_expect_eq(numa_nr_nodes(), 1);
	cr_expect_not(numa_is_real());
	cr_expect_eq(numa_this_node(), 0);
	cr_expect_eq(numa_cpu_node(100000), 0);
}

Test(numa, invented_nodes_take_turns)
{
	numa_init(3);
	cr_expect_eq(numa_nr_nodes(), 3);
	cr_expect_not(numa_is_real());
	cr_expect_eq(numa_cpu_node(0), 0);
	cr_expect_eq(numa_cpu_node(4), 1);
	cr_expect_eq(numa_cpu_node(5), 2);
	numa_init(99);
	cr_expect_eq(numa_nr_nodes(), KMEM_MAX_NODES);
}

/* In a process of its own: percpu_init() has to know. */
__attribute__((constructor)) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");
	unsigned int cpu, bad = 0;

	if (!name || strcmp(name, "nodes"))
		return;
	bad += numa_nr_nodes() != 2 || observe_root.nr_nodes != 2;
	bad += percpu_mode() == PERCPU_MM_CID;
	for (cpu = 0; cpu < os_nr_cpus(); cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (!sched_setaffinity(0, sizeof(set), &set))
			bad += numa_this_node() != cpu % 2;
	}
	_exit((int)bad);
}

Test(numa, with_nodes_the_cpu_id_is_the_cpu)
{
	char out[256];

	cr_expect_eq(run_role("nodes", "nodes=2", NULL, out, sizeof(out)), 0, "%s", out);
	cr_expect_eq(run_role("nodes", "nodes=2,rseq=off", NULL, out, sizeof(out)), 0, "%s", out);
}
