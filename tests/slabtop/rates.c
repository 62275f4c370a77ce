/* SPDX-License-Identifier: BSD-2-Clause */
/* rates.c - tests of tools/slabtop/rates.c against the running kernel. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "slabtop/rates.h"
#include "slabtop/session.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

Test(rates, second_read_has_rates)
{
	static const struct row_source kernel = { .kind = ROW_KERNEL, .label = "kernel" };
	struct rows rows = { 0 };
	struct rates *rates;
	struct row *row;
	char err[256];

	if (rates_open(&rates, err, sizeof(err)))
		cr_skip("%s", err);
	row = rows_add(&rows, &kernel);
	row->id = 4097; /* no cache has this address */
	rows.ns = now_ns();
	cr_assert_eq(rates_read(rates, &rows, &kernel, err, sizeof(err)), 0, "%s", err);
	cr_expect_not(row_known(row, ROW_ALLOC_RATE));
	usleep(1000);
	rows.ns = now_ns();
	cr_assert_eq(rates_read(rates, &rows, &kernel, err, sizeof(err)), 0, "%s", err);
	cr_expect(row_known(row, ROW_ALLOC_RATE));
	cr_expect_eq(row->value[ROW_ALLOC_RATE], 0);
	rates_close(rates);
	rates_close(NULL);
	rows_free(&rows);
}

/* Opening files takes objects from a cache of that name on every kernel. */
Test(rates, work_is_seen)
{
	struct options options = { .kernel = true, .rates = true, .active = ACTIVE_AUTO };
	struct session s;
	uint64_t rate = 0;

	if (session_open(&s, &options)) {
		session_close(&s);
		cr_skip("%s", s.message);
	}
	cr_assert_eq(session_read(&s), 0, "%s", s.message);
	for (int i = 0; i < 2000; i++) {
		FILE *f = fopen("/dev/null", "r");

		if (f)
			fclose(f);
	}
	cr_assert_eq(session_read(&s), 0, "%s", s.message);
	for (size_t i = 0; i < s.rows.nr; i++)
		if (!strcmp(s.rows.row[i].name, "filp"))
			rate = s.rows.row[i].value[ROW_ALLOC_RATE];
	if (s.kernel_true)
		cr_expect_gt(rate, 100, "%lu per second", rate);
	session_close(&s);
}
