/* SPDX-License-Identifier: BSD-2-Clause */
/* followed.c - what needs no BPF: this process has a libkmem, others have none. With it: recorder.sh. */
#include "kmemtrace/followed.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <kmem/slab.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char err[512];

Test(followed, this_process)
{
	struct followed *f = followed_new(getpid(), 5, 3, NULL, NULL);
	uint64_t frames[5] = { 0 }, *frame = frames + 1, here, in_library;

	cr_assert_eq(followed_find(f, err, sizeof(err)), 0, "%s", err);
	cr_expect_eq(followed_state(f), FOLLOWED_WAITS);
	cr_expect(followed_pid(f) == getpid() && followed_key(f) == 5 && followed_parent(f) == 3);
	in_library = (uintptr_t)kmem_cache_destroy;
	frame[1] = frame[3] = here = (uintptr_t)followed_new;
	frame[0] = (uintptr_t)&frame[2];
	cr_expect(followed_is_busy(f, in_library, (uintptr_t)&here, 0));
	cr_expect_not(followed_is_busy(f, here, (uintptr_t)&here, 0));
	cr_expect(followed_is_busy(f, here, (uintptr_t)&in_library, 0), "called by it");
	cr_expect_not(followed_is_busy(f, here, (uintptr_t)&frame[-1], (uintptr_t)frame));
	frame[3] = in_library;
	cr_expect(followed_is_busy(f, here, (uintptr_t)&frame[-1], (uintptr_t)frame), "two calls further");
	followed_free(f);
}

Test(followed, others)
{
	struct followed *f = followed_new(0x3ffffff0, 1, 0, NULL, NULL);
	int in[2];
	pid_t pid;

	cr_expect_eq(followed_find(f, err, sizeof(err)), -ESRCH);
	cr_expect(strstr(err, "no process") && !strchr(err, '\n'), "%s", err);
	followed_free(f);
	followed_free(NULL);
	cr_assert_eq(pipe(in), 0);
	pid = fork();
	if (!pid) {
		dup2(in[0], 0);
		close(in[1]);
		execl("/bin/cat", "cat", NULL);
		_exit(1);
	}
	f = followed_new(pid, 1, 0, NULL, NULL);
	/* Until it has executed: then there is none. */
	while (followed_find(f, err, sizeof(err)) != -ENOENT) {
		followed_free(f);
		f = followed_new(pid, 1, 0, NULL, NULL);
	}
	cr_expect(strstr(err, "--preload") && !strchr(err, '\n'), "%s", err);
	close(in[1]);
	waitpid(pid, NULL, 0);
	followed_free(f);
}

Test(followed, clocks_go_on)
{
	struct trace_clock a = followed_clock(), b = followed_clock();

	cr_expect(b.ns >= a.ns && b.ticks > a.ticks);
}
