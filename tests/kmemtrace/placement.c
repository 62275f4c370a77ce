/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * placement.c - scripts in a real allocator and in its model: the state must be equal at every check.
 *
 * placement [-v] kernel|module|kmem SCRIPT...   exit 0 equal, 1 not, 77 when no script could be carried out here
 * -v prints every difference, else the first of a script.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lab.h"
#include "kmemtrace/cache_model.h"

#define TRIES 50 /* of libkmem, when a CPU number changes in the middle of a step */

struct trial {
	const struct script *script;
	enum model_kind kind;
	unsigned int nr_cpus;
	bool one_slot;
	struct kmem_cache_info *real; /* [check][cache] */
	uint16_t *used;
};

static int verbose;

static int keep(void *context, unsigned int n, const struct kmem_cache_info *row)
{
	struct trial *trial = context;

	memcpy(&trial->real[n * trial->script->nr_caches], row, trial->script->nr_caches * sizeof(*row));
	return 0;
}

static int open_lab(struct lab *lab, const struct script *script, const char *where)
{
	const char *build = getenv("KMEM_LIBRARY");

	if (!strcmp(where, "kernel"))
		return lab_open_messages(lab, script);
	if (!strcmp(where, "module"))
		return lab_open_module(lab, script);
	return lab_open_kmem(lab, script, build);
}

static void fix(struct model_config *config, const struct script_cache *cache)
{
	/* For the test of this test. */
	config->min_partial += getenv("PLACEMENT_WRONG") != NULL;
	config->fixed_capacity = cache->sheaf != SCRIPT_DEFAULT;
	config->fixed_barn = cache->barn != SCRIPT_DEFAULT;
	if (config->fixed_barn)
		config->barn_full = (uint32_t)cache->barn;
}

static void open_models(const struct trial *trial, struct cache_model *model)
{
	for (unsigned int i = 0; i < trial->script->nr_caches; i++) {
		struct model_config config = cache_model_config_of(trial->kind, &trial->real[i], trial->nr_cpus);

		fix(&config, &trial->script->cache[i]);
		config.fixed_capacity |= trial->one_slot;
		if (cache_model_open(&model[i], &config))
			abort();
	}
}

static unsigned int compare(const struct trial *trial, const char *name, unsigned int check, const struct cache_model *model,
			    unsigned int before)
{
	const struct script *script = trial->script;
	unsigned int bad = 0;

	for (unsigned int i = 0; i < script->nr_caches; i++) {
		struct kmem_cache_info row;
		uint64_t is, should;
		const char *what;

		cache_model_state(&model[i], &row);
		what = cache_model_differs(trial->kind, &row, &trial->real[check * script->nr_caches + i], &is, &should);
		if (what && (verbose || !(before + bad)))
			printf("%s: check %u, cache %s: %s: model %llu, real %llu\n", name, check, script->cache[i].name, what,
			       (unsigned long long)is, (unsigned long long)should);
		bad += what != NULL;
	}
	return bad;
}

static unsigned int model_script(const struct trial *trial, const char *name)
{
	const struct script *script = trial->script;
	struct model_slab **object = calloc(script->nr_objects + 1, sizeof(*object));
	static struct cache_model model[SCRIPT_CACHES];
	unsigned int check = 0, bad = 0;

	open_models(trial, model);
	for (size_t i = 0; i < script->nr_ops; i++) {
		const struct script_op *op = &script->ops[i];

		if (op->kind == SCRIPT_CHECK)
			bad += compare(trial, name, check++, model, bad);
		else if (op->kind == SCRIPT_ALLOC)
			object[op->object] = cache_model_alloc(&model[op->cache], trial->used[i]);
		else if (op->kind == SCRIPT_FREE)
			cache_model_free(&model[op->cache], trial->used[i], object[op->object]);
		else
			cache_model_shrink(&model[op->cache]);
	}
	for (unsigned int i = 0; i < script->nr_caches; i++)
		cache_model_close(&model[i]);
	free(object);
	return bad;
}

static int run(struct trial *trial, const char *where, const char *name)
{
	struct lab_run work = { .check = keep, .context = trial, .used = trial->used };
	struct lab lab;
	int rc, tries = 0;

	do {
		rc = open_lab(&lab, trial->script, where);
		trial->nr_cpus = lab.nr_cpus;
		trial->one_slot = lab.one_slot;
		if (!rc)
			rc = lab_run(&lab, &work);
		lab_close(&lab);
	} while (rc == -EAGAIN && ++tries < TRIES);
	if (!rc)
		return 0;
	printf("%s: %s\n", name, lab.err);
	/* Others may hold objects of a cache. */
	return rc == -ENOTSUP || rc == -EPERM || rc == -EINVAL || rc == -EBUSY ? 77 : 1;
}

static int try_script(const char *where, const char *name, unsigned int *rows)
{
	struct script script;
	struct trial trial = { .script = &script, .kind = strcmp(where, "kmem") ? MODEL_SLUB : MODEL_SHEAF };
	unsigned int bad;
	char err[256];
	int rc;

	if (script_load(&script, name, err, sizeof(err))) {
		printf("%s\n", err);
		return 1;
	}
	trial.real = calloc((size_t)script.nr_checks * script.nr_caches, sizeof(*trial.real));
	trial.used = calloc(script.nr_ops, sizeof(*trial.used));
	rc = run(&trial, where, name);
	if (!rc) {
		bad = model_script(&trial, name);
		*rows += script.nr_checks * script.nr_caches;
		printf("%s: %u states of %u caches, %zu steps: %u differ\n", name, script.nr_checks * script.nr_caches,
		       script.nr_caches, script.nr_ops - script.nr_checks, bad);
		rc = bad != 0;
	}
	free(trial.real);
	free(trial.used);
	script_free(&script);
	return rc;
}

int main(int argc, char **argv)
{
	unsigned int rows = 0;
	int i = 1, rc, worst = 0;

	verbose = argc > i && !strcmp(argv[i], "-v");
	i += verbose;
	for (const char *where = argv[i++]; i < argc; i++) {
		rc = try_script(where, argv[i], &rows);
		worst |= rc == 1;
	}
	printf("%u states compared\n", rows);
	return !worst && !rows ? 77 : worst;
}
