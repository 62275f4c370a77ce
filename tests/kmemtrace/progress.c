/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.c - nothing but the last line where stderr is no terminal; losses are always told. */
#include "kmemtrace/progress.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtrace/sample.h"

TestSuite(progress, .fini = sample_clean);

/* What a recording of these totals prints. */
static const char *print(bool quiet, const struct trace_totals *totals)
{
	static char text[2000];
	int fd = open(sample_path("out"), O_RDWR | O_CREAT | O_TRUNC, 0600), saved = dup(STDERR_FILENO);
	struct progress p;
	ssize_t n;

	dup2(fd, STDERR_FILENO);
	progress_init(&p, quiet);
	if (progress_due(&p, UINT64_MAX))
		progress_show(&p, p.begin_ns + 1, 1, 1, 1);
	progress_clear(&p);
	progress_end(&p, "a.kmt", 1234, 5000, totals);
	dup2(saved, STDERR_FILENO);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	close(saved);
	return text;
}

Test(progress, one_line)
{
	const char *text = print(false, &(struct trace_totals){ 0 });

	cr_expect(strstr(text, "1234 events, all there were, in "), "%s", text);
	cr_expect(strstr(text, "B in a.kmt\n"));
	cr_expect_eq(strchr(text, '\n')[1], '\0', "%s", text);
	cr_expect_str_eq(print(true, &(struct trace_totals){ 0 }), "");
}

Test(progress, losses)
{
	const struct trace_totals totals = { .lost = 7, .tails_lost = 2 };
	const char *text = print(true, &totals);

	cr_expect(strstr(text, "7 events lost"), "%s", text);
	cr_expect(strstr(text, "2 buffers"), "%s", text);
	cr_expect_null(strstr(print(false, &totals), "all there were"));
}
