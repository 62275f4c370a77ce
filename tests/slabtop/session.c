/* SPDX-License-Identifier: BSD-2-Clause */
/* session.c - tests of tools/slabtop/session.c: processes that come, go and are refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/fake.h"
#include "slabtop/session.h"

static struct options options;
static struct session s;

Test(session, one_process)
{
	pid_t pid = fake_start("normal");

	options = (struct options){ .pids = { pid }, .nr_pids = 1 };
	cr_assert_eq(session_open(&s, &options), 0, "%s", s.message);
	cr_assert_eq(session_read(&s), 0, "%s", s.message);
	cr_expect_eq(s.rows.nr, 4);
	cr_expect_eq(session_nr_sources(&s), 1);
	cr_expect_eq(session_source(&s, 0)->pid, pid);
	cr_expect_not_null(session_heap_of(&s, session_source(&s, 0)));
	cr_expect_eq(s.rows.row[0].value[ROW_ACTIVE], FAKE_ACTIVE);
	cr_expect_not(row_known(&s.rows.row[0], ROW_ALLOC_RATE));
	usleep(1000);
	cr_assert_eq(session_read(&s), 0);
	cr_expect(row_known(&s.rows.row[0], ROW_ALLOC_RATE));
	cr_expect_eq(s.rows.row[0].value[ROW_ALLOC_RATE], 0);
	fake_stop(pid);
	cr_expect_eq(session_read(&s), -ESRCH);
	cr_expect_not_null(strstr(s.message, "has ended"), "%s", s.message);
	cr_expect_eq(s.rows.nr, 4, "the last table stays");
	session_close(&s);
}

Test(session, others_go_on_when_one_has_ended)
{
	pid_t a = fake_start("normal"), b = fake_start("normal");

	options = (struct options){ .pids = { a, b }, .nr_pids = 2 };
	cr_assert_eq(session_open(&s, &options), 0, "%s", s.message);
	cr_assert_eq(session_read(&s), 0);
	cr_expect_eq(s.rows.nr, 8);
	cr_expect_eq(session_nr_sources(&s), 2);
	fake_stop(a);
	cr_assert_eq(session_read(&s), 0);
	cr_expect_eq(s.rows.nr, 4);
	cr_expect_eq(session_source(&s, 0)->pid, b);
	cr_expect_not_null(strstr(session_note(&s), "has ended"));
	fake_stop(b);
	cr_expect_eq(session_read(&s), -ESRCH);
	session_close(&s);
}

Test(session, refusals_name_the_cause)
{
	options = (struct options){ .pids = { 0x3ffffff }, .nr_pids = 1 };
	cr_expect_eq(session_open(&s, &options), -ESRCH);
	cr_expect_str_eq(s.message, "no process with PID 67108863");
	session_close(&s);
}

Test(session, unused_library_is_said)
{
	pid_t pid = fake_start("early");

	options = (struct options){ .pids = { pid }, .nr_pids = 1 };
	cr_assert_eq(session_open(&s, &options), 0, "%s", s.message);
	cr_assert_eq(session_read(&s), 0);
	cr_expect_eq(s.rows.nr, 0);
	cr_expect_str_eq(session_note(&s), "libkmem is loaded but has not been used yet");
	session_close(&s);
	fake_stop(pid);
}

Test(session, kernel_as_slabinfo)
{
	if (access("/proc/slabinfo", R_OK))
		cr_skip("needs root");
	options = (struct options){ .kernel = true, .active = ACTIVE_SLABINFO };
	cr_assert_eq(session_open(&s, &options), 0);
	cr_assert_eq(session_read(&s), 0, "%s", s.message);
	cr_expect_gt(s.rows.nr, 10);
	cr_expect_not(s.kernel_true);
	cr_expect_null(session_heap_of(&s, session_source(&s, 0)));
	session_close(&s);
}
