/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits.c - programs for which memory ends, or whose rights end after their start:
 * malloc() says NULL and ENOMEM, and the program goes on. limits MODE, of
 *   data     RLIMIT_DATA a little above what is in use
 *   as       the limit on addresses that was set before the program was started
 *   refused  the system refuses mmap, mprotect, brk, mremap, madvise (seccomp filter)
 *   closed   no files, another root directory and user (where we may)
 *   sandbox  a seccomp filter that allows read, write and exit only, and refuses the rest
 *   sbrk     memory of the program's own from sbrk(), between malloc()s
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static int failures;
static void *(*volatile do_malloc)(size_t) = malloc;
static void *(*volatile do_calloc)(size_t, size_t) = calloc;
static void *(*volatile do_realloc)(void *, size_t) = realloc;
static void *(*volatile do_memalign)(size_t, size_t) = memalign;

#define CHECK(condition, ...)                                          \
	do {                                                           \
		if (!(condition)) {                                    \
			printf("line %d: %s", __LINE__, #condition);   \
			printf(" " __VA_ARGS__);                       \
			printf("\n");                                  \
			failures++;                                    \
		}                                                      \
	} while (0)

struct object {
	struct object *next;
	size_t size;
};

static struct object *take(struct object *list, size_t size)
{
	struct object *o = do_malloc(size);

	if (!o)
		return NULL;
	memset(o, 0x77, size);
	o->next = list;
	o->size = size;
	return o;
}

static size_t give_all(struct object *list)
{
	size_t bytes = 0, i;

	while (list) {
		struct object *next = list->next;

		for (i = sizeof(*list); i < list->size; i += 509)
			if (((unsigned char *)list)[i] != 0x77)
				abort();
		bytes += list->size;
		free(list);
		list = next;
	}
	return bytes;
}

/* Take objects of one size until there is no more, at most `most` bytes. */
static size_t until_null(size_t size, size_t most)
{
	struct object *list = NULL, *o;
	size_t bytes = 0, again = 0;
	void *p;

	for (errno = 0; bytes < most && (o = take(list, size)); bytes += size)
		list = o;
	CHECK(bytes < most, "no end with %zu bytes each", size);
	CHECK(errno == ENOMEM, "%zu: errno %d", size, errno);
	/* Much more than there is, whatever is left in corners. */
	errno = 0;
	CHECK(!do_malloc(most) && errno == ENOMEM);
	errno = 0;
	CHECK(!do_calloc(most / 8, 8) && errno == ENOMEM);
	errno = 0;
	CHECK(!do_memalign(4096, most) && errno == ENOMEM);
	p = list;
	errno = 0;
	CHECK(!p || (!do_realloc(p, most) && errno == ENOMEM));
	CHECK(posix_memalign(&p, 64, most) == ENOMEM);
	give_all(list);
	/* The program goes on: most of it can be had again. */
	list = NULL;
	while (again < bytes / 2 && (o = take(list, size))) {
		list = o;
		again += size;
	}
	CHECK(again >= bytes / 2, "only %zu of %zu bytes again, %zu each", again, bytes, size);
	give_all(list);
	return bytes;
}

static void every_size_until_null(size_t most)
{
	static const size_t size[] = { 64, 3000, 20000, 300000, 6 * MIB };
	size_t bytes;
	unsigned int i;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		bytes = until_null(size[i], most);
		CHECK(bytes >= 6 * MIB, "%zu bytes each: %zu in all", size[i], bytes);
	}
}

static size_t data_in_use(void)
{
	char line[200];
	size_t kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmData: %zu", &kib);
	if (f)
		fclose(f);
	return kib << 10;
}

static void data(void)
{
	size_t most = data_in_use() + 48 * MIB;
	struct rlimit limit = { most, most };

	CHECK(!setrlimit(RLIMIT_DATA, &limit));
	every_size_until_null(200 * MIB);
}

/* These calls, or all but these. */
static void filter_calls(const int *calls, int nr, unsigned int these, unsigned int others)
{
	struct sock_filter filter[64];
	struct sock_fprog program = { 0, filter };
	int n = 0, i;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (i = 0; i < nr; i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, these);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, others);
	program.len = (unsigned short)n;
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

static void refused(void)
{
	static const int calls[] = { SYS_mmap, SYS_mprotect, SYS_brk, SYS_mremap, SYS_madvise };
	static const size_t size[] = { 64, 1000, 20000 };
	struct object *list = NULL, *o;
	unsigned int i;

	for (i = 0; i < 20000; i++)
		list = take(list, 64 + i % 1000);
	give_all(list);
	filter_calls(calls, 5, SECCOMP_RET_ERRNO | ENOMEM, SECCOMP_RET_ALLOW);
	for (i = 0; i < 3; i++) {
		size_t bytes = 0, again = 0;

		list = NULL;
		for (errno = 0; bytes < 500 * MIB && (o = take(list, size[i])); bytes += size[i])
			list = o;
		CHECK(bytes < 500 * MIB && errno == ENOMEM, "%zu: %zu, errno %d", size[i], bytes, errno);
		give_all(list);
		list = NULL;
		while (again < bytes / 2 && (o = take(list, size[i]))) {
			list = o;
			again += size[i];
		}
		CHECK(again >= bytes / 2, "only %zu of %zu bytes again, %zu each", again, bytes, size[i]);
		give_all(list);
	}
}

static void *work(void *unused)
{
	struct object *list = NULL;
	unsigned int i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 3000; i++)
			list = take(list, 16 + i * 7 % 5000);
		give_all(list);
		list = NULL;
	}
	return unused;
}

static void closed(void)
{
	pthread_t thread[3];
	int out = dup(1), i;

	syscall(SYS_close_range, 0, out - 1, 0);
	syscall(SYS_close_range, out + 1, ~0u, 0);
	if (!geteuid()) {
		CHECK(!chdir("/proc/self/fdinfo") && !chroot("."));
		CHECK(!setgid(65534) && !setuid(65534));
	}
	for (i = 0; i < 3; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, NULL));
	work(NULL);
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	malloc_trim(0);
	dup2(out, 1);
}

static void sandbox(void)
{
	static const int calls[] = { SYS_read, SYS_write, SYS_exit, SYS_exit_group, SYS_rt_sigreturn };
	struct object *list = NULL;
	unsigned int round, i;

	for (round = 0; round < 2000; round++) {
		for (i = 0; i < 1000; i++)
			list = take(list, 16 + i * (round % 3) % 500);
		give_all(list);
		list = NULL;
		if (round == 20)
			filter_calls(calls, 5, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM);
	}
}

static void own_sbrk(void)
{
	enum { NR = 200 };
	static unsigned char *piece[NR];
	struct object *list = NULL;
	unsigned int i, j;

	for (i = 0; i < NR; i++) {
		piece[i] = sbrk(5000);
		CHECK(piece[i] != (void *)-1);
		memset(piece[i], (int)i, 5000);
		for (j = 0; j < 50; j++)
			list = take(list, 16 + (i * 50 + j) * 13 % 3000);
		if (i % 20 == 19) {
			give_all(list);
			list = NULL;
			malloc_trim(0);
		}
	}
	for (i = 0; i < NR; i++)
		for (j = 0; j < 5000; j++)
			if (piece[i][j] != (unsigned char)i) {
				CHECK(0, "piece %u changed", i);
				return;
			}
}

int main(int argc, char **argv)
{
	const char *mode = argc == 2 ? argv[1] : "";

	setvbuf(stdout, NULL, _IONBF, 0);
	if (!strcmp(mode, "data"))
		data();
	else if (!strcmp(mode, "as"))
		every_size_until_null((size_t)3 << 30);
	else if (!strcmp(mode, "refused"))
		refused();
	else if (!strcmp(mode, "closed"))
		closed();
	else if (!strcmp(mode, "sandbox"))
		sandbox();
	else if (!strcmp(mode, "sbrk"))
		own_sbrk();
	else
		return 2;
	printf("limits: %d failures\n", failures);
	return failures != 0;
}
