/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * giveback.c - what stays resident after all was freed: 64 MiB of objects of SIZE bytes, every byte written,
 * freed in random order; then 100 ms of sleep, or of light use.
 *
 * giveback SIZE idle|use: prints the percentage of the peak that is left. Light use is one object allocated
 * and freed each millisecond.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api.h"
#include "bench.h"

#define BYTES ((size_t)64 << 20)

static size_t resident(void)
{
	char buf[128], *at;
	int fd = open("/proc/self/statm", O_RDONLY);
	ssize_t len = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	buf[len > 0 ? len : 0] = '\0';
	strtoul(buf, &at, 10);
	return strtoul(at, NULL, 10) * 4096;
}

static void **places(size_t nr)
{
	void **p = mmap(NULL, nr * sizeof(*p), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

/* A random order costs no memory of its own: objects change places. */
static void shuffle(void **object, size_t nr)
{
	uint64_t state = 88172645463325252u;
	size_t i;

	for (i = nr - 1; i; i--) {
		size_t j = bench_random(&state) % (i + 1);
		void *swap = object[i];

		object[i] = object[j];
		object[j] = swap;
	}
}

static void wait_100_ms(api_handle h, int use)
{
	const struct timespec ms = { 0, 1000 * 1000 };
	double end = bench_clock_ns(CLOCK_MONOTONIC) + 1e8;

	while (bench_clock_ns(CLOCK_MONOTONIC) < end) {
		nanosleep(&ms, NULL);
		if (use) {
			void *p = api_alloc(h);

			*(volatile long *)p = 1;
			api_free(h, p);
		}
	}
}

int main(int argc, char **argv)
{
	size_t size = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, nr, before, peak, left, i;
	void **object;
	api_handle h;

	if (size < 8) {
		fprintf(stderr, "usage: giveback SIZE idle|use\n");
		return 2;
	}
	nr = BYTES / size;
	object = places(nr);
	h = api_open(size, NULL);
	api_free(h, api_alloc(h));
	before = resident();
	for (i = 0; i < nr; i++) {
		object[i] = api_alloc(h);
		memset(object[i], 1, size);
	}
	peak = resident() - before;
	shuffle(object, nr);
	for (i = 0; i < nr; i++)
		api_free(h, object[i]);
	wait_100_ms(h, !strcmp(argv[2], "use"));
	left = resident();
	printf("left %.2f\n", left > before ? (double)(left - before) * 100 / (double)peak : 0);
	return 0;
}
