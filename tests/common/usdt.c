/* SPDX-License-Identifier: BSD-2-Clause */
/* usdt.c - probe notes are read as readelf shows them. */
#include "common/usdt.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SDT_USE_VARIADIC
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* This very program carries two probes. */
volatile uint16_t usdt_test_first_semaphore __attribute__((section(".probes")));
volatile uint16_t usdt_test_second_semaphore __attribute__((section(".probes")));

__attribute__((noipa)) static void fire(long a, int b)
{
	STAP_PROBEV(usdt_test, first, a, b);
	STAP_PROBEV(usdt_test, second);
}

static size_t read_own(const char *provider, struct usdt_probe **probes)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	size_t nr = 99;

	cr_assert(fd >= 0);
	cr_assert_eq(usdt_read(fd, provider, probes, &nr), 0);
	close(fd);
	return nr;
}

Test(usdt, own_probes)
{
	struct usdt_probe *probes;
	unsigned char byte;
	int fd;

	fire(1, 2);
	cr_assert_eq(read_own("usdt_test", &probes), 2);
	cr_assert_str_eq(probes[0].name, "first");
	cr_assert_str_eq(probes[1].name, "second");
	cr_assert(strchr(probes[0].args, '@'));
	cr_assert_str_eq(probes[1].args, "");
	cr_assert_neq(probes[0].semaphore, 0);
	cr_assert_neq(probes[1].semaphore, 0);
	cr_assert_neq(probes[0].semaphore, probes[1].semaphore);

	/* The site is a file offset: a nop is there. */
	fd = open("/proc/self/exe", O_RDONLY);
	cr_assert_eq(pread(fd, &byte, 1, (off_t)probes[0].site), 1);
	cr_assert_eq(byte, 0x90);
	close(fd);
	free(probes);
}

Test(usdt, other_provider)
{
	struct usdt_probe *probes;

	cr_assert_eq(read_own("nobody", &probes), 0);
	free(probes);
}

Test(usdt, no_elf)
{
	struct usdt_probe *probes;
	size_t nr;
	int fd = open("/dev/null", O_RDONLY);

	cr_assert_eq(usdt_read(fd, "kmem", &probes, &nr), -ENOEXEC);
	close(fd);
}

Test(usdt, arg_registers)
{
	const char *args = "8@%rdi 4@%esi -4@%edx 8@-8(%rbp) 8@$64 -4@%r9d 8@%rax";

	cr_assert_str_eq(usdt_arg_register(args, 0), "rdi");
	cr_assert_str_eq(usdt_arg_register(args, 1), "rsi");
	cr_assert_str_eq(usdt_arg_register(args, 2), "rdx");
	cr_assert_null(usdt_arg_register(args, 3), "in memory");
	cr_assert_null(usdt_arg_register(args, 4), "a constant");
	cr_assert_str_eq(usdt_arg_register(args, 5), "r9");
	cr_assert_null(usdt_arg_register(args, 6), "no argument register");
	cr_assert_null(usdt_arg_register(args, 7), "no such argument");
	cr_assert_null(usdt_arg_register("", 0));
}
