/* SPDX-License-Identifier: BSD-2-Clause */
/* chunk.c - files of chunks: how they are made, written, checked. Damage of every byte: trace_read.c. */
#include "kmemtrace/chunk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtrace/sample.h"

TestSuite(chunk, .fini = sample_clean);

static struct chunk_out out;
static char err[512];

static void put(enum chunk_type type, const char *text, bool compress)
{
	struct iovec body[2] = { { (void *)(uintptr_t)text, strlen(text) / 2 },
				 { (void *)(uintptr_t)(text + strlen(text) / 2), strlen(text) - strlen(text) / 2 } };

	cr_assert_eq(chunk_write(&out, type, "head", 4, body, 2, compress), 0);
}

Test(chunk, what_is_written_is_read)
{
	static char text[5000];
	struct chunk_ref ref;
	struct chunk_in in;
	uint8_t *body;

	memset(text, 'x', sizeof(text) - 1);
	cr_assert_eq(chunk_create(&out, sample_path("c"), false, err, sizeof(err)), 0, "%s", err);
	put(CHUNK_INFO, "a body", false);
	put(CHUNK_EVENTS, text, true);
	cr_assert_eq(chunk_close(&out), 0);
	cr_assert_eq(chunk_open(&in, sample_path("c"), err, sizeof(err)), 0, "%s", err);
	cr_expect_lt(in.bytes, 500, "compressed");
	cr_assert_eq(chunk_at(&in, sizeof(struct trace_file_header), &ref), 0);
	cr_expect(ref.header.type == CHUNK_INFO && ref.header.number == 0 && !memcmp(ref.head, "head", 4));
	cr_assert_eq(chunk_body(&in, &ref, 8, &body), 0);
	cr_expect(!memcmp(body, "a body\0\0\0\0\0\0\0\0", 14));
	free(body);
	cr_assert_eq(chunk_at(&in, chunk_next(&ref), &ref), 0);
	cr_expect(ref.header.type == CHUNK_EVENTS && ref.header.number == 1 && ref.header.flags == CHUNK_ZSTD);
	cr_assert_eq(chunk_body(&in, &ref, 0, &body), 0);
	cr_expect(!memcmp(body, text, sizeof(text) - 1));
	free(body);
	cr_expect_eq(chunk_at(&in, chunk_next(&ref), &ref), -ENODATA);
	cr_expect_eq(chunk_at(&in, 17, &ref), -EBADMSG);
	cr_expect_eq(chunk_search(&in, 17), 16 + 32 + 4 + 6);
	chunk_in_close(&in);
}

Test(chunk, files_are_ours_alone)
{
	struct stat st;

	umask(0);
	cr_assert_eq(chunk_create(&out, sample_path("c"), false, err, sizeof(err)), 0);
	cr_assert_eq(stat(sample_path("c"), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	chunk_close(&out);
}

Test(chunk, nothing_is_replaced_unasked)
{
	struct stat st;

	sample_store(sample_path("c"), (const uint8_t *)"old", 3);
	chmod(sample_path("c"), 0666);
	cr_expect_eq(chunk_create(&out, sample_path("c"), false, err, sizeof(err)), -EEXIST);
	cr_expect(strstr(err, "--force") && !strchr(err, '\n'), "%s", err);
	cr_assert_eq(chunk_create(&out, sample_path("c"), true, err, sizeof(err)), 0, "%s", err);
	chunk_close(&out);
	cr_assert_eq(stat(sample_path("c"), &st), 0);
	cr_expect(st.st_size == 16 && (st.st_mode & 0777) == 0600);
}

Test(chunk, no_symbolic_link_is_followed)
{
	char target[200];
	struct stat st;

	snprintf(target, sizeof(target), "%s", sample_path("target"));
	cr_assert_eq(symlink(target, sample_path("link")), 0);
	cr_expect_lt(chunk_create(&out, sample_path("link"), false, err, sizeof(err)), 0);
	cr_expect_eq(chunk_create(&out, sample_path("link"), true, err, sizeof(err)), -ELOOP, "%s", err);
	cr_expect_neq(stat(target, &st), 0);
}

Test(chunk, where_nothing_can_be_made)
{
	cr_expect_eq(chunk_create(&out, "/nonexistent/c", false, err, sizeof(err)), -ENOENT);
	cr_expect(strstr(err, "/nonexistent/c"), "%s", err);
	cr_expect_eq(chunk_create(&out, "/dev/full", true, err, sizeof(err)), -ENOSPC, "%s", err);
}

/* The disk is full in the middle of a chunk: the file ends behind the one before, and the error stays. */
Test(chunk, a_full_disk_leaves_whole_chunks)
{
	static char text[60000];
	struct rlimit limit = { 20000, 20000 };
	struct chunk_ref ref;
	struct chunk_in in;

	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = (char)('a' + random() % 26);
	cr_assert_eq(chunk_create(&out, sample_path("c"), false, err, sizeof(err)), 0);
	put(CHUNK_INFO, "a body", false);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(chunk_write(&out, CHUNK_EVENTS, NULL, 0, &(struct iovec){ text, sizeof(text) }, 1, false), -EFBIG);
	cr_expect_eq(chunk_write(&out, CHUNK_END, NULL, 0, NULL, 0, false), -EFBIG, "the error stays");
	cr_expect_eq(chunk_close(&out), -EFBIG);
	cr_assert_eq(chunk_open(&in, sample_path("c"), err, sizeof(err)), 0);
	cr_assert_eq(chunk_at(&in, 16, &ref), 0);
	cr_expect_eq(chunk_next(&ref), in.bytes);
	chunk_in_close(&in);
}

Test(chunk, too_large_is_refused)
{
	static char head[CHUNK_MAX_HEAD + 1];

	cr_assert_eq(chunk_create(&out, sample_path("c"), false, err, sizeof(err)), 0);
	cr_expect_eq(chunk_write(&out, CHUNK_INFO, head, sizeof(head), NULL, 0, false), -EMSGSIZE);
	chunk_close(&out);
}

Test(chunk, nothing_came_of_it)
{
	cr_assert_eq(chunk_create(&out, sample_path("c"), false, err, sizeof(err)), 0);
	chunk_discard(&out);
	cr_expect_neq(access(sample_path("c"), F_OK), 0);
	chunk_close(&out);
}
