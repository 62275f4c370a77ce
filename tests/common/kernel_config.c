/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel_config.c - the programs are told of a way to find caches, and of the process. */
#include "common/kernel_config.h"

#include <criterion/criterion.h>
#include <sys/stat.h>

#include "common/bpfenv.h"

Test(kernel_config, everybody)
{
	struct kernel_config config = kernel_config_of(0);

	cr_assert_eq(config.only_tgid, 0);
	cr_assert_eq(config.pidns_ino, 0);
}

Test(kernel_config, one_process)
{
	struct kernel_config config = kernel_config_of(77);
	struct stat ns;

	cr_assert_eq(config.only_tgid, 77);
	/* In a namespace of our own the program must look the process up there. */
	if (!stat("/proc/self/ns/pid", &ns) && ns.st_ino != 0xeffffffcUL)
		cr_assert_eq(config.pidns_ino, ns.st_ino);
	else
		cr_assert_eq(config.pidns_ino, 0);
}

Test(kernel_config, lookup_has_what_it_needs)
{
	struct kernel_config config = kernel_config_of(0);

	if (bpfenv_kernel_has_func("bpf_get_kmem_cache"))
		cr_assert_eq(config.lookup, KERNEL_LOOKUP_KFUNC);
	cr_assert_eq(config.lookup == KERNEL_LOOKUP_PAGE || config.lookup == KERNEL_LOOKUP_FIXED,
		     config.vmemmap_base && config.page_offset_base);
}
