/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak.c - a program that runs for long: 96 MiB live, whose sizes are of another kind
 * from period to period. The memory it takes must not creep: what the rounds through all
 * kinds take in the mean, the later half against the earlier one but for the first;
 * single rounds differ by some percent. soak SECONDS PERIODS PERCENT
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

enum { THREADS = 2, SLOTS = 1 << 18, KINDS = 6, SAMPLES = 8 };

static volatile int kind, stop;
static const size_t live_bytes = 96 * MIB / THREADS;

struct worker {
	pthread_t thread;
	uint64_t seed, steps;
	size_t live;
	struct {
		unsigned char *p;
		uint32_t size;
	} slot[SLOTS];
};

static struct worker *worker[THREADS];

static size_t below(struct worker *w, size_t n)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(w->seed >> 33) % n;
}

static size_t choose_size(struct worker *w)
{
	switch (kind) {
	case 0: return 16 + below(w, 500);                                   /* objects */
	case 1: return 300 + below(w, 7900);                                 /* buffers */
	case 2: return 8193 + below(w, 250000);                              /* pages */
	case 3: return (size_t)16 << below(w, 15);                           /* powers of two */
	case 4: return below(w, 20) ? 40 + below(w, 24) : 60000;             /* few large ones among small ones */
	default: return below(w, 4) ? 16 + below(w, 3000) : 1 + below(w, below(w, 100) ? 40000 : 6 * MIB);
	}
}

static void drop(struct worker *w, size_t at)
{
	unsigned char *p = w->slot[at].p;
	size_t size = w->slot[at].size;

	if (!p)
		return;
	if (p[0] != (unsigned char)at || p[size - 1] != (unsigned char)at)
		abort();
	free(p);
	w->live -= size;
	w->slot[at].p = NULL;
}

static void take(struct worker *w, size_t at)
{
	size_t size = choose_size(w);
	unsigned char *p = w->slot[at].p;

	if (p && below(w, 8) == 0) {
		w->live -= w->slot[at].size;
		p = realloc(p, size);
	} else {
		drop(w, at);
		p = below(w, 16) ? malloc(size) : calloc(1, size);
	}
	if (!p)
		abort();
	memset(p, (int)(unsigned char)at, size);
	w->slot[at].p = p;
	w->slot[at].size = (uint32_t)size;
	w->live += size;
}

static void *work(void *argument)
{
	struct worker *w = argument;

	while (!stop) {
		take(w, below(w, SLOTS));
		while (w->live > live_bytes)
			drop(w, below(w, SLOTS));
		w->steps++;
	}
	return NULL;
}

static double resident(void)
{
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*u %zu", &pages) != 1)
		abort();
	fclose(f);
	return (double)pages * 4096 / MIB;
}

static double mean_of(const double *round, int nr)
{
	double sum = 0;
	int i;

	for (i = 0; i < nr; i++)
		sum += round[i];
	return sum / nr;
}

static void pause_for(double seconds)
{
	struct timespec t = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };

	nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
	double seconds = argc == 4 ? atof(argv[1]) : 0, most[64] = { 0 }, mean[64] = { 0 }, all = 0, creep;
	int half, rounds = argc == 4 ? atoi(argv[2]) / KINDS : 0, i, n;

	if (rounds < 3 || rounds > 64) {
		fprintf(stderr, "usage: soak SECONDS PERIODS PERCENT\n");
		return 2;
	}
	for (i = 0; i < THREADS; i++) {
		worker[i] = calloc(1, sizeof(*worker[i]));
		worker[i]->seed = (uint64_t)i + 1;
		pthread_create(&worker[i]->thread, NULL, work, worker[i]);
	}
	for (i = 0; i < rounds * KINDS; i++) {
		kind = i % KINDS;
		for (n = 0; n < SAMPLES; n++) {
			double now;

			pause_for(seconds / (rounds * KINDS) / SAMPLES);
			now = resident();
			mean[i / KINDS] += now / (KINDS * SAMPLES);
			most[i / KINDS] = now > most[i / KINDS] ? now : most[i / KINDS];
			all = now > all ? now : all;
		}
	}
	stop = 1;
	for (i = 0; i < THREADS; i++)
		pthread_join(worker[i]->thread, NULL);
	for (i = 0; i < rounds; i++)
		printf("round %d: mean %.1f, at most %.1f MiB\n", i + 1, mean[i], most[i]);
	half = (rounds + 1) / 2;
	creep = mean_of(mean + half, rounds - half) / mean_of(mean + 1, half - 1) - 1;
	printf("steps %llu, most %.1f MiB, creep %.1f %%\n", (unsigned long long)(worker[0]->steps + worker[1]->steps), all,
	       creep * 100);
	return creep * 100 > atof(argv[3]) || all > 5 * 96;
}
