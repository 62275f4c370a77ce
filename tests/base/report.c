/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting without stdio must agree with stdio; a report is one line. */
#include "support.h"

#include "base/report.h"

#define SAME(...)                                                                  \
	do {                                                                       \
		char ours[128], theirs[128];                                       \
		size_t len = report_format(ours, sizeof(ours), __VA_ARGS__);       \
		int want = snprintf(theirs, sizeof(theirs), __VA_ARGS__);          \
		cr_expect_str_eq(ours, theirs);                                    \
		cr_expect_eq(len, (size_t)want, "%s: length %zu", theirs, len);    \
	} while (0)

Test(report, strings_and_characters)
{
	SAME("plain");
	SAME("%s", "");
	SAME("[%s]", "word");
	SAME("[%8s]", "word");
	SAME("[%-8s]", "word");
	SAME("[%2s]", "longer");
	SAME("[%-2s]", "longer");
	SAME("%c%c", 'a', 'b');
	SAME("100%%");
}

Test(report, numbers)
{
	SAME("%d %d %d", 0, 42, -42);
	SAME("[%6d] [%6d]", 42, -42);
	SAME("%u", 4294967295u);
	SAME("[%4u]", 7u);
	SAME("%x %08x", 0xbeefu, 0xbeefu);
	SAME("%05u", 42u);
	SAME("%d %d", 2147483647, -2147483647 - 1);
}

Test(report, long_numbers)
{
	SAME("%lu %llu %zu", 18446744073709551615ul, 18446744073709551615ull, (size_t)1 << 40);
	SAME("%lld %ld", -9223372036854775807ll - 1, 9223372036854775807l);
	SAME("%lx", 0xdeadbeefcafebabeul);
	SAME("[%6lu]", 5ul);
}

Test(report, pointers_have_full_width)
{
	char buf[64];

	report_format(buf, sizeof(buf), "%p", (void *)0x1234);
	cr_expect(!strncmp(buf, "0x", 2));
	cr_expect_eq(strtoull(buf, NULL, 16), 0x1234);
}

Test(report, short_buffers_are_cut_and_terminated)
{
	char buf[8];
	size_t room;

	for (room = 1; room <= sizeof(buf); room++) {
		memset(buf, 'x', sizeof(buf));
		cr_expect_eq(report_format(buf, room, "%s", "0123456789"), 10);
		cr_expect_eq(strlen(buf), room - 1);
		cr_expect(all_bytes(buf + room, sizeof(buf) - room, 'x'));
	}
	cr_expect_eq(report_format(NULL, 0, "%d", 12345), 5);
}

Test(report, is_one_line_with_the_library_s_name)
{
	capture_start();
	report("cause %d: %s", 7, "fix");
	cr_expect_str_eq(capture_end(), "kmem: cause 7: fix\n");
}

Test(report, an_endless_line_is_cut_but_ends)
{
	static char text[2000];
	const char *out;

	memset(text, 'y', sizeof(text) - 1);
	capture_start();
	report("%s", text);
	out = capture_end();
	cr_expect_leq(strlen(out), 512);
	cr_expect_eq(out[strlen(out) - 1], '\n');
	cr_expect_eq(strcspn(out, "\n"), strlen(out) - 1);
}

Test(report, bug_ends_the_process, .signal = SIGABRT)
{
	report_bug("on purpose");
}

Test(report, bug_on_true_ends_the_process, .signal = SIGABRT)
{
	BUG_ON(1 + 1 == 2);
}

Test(report, bug_on_false_does_nothing)
{
	capture_start();
	BUG_ON(1 + 1 == 3);
	cr_expect_str_eq(capture_end(), "");
}

/* Whether the child that ends a report survives. */
static bool survives(enum kmem_misuse_option policy, bool fatal)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		report_set_policy(policy);
		report_misuse_end(fatal);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !status;
}

Test(report, the_policy_decides_whether_a_misuse_ends_the_process)
{
	cr_expect(survives(KMEM_MISUSE_MIXED, false));
	cr_expect_not(survives(KMEM_MISUSE_MIXED, true));
	cr_expect_not(survives(KMEM_MISUSE_ABORT, false));
	cr_expect_not(survives(KMEM_MISUSE_ABORT, true));
	cr_expect(survives(KMEM_MISUSE_REPAIR, true));
}
