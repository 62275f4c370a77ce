/* SPDX-License-Identifier: BSD-2-Clause */
/* stream.c - what needs no BPF. The stream itself: tests/bpf/batch.sh. */
#include "common/stream.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static char err[320];

static void never(void *context, pid_t pid, const struct kmem_batch *b, uint32_t nr)
{
	(void)context;
	(void)pid;
	(void)b;
	cr_expect(false, "%u records", nr);
}

static struct stream *open_default(void)
{
	struct stream *s;

	cr_assert_eq(stream_open(&s, NULL, err, sizeof(err)), 0, "%s", err);
	return s;
}

Test(stream, nothing_attached)
{
	struct stream *s = open_default();
	struct stream_totals totals;

	cr_expect_eq(stream_poll(s, never, NULL), 0);
	stream_detach(s, never, NULL);
	cr_expect_eq(stream_read_totals(s, &totals, err, sizeof(err)), 0);
	cr_expect_eq(totals.delivered + totals.lost + totals.tails_lost, 0);
	stream_close(s);
	stream_close(NULL);
}

Test(stream, a_library_without_the_probe_is_refused)
{
	const struct target_root root = { .addr = 1 };
	struct target t = { .pid = 1 };
	struct stream *s = open_default();

	cr_expect_eq(stream_attach(s, &t, &root, err, sizeof(err)), -EPROTO);
	cr_expect(strstr(err, "no batch probe"), "%s", err);
	cr_expect_null(strchr(err, '\n'));
	stream_close(s);
}

/* A process may say anything about itself. */
Test(stream, damaged_buffers_are_refused)
{
	struct kmem_batches batches = { .nr_cpus = 1u << 30 };
	struct target_root root = { .addr = 1, .observe = { .batches = (uintptr_t)&batches, .percpu_shift = 24 } };
	struct stream *s = open_default();
	struct target t;

	cr_assert_eq(target_open(&t, getpid()), 0, "%s", t.message);
	cr_expect_eq(stream_attach(s, &t, &root, err, sizeof(err)), -EPROTO);
	cr_expect(strstr(err, "damaged"), "%s", err);
	batches.nr_cpus = 1;
	root.observe.percpu_shift = 99;
	cr_expect_eq(stream_attach(s, &t, &root, err, sizeof(err)), -EPROTO);
	root.observe.batches = 16;
	cr_expect_eq(stream_attach(s, &t, &root, err, sizeof(err)), -EIO);
	stream_close(s);
	target_close(&t);
}
