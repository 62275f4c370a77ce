/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.c - what samples between guard pages cost malloc(): two copies of the library in one process, one with each
 * of two values of KMEM_OPTIONS, and short batches on both in turns.
 *
 * guard LIBRARY FIRST SECOND: prints the median ns of a pair and of a batch of 1000 with FIRST, with SECOND, and the
 * median of the ratios second / first of neighbouring batches. Whatever else the machine does, both meet it; and
 * the code is the same, at the same place in its pages.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "bench.h"

#define BATCH  1000
#define ROUNDS 4000

struct library {
	void *(*malloc)(size_t);
	void (*free)(void *);
};

/* From a copy: the loader would take the same file for the same library. */
static struct library load(const char *path, const char *options)
{
	int from = open(path, O_RDONLY), to = memfd_create("copy", 0);
	struct library l = { NULL, NULL };
	char name[64];
	void *handle;

	while (sendfile(to, from, NULL, 1 << 20) > 0)
		continue;
	close(from);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", to);
	setenv("KMEM_OPTIONS", options, 1);
	handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	if (handle) {
		l.malloc = (void *(*)(size_t))dlsym(handle, "malloc");
		l.free = (void (*)(void *))dlsym(handle, "free");
	}
	if (!l.malloc || !l.free) {
		fprintf(stderr, "%s: %s\n", path, dlerror());
		exit(1);
	}
	return l;
}

static double pairs(const struct library *l)
{
	uint64_t start = bench_tsc();
	int i;

	for (i = 0; i < BATCH; i++) {
		void *p = l->malloc(64);

		*(volatile long *)p = 1;
		l->free(p);
	}
	return (double)(bench_tsc() - start) / BATCH;
}

static double fifo_1000(const struct library *l)
{
	static void *object[BATCH];
	uint64_t start = bench_tsc();
	int i;

	for (i = 0; i < BATCH; i++) {
		object[i] = l->malloc(64);
		*(volatile long *)object[i] = 1;
	}
	for (i = 0; i < BATCH; i++)
		l->free(object[i]);
	return (double)(bench_tsc() - start) / BATCH;
}

static void compare(const char *name, double (*loop)(const struct library *), const struct library *two, double tick_ns)
{
	static double took[2][ROUNDS], ratio[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS / 10; i++)
		loop(&two[i & 1]);
	for (i = 0; i < ROUNDS; i++) {
		took[i & 1][i] = loop(&two[i & 1]);
		took[!(i & 1)][i] = loop(&two[!(i & 1)]);
		ratio[i] = took[1][i] / took[0][i];
	}
	printf("%s_first %.4f\n", name, bench_median(took[0], ROUNDS) * tick_ns);
	printf("%s_second %.4f\n", name, bench_median(took[1], ROUNDS) * tick_ns);
	printf("%s_ratio %.4f\n", name, bench_median(ratio, ROUNDS));
}

int main(int argc, char **argv)
{
	struct library two[2];
	double tick_ns = bench_tick_ns();

	if (argc != 4)
		return 2;
	two[0] = load(argv[1], argv[2]);
	two[1] = load(argv[1], argv[3]);
	compare("pair", pairs, two, tick_ns);
	compare("fifo_1000", fifo_1000, two, tick_ns);
	return 0;
}
