/* SPDX-License-Identifier: BSD-2-Clause */
/* numa.c - the map from CPU to node, read from sysfs or invented; see numa.h. */
#include "base/numa.h"

#include "base/report.h"

struct numa numa KMEM_STATE;

/* The next "n" or "first-last" of a list such as "0-3,8". Return: what follows, NULL at the end. */
static const char *next_range(const char *text, unsigned int *first, unsigned int *last)
{
	unsigned int value = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (*first = 0;; text++) {
		if (*text >= '0' && *text <= '9') {
			value = value * 10 + (unsigned int)(*text - '0');
		} else if (*text == '-') {
			*first = value + 1; /* marks a range; 0 is "no range" */
			value = 0;
		} else {
			break;
		}
	}
	*last = value;
	*first = *first ? *first - 1 : value;
	return *text == ',' ? text + 1 : text;
}

static void read_node(const char *folder, unsigned int node)
{
	char path[256], text[4096];
	const char *at = text;
	unsigned int cpu, last;

	report_format(path, sizeof(path), "%s/node%u/cpulist", folder, node);
	if (os_read_file(path, text, sizeof(text)) <= 0)
		return;
	while ((at = next_range(at, &cpu, &last)))
		for (; cpu <= last && cpu < NUMA_MAX_CPUS; cpu++)
			numa.cpu_node[cpu] = (uint8_t)(node % KMEM_MAX_NODES);
}

void numa_read(const char *folder)
{
	char path[256], text[512];
	const char *at = text;
	unsigned int node, last, highest = 0;

	memset(&numa, 0, sizeof(numa));
	numa.nr_nodes = 1;
	report_format(path, sizeof(path), "%s/online", folder);
	if (os_read_file(path, text, sizeof(text)) <= 0)
		return;
	while ((at = next_range(at, &node, &last))) {
		highest = MAX(highest, last);
		/* With one node there is nothing to look up. */
		for (; highest && node <= last; node++)
			read_node(folder, node);
	}
	numa.nr_nodes = MIN(highest + 1, (unsigned int)KMEM_MAX_NODES);
}

static void invent(unsigned int nodes)
{
	unsigned int cpu;

	numa.nr_nodes = MIN(nodes, (unsigned int)KMEM_MAX_NODES);
	numa.invented = true;
	for (cpu = 0; cpu < NUMA_MAX_CPUS; cpu++)
		numa.cpu_node[cpu] = (uint8_t)(cpu % numa.nr_nodes);
}

void numa_init(unsigned int nodes)
{
	if (nodes)
		invent(nodes);
	else
		numa_read("/sys/devices/system/node");
}
