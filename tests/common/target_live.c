/* SPDX-License-Identifier: BSD-2-Clause */
/* target_live.c - tests of tools/common/target_live.c: scattered reads, refusals, processes that end. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <kmem/observe.h>

#include "common/target.h"
#include "fake.h"

#define NR 3000 /* more ranges than one system call takes */

Test(target_live, scattered_read_skips_holes)
{
	uint64_t source[NR], got[NR] = { 0 };
	struct target_range ranges[NR];
	struct target t;

	for (size_t i = 0; i < NR; i++) {
		source[i] = i * 3 + 1;
		ranges[i] = (struct target_range){ .addr = (uintptr_t)&source[i], .buf = &got[i], .len = 8, .error = 77 };
	}
	ranges[0].addr = 8;
	ranges[700].addr = 16;
	ranges[NR - 1].addr = UINT64_C(0xffff800000000000);
	ranges[5].len = 0;
	cr_assert_eq(target_open(&t, getpid()), 0, "%s", t.message);
	cr_expect_eq(target_readv(&t, ranges, NR), 3);
	for (size_t i = 0; i < NR; i++) {
		bool bad = i == 0 || i == 700 || i == NR - 1;

		cr_expect_eq(ranges[i].error, bad ? -EFAULT : 0, "range %zu", i);
		cr_expect_eq(got[i], bad || i == 5 ? 0 : source[i], "range %zu", i);
	}
	target_close(&t);
}

Test(target_live, read_across_the_end_of_a_mapping_fails)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buf[64];
	struct target t;

	memset(two, 5, 4096);
	munmap(two + 4096, 4096);
	cr_assert_eq(target_open(&t, getpid()), 0);
	cr_expect_eq(target_read(&t, (uintptr_t)two + 4096 - 64, buf, 64), 0);
	cr_expect_eq(buf[63], 5);
	cr_expect_eq(target_read(&t, (uintptr_t)two + 4096 - 32, buf, 64), -EFAULT);
	cr_expect_not_null(strstr(t.message, "cannot be read"), "%s", t.message);
	target_close(&t);
}

Test(target_live, no_such_process)
{
	struct target t;

	cr_expect_eq(target_open(&t, 0x3ffffff), -ESRCH);
	cr_expect_str_eq(t.message, "no process with PID 67108863");
	target_close(&t);
	cr_expect_eq(target_open(&t, 0), -ESRCH);
	target_close(&t);
	cr_expect_eq(target_open(&t, -5), -ESRCH);
	target_close(&t);
}

Test(target_live, zombie)
{
	struct target t;
	pid_t pid = fork();
	siginfo_t info;

	if (!pid)
		_exit(0);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	cr_expect_eq(target_open(&t, pid), -ESRCH);
	cr_expect_not_null(strstr(t.message, "is a zombie"), "%s", t.message);
	target_close(&t);
	waitpid(pid, NULL, 0);
}

Test(target_live, kernel_thread)
{
	struct target t;

	if (access("/proc/2/stat", F_OK))
		cr_skip("no kernel threads in this pid namespace");
	cr_expect_lt(target_open(&t, 2), 0);
	target_close(&t);
}

Test(target_live, process_that_ends_between_reads)
{
	pid_t pid = fake_start("normal");
	struct kmem_observe root;
	struct target t;

	cr_assert_eq(target_open(&t, pid), 0);
	cr_assert_eq(target_find_roots(&t), 0);
	fake_stop(pid);
	cr_expect_eq(target_read_root(&t, t.roots[0].addr, &root), -ESRCH);
	cr_expect_not_null(strstr(t.message, "has ended"), "%s", t.message);
	cr_expect_eq(target_reload_maps(&t), -ESRCH);
	target_close(&t);
}

Test(target_live, other_user_is_refused)
{
	pid_t pid, child;
	int status;

	if (geteuid())
		cr_skip("needs root");
	pid = fake_start("normal");
	child = fork();
	if (!child) {
		struct target t;
		int err;

		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(3);
		err = target_open(&t, pid);
		_exit(err == -EPERM && strstr(t.message, "belongs to uid 0") ? 0 : 1);
	}
	waitpid(child, &status, 0);
	cr_expect_eq(status, 0);
	fake_stop(pid);
}

Test(target_live, threads_are_listed)
{
	struct target t;
	pid_t *tids;
	size_t nr;

	cr_assert_eq(target_open(&t, getpid()), 0);
	cr_assert_eq(target_threads(&t, &tids, &nr), 0);
	cr_expect_geq(nr, 1);
	cr_expect_eq(tids[0], getpid());
	free(tids);
	target_close(&t);
}

/* Containers filter process_vm_readv; the mem file must do. */
static int forbid_process_vm_readv(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int read_without_process_vm_readv(pid_t pid)
{
	uint64_t word = 0;
	struct target_range ranges[2] = { { .addr = 8, .buf = &word, .len = 8 } };
	struct target t;
	int failed;

	if (forbid_process_vm_readv())
		return 77;
	if (target_open(&t, pid) || target_find_roots(&t))
		return 1;
	ranges[1] = (struct target_range){ .addr = t.roots[0].addr, .buf = &word, .len = 8 };
	failed = target_readv(&t, ranges, 2);
	target_close(&t);
	return failed == 1 && ranges[0].error == -EFAULT && word == KMEM_OBSERVE_MAGIC ? 0 : 2;
}

Test(target_live, mem_file_does_where_the_call_is_filtered)
{
	pid_t pid = fake_start("normal"), child = fork();
	int status;

	if (!child)
		_exit(read_without_process_vm_readv(pid));
	waitpid(child, &status, 0);
	fake_stop(pid);
	if (status == 77 << 8)
		cr_skip("no seccomp filters");
	cr_expect_eq(status, 0, "code %d", status >> 8);
}

static void *outlive(void *ready)
{
	if (write(*(int *)ready, "r", 1) == 1)
		pause();
	return NULL;
}

/* The leader's memory map is gone with the leader; the process is not. */
Test(target_live, process_whose_first_thread_has_ended)
{
	int ready[2];
	struct target t;
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		pthread_t thread;

		pthread_create(&thread, NULL, outlive, &ready[1]);
		pthread_exit(NULL);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	usleep(20000);
	cr_assert_eq(target_open(&t, pid), 0, "%s", t.message);
	cr_expect_gt(t.nr_maps, 3);
	cr_expect_eq(target_read(&t, t.maps[0].start, &byte, 1), 0, "%s", t.message);
	target_close(&t);
	fake_stop(pid);
}
