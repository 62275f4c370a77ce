/* SPDX-License-Identifier: BSD-2-Clause */
/* What a report looks like: the kernel's lines in the kernel's order. */
#include "support.h"

#include <kmem/debug.h>

#include "slab/debug.h"
#include "slab/debug_report.h"

#define ALL (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

/* Each of these, one behind the other. */
static void in_order(const char *text, const char *const *line)
{
	const char *at = text;

	for (; *line; line++) {
		const char *found = strstr(at, *line);

		cr_assert(found, "\"%s\" is missing, or too early, in:\n%s", *line, text);
		at = found + strlen(*line);
	}
}

Test(debug_report, an_overflow_from_title_to_fix)
{
	struct kmem_cache *s = kmem_cache_create("victim", 20, 0, ALL | SLAB_NO_USER_FLAGS, NULL);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);
	char fault[128], left[64], object[80], right[96], pid[64];
	const char *const lines[] = {
		"kmem: =============================================================================\n"
		"kmem: BUG victim (Not tainted): Right Redzone overwritten\n"
		"kmem: -----------------------------------------------------------------------------\n"
		"kmem: \n",
		fault,
		"kmem: Allocated in debug_report_an_overflow_from_title_to_fix_impl+0x", " age=0 cpu=", pid,
		"kmem:  debug_report_an_overflow_from_title_to_fix_impl+0x",
		"kmem: Slab 0x", " objects=", " used=1 fp=0x", " flags=0x",
		"kmem: Object 0x", " @offset=8 fp=0x",
		left, "cc cc cc cc cc cc cc cc                          ........\n",
		object, "41 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  Akkkkkkkkkkkkkkk\n",
		"6b 6b 6b a5                                      kkk.\n",
		right, "58 cc cc cc                                      X...\n",
		"kmem: Padding  ", "5a 5a 5a 5a 5a 5a 5a 5a                          ZZZZZZZZ\n",
		"kmem: CPU: ", "Comm: unit-slab\n",
		"kmem: Call Trace:\n",
		"kmem:  debug_report_an_overflow_from_title_to_fix_impl+0x",
		"kmem: FIX victim: Restoring Right Redzone 0x", "=0xcc\n",
		"kmem: FIX victim: Object at 0x", " not freed\n", NULL,
	};

	p[0] = 0x41;
	p[20] = 0x58;
	snprintf(fault, sizeof(fault), "kmem: %p-%p @offset=%u. First byte 0x58 instead of 0xcc\n", (void *)(p + 20),
		 (void *)(p + 20), s->red_left_pad + 20);
	snprintf(left, sizeof(left), "kmem: Redzone  %016lx: ", (unsigned long)p - s->red_left_pad);
	snprintf(object, sizeof(object), "kmem: Object   %016lx: ", (unsigned long)p);
	snprintf(right, sizeof(right), "kmem: Redzone  %016lx: ", (unsigned long)p + 20);
	snprintf(pid, sizeof(pid), " pid=%d\n", getpid());
	capture_start();
	kmem_cache_free(s, p);
	in_order(capture_end(), lines);
}

Test(debug_report, later_reports_are_tainted)
{
	struct kmem_cache *s = kmem_cache_create("victim", 20, 0, 0, NULL);
	const char *text;

	capture_start();
	debug_bug(s, "first %d", 1);
	debug_bug(s, "second");
	debug_fix(s, "done");
	text = capture_end();
	in_order(text, (const char *const[]){ "BUG victim (Not tainted): first 1\n", "BUG victim (Tainted: B): second\n",
					      "kmem: FIX victim: done\n", NULL });
	cr_expect_eq(kmem_cache_errors(s), 3);
}

Test(debug_report, bytes_before_without_red_zones)
{
	struct kmem_cache *s = kmem_cache_create("victim", 24, 0, SLAB_POISON | SLAB_NO_USER_FLAGS, NULL);
	void *a = kmem_cache_alloc(s, GFP_KERNEL), *b = kmem_cache_alloc(s, GFP_KERNEL);
	const char *text;

	capture_start();
	debug_trailer(s, slab_of(b), b);
	text = capture_end();
	in_order(text, (const char *const[]){ "kmem: Bytes b4 ", "kmem: Object   ", "Call Trace:", NULL });
	capture_start();
	debug_trailer(s, slab_of(a), a);
	cr_expect_null(strstr(capture_end(), "Bytes b4"), "nothing is before the first");
}

Test(debug_report, hex_lines)
{
	static const char bytes[] = "0123456789abcdef\n\x7f\xffz";
	char want[256];

	snprintf(want, sizeof(want),
		 "kmem: Name     %016lx: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
		 "kmem: Name     %016lx: 0a 7f ff 7a                                      ...z\n",
		 (unsigned long)bytes, (unsigned long)bytes + 16);
	capture_start();
	debug_hex("Name", bytes, 20);
	cr_expect_str_eq(capture_end(), want);
}

Test(debug_report, misuse_abort_ends_the_process_behind_the_report)
{
	char out[8192];
	int status, fd[2];
	ssize_t len;
	pid_t pid;

	cr_assert_eq(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		struct kmem_cache *s = kmem_cache_create("victim", 20, 0, ALL | SLAB_NO_USER_FLAGS, NULL);
		void *p = kmem_cache_alloc(s, GFP_KERNEL);

		dup2(fd[1], 2);
		report_set_policy(KMEM_MISUSE_ABORT);
		kmem_cache_free(s, p);
		kmem_cache_free(s, p);
		_exit(0);
	}
	close(fd[1]);
	for (len = 0; len < (ssize_t)sizeof(out) - 1;) {
		ssize_t n = read(fd[0], out + len, sizeof(out) - 1 - (size_t)len);

		if (n <= 0)
			break;
		len += n;
	}
	out[len] = '\0';
	waitpid(pid, &status, 0);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	in_order(out, (const char *const[]){ "Object already free", "Freed in ", "Call Trace:", NULL });
	cr_expect_null(strstr(out, "FIX"));
}
