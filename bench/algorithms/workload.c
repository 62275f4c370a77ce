/* SPDX-License-Identifier: BSD-2-Clause */
/* workload.c - recordings read, and one made up. */
#include "workload.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE (4u << 20) /* what kmalloc() gives */

static void *must(void *p)
{
	if (p)
		return p;
	fputs("algorithms: out of memory\n", stderr);
	exit(1);
}

static void add(struct workload *w, uint32_t id, uint32_t size, uint32_t scope, bool is_free)
{
	if ((w->nr_ops & (w->nr_ops - 1)) == 0)
		w->op = must(realloc(w->op, (2 * w->nr_ops + 1) * sizeof(*w->op)));
	w->op[w->nr_ops++] = (struct op){ id, size, scope, is_free };
}

static void count_sizes(struct workload *w)
{
	bool *seen = must(calloc(MAX_SIZE + 1, 1));

	w->nr_sizes = 0;
	for (size_t i = 0; i < w->nr_ops; i++) {
		w->nr_sizes += !seen[w->op[i].size];
		seen[w->op[i].size] = true;
	}
	free(seen);
}

/* Free what is live, oldest first, and look where the peak is. */
static void finish(struct workload *w)
{
	struct op *object = must(calloc(w->nr_ops + 1, sizeof(*object)));
	size_t live = 0, nr = w->nr_ops;
	uint32_t nr_live = 0;

	w->peak_live = w->peak_op = w->nr_ids = w->nr_scopes = w->most_live = 0;
	for (size_t i = 0; i < nr; i++) {
		struct op op = w->op[i];

		object[op.id] = op;
		live += op.is_free ? -(size_t)op.size : op.size;
		nr_live += op.is_free ? -1u : 1;
		w->nr_ids = op.id >= w->nr_ids ? op.id + 1 : w->nr_ids;
		w->nr_scopes = op.scope >= w->nr_scopes ? op.scope + 1 : w->nr_scopes;
		w->most_live = nr_live > w->most_live ? nr_live : w->most_live;
		if (live > w->peak_live) {
			w->peak_live = live;
			w->peak_op = i;
		}
	}
	for (uint32_t id = 0; id < w->nr_ids; id++)
		if (object[id].size && !object[id].is_free)
			add(w, id, object[id].size, object[id].scope, true);
	free(object);
	count_sizes(w);
}

/* One word. all[]: every allocation of the recording; id_of[]: its id among those wanted, -1 for the others. */
struct reading {
	uint32_t *size, *scope;
	int64_t *id_of;
	uint32_t nr, nr_ids, nr_scopes;
};

static int take(struct workload *w, struct reading *r, const char *word, uint32_t only_size)
{
	char *end;
	long n = strtol(word, &end, 10);

	if (!strcmp(word, "|")) {
		r->nr_scopes++;
		return 0;
	}
	if (*end || !n || n > MAX_SIZE || n < -(long)r->nr)
		return -1;
	if (n < 0) {
		uint32_t which = r->nr - (uint32_t)-n;

		if (r->id_of[which] >= 0)
			add(w, (uint32_t)r->id_of[which], r->size[which], r->scope[which], true);
		return 0;
	}
	r->size[r->nr] = (uint32_t)n;
	r->scope[r->nr] = r->nr_scopes;
	r->id_of[r->nr] = only_size && (uint32_t)n != only_size ? -1 : (int64_t)r->nr_ids++;
	if (r->id_of[r->nr] >= 0)
		add(w, r->nr_ids - 1, (uint32_t)n, r->nr_scopes, false);
	r->nr++;
	return 0;
}

static void name_it(struct workload *w, const char *path, uint32_t only_size)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	if (only_size)
		snprintf(w->name, sizeof(w->name), "%.*s:%u", (int)strcspn(base, "."), base, only_size);
	else
		snprintf(w->name, sizeof(w->name), "%.*s", (int)strcspn(base, "."), base);
}

int workload_read(struct workload *w, const char *path, uint32_t only_size)
{
	FILE *file = fopen(path, "re");
	struct reading r = { 0 };
	char line[4096];
	long bytes;
	int rc = 0;

	memset(w, 0, sizeof(*w));
	if (!file || fseek(file, 0, SEEK_END) || (bytes = ftell(file)) < 0) {
		fprintf(stderr, "algorithms: cannot read %s\n", path);
		return -1;
	}
	rewind(file);
	r.size = must(calloc((size_t)bytes + 1, sizeof(*r.size)));
	r.scope = must(calloc((size_t)bytes + 1, sizeof(*r.scope)));
	r.id_of = must(calloc((size_t)bytes + 1, sizeof(*r.id_of)));
	while (!rc && fgets(line, sizeof(line), file)) {
		char *save = NULL, *word = *line == '#' ? NULL : strtok_r(line, " \n", &save);

		for (; word && !rc; word = strtok_r(NULL, " \n", &save)) {
			rc = take(w, &r, word, only_size);
			if (rc)
				fprintf(stderr, "algorithms: %s: \"%s\" is no word of a recording\n", path, word);
		}
	}
	fclose(file);
	free(r.size);
	free(r.scope);
	free(r.id_of);
	name_it(w, path, only_size);
	if (!rc)
		finish(w);
	return rc;
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t n = *state += UINT64_C(0x9e3779b97f4a7c15);

	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ^ n >> 31;
}

static uint32_t random_size(uint64_t *state)
{
	uint64_t n = next_random(state);
	uint32_t power = 16u << n % 7;

	return power + (uint32_t)(n >> 32) % power;
}

void workload_churn(struct workload *w, uint32_t live, uint32_t nr)
{
	struct op *held = must(calloc(live, sizeof(*held)));
	uint64_t state = 1;
	uint32_t id;

	memset(w, 0, sizeof(*w));
	strcpy(w->name, "churn");
	for (id = 0; id < live + nr; id++) {
		uint32_t which = id < live ? id : (uint32_t)(next_random(&state) % live);

		if (id >= live)
			add(w, held[which].id, held[which].size, 0, true);
		held[which] = (struct op){ id, random_size(&state), 0, false };
		add(w, id, held[which].size, 0, false);
	}
	free(held);
	finish(w);
}

void workload_cut(struct workload *w, size_t nr)
{
	w->nr_ops = nr < w->nr_ops ? nr : w->nr_ops;
	finish(w);
}
