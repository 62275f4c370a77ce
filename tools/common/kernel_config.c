// SPDX-License-Identifier: BSD-2-Clause
/* kernel_config.c - finds out what the programs on the kernel's tracepoints must be told. */
#include "common/kernel_config.h"

#include <stdint.h>
#include <sys/stat.h>

#include "common/bpfenv.h"

#define FIRST_PIDNS 0xeffffffcUL /* inode number of the initial pid namespace */

/* Where x86-64 has them, with 4 levels of page tables, unless they are variables. */
#define FIXED_VMEMMAP     0xffffea0000000000ULL
#define FIXED_PAGE_OFFSET 0xffff888000000000ULL

static void choose_lookup(struct kernel_config *config)
{
	/* The last one tells whether data symbols are visible at all. */
	static const char *const names[] = { "vmemmap_base", "page_offset_base", "slab_caches" };
	uint64_t found[3];

	if (bpfenv_kernel_has_func("bpf_get_kmem_cache")) {
		config->lookup = KERNEL_LOOKUP_KFUNC;
		return;
	}
	bpfenv_kernel_symbols(names, found, 3);
	if (found[0] && found[1]) {
		config->lookup = KERNEL_LOOKUP_PAGE;
		config->vmemmap_base = found[0];
		config->page_offset_base = found[1];
	} else if (found[2] && !found[0] && !found[1]) {
		config->lookup = KERNEL_LOOKUP_FIXED;
		config->vmemmap_base = FIXED_VMEMMAP;
		config->page_offset_base = FIXED_PAGE_OFFSET;
	}
}

/* In the first pid namespace a comparison is 90 ns cheaper. */
static void choose_process(struct kernel_config *config, pid_t pid)
{
	struct stat ns;

	if (!pid)
		return;
	config->only_tgid = (uint32_t)pid;
	if (stat("/proc/self/ns/pid", &ns) || ns.st_ino == FIRST_PIDNS)
		return;
	config->pidns_dev = ns.st_dev;
	config->pidns_ino = ns.st_ino;
}

struct kernel_config kernel_config_of(pid_t pid)
{
	struct kernel_config config = { .lookup = KERNEL_LOOKUP_NONE };

	choose_lookup(&config);
	choose_process(&config, pid);
	return config;
}
