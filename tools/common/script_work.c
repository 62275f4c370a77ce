/* SPDX-License-Identifier: BSD-2-Clause */
/* script_work.c - steps of a script, and random work; see script_work.h. */
#include "common/script_work.h"

#include <errno.h>
#include <stdlib.h>

uint64_t script_random(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint32_t script_random_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((script_random(state) >> 32) * limit >> 32);
}

/* Room for one more number. */
static int make_room(uint32_t **array, size_t *room, size_t nr)
{
	size_t more = *room ? 2 * *room : 64;
	uint32_t *grown;

	if (nr < *room)
		return 0;
	grown = reallocarray(*array, more, sizeof(**array));
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = more;
	return 0;
}

int script_work_add(struct script_work *work, enum script_op_kind kind, unsigned int cache, uint32_t object)
{
	struct script *script = work->script;

	if (script->nr_ops == SCRIPT_MAX_OPS)
		return -E2BIG;
	if (script->nr_ops == work->op_room) {
		size_t room = work->op_room ? 2 * work->op_room : 256;
		void *more = reallocarray(script->ops, room, sizeof(*script->ops));

		if (!more)
			return -ENOMEM;
		script->ops = more;
		work->op_room = room;
	}
	script->ops[script->nr_ops++] = (struct script_op){ (uint8_t)kind, (uint8_t)cache, work->cpu, object };
	if (script->nr_cpus < work->cpu + 1u)
		script->nr_cpus = work->cpu + 1u;
	script->nr_checks += kind == SCRIPT_CHECK;
	return 0;
}

int script_work_alloc(struct script_work *work, unsigned int cache, uint32_t *object)
{
	*object = work->nr_unused ? work->unused[--work->nr_unused] : work->script->nr_objects++;
	return script_work_add(work, SCRIPT_ALLOC, cache, *object);
}

int script_work_free(struct script_work *work, unsigned int cache, uint32_t object)
{
	int rc = make_room(&work->unused, &work->unused_room, work->nr_unused);

	if (rc)
		return rc;
	work->unused[work->nr_unused++] = object;
	return script_work_add(work, SCRIPT_FREE, cache, object);
}

static int crowd_add(struct script_work *work, unsigned int cache)
{
	struct script_crowd *crowd = &work->crowd[cache];
	int rc = make_room(&crowd->object, &crowd->room, crowd->nr);

	return rc ? rc : script_work_alloc(work, cache, &crowd->object[crowd->nr++]);
}

static int crowd_remove(struct script_work *work, unsigned int cache)
{
	struct script_crowd *crowd = &work->crowd[cache];
	size_t i = script_random_below(&work->seed, (uint32_t)crowd->nr);
	uint32_t object = crowd->object[i];

	crowd->object[i] = crowd->object[--crowd->nr];
	return script_work_free(work, cache, object);
}

/* How often of 100 to allocate in the next steps: phases of growing and shrinking, so that slabs come and go. */
static uint32_t next_chance(struct script_work *work, size_t have, uint64_t live)
{
	if (have > live)
		return 25;
	if (have < live / 2)
		return 75;
	return 40 + script_random_below(&work->seed, 21);
}

int script_work_random(struct script_work *work, unsigned int cache, const struct script_random *random)
{
	const struct script_crowd *crowd = &work->crowd[cache];
	uint32_t chance = 50, left = 0;
	uint16_t before = work->cpu;
	int rc = 0;

	for (uint64_t i = 1; i <= random->steps && !rc; i++) {
		if (!left--) {
			left = 1 + script_random_below(&work->seed, (uint32_t)random->live);
			chance = next_chance(work, crowd->nr, random->live);
		}
		if (random->cpus > 1 && !script_random_below(&work->seed, 32))
			work->cpu = (uint16_t)script_random_below(&work->seed, (uint32_t)random->cpus);
		if (!crowd->nr || script_random_below(&work->seed, 100) < chance)
			rc = crowd_add(work, cache);
		else
			rc = crowd_remove(work, cache);
		if (!rc && random->check && i % random->check == 0)
			rc = script_work_add(work, SCRIPT_CHECK, 0, 0);
	}
	work->cpu = before;
	return rc;
}

int script_work_drain(struct script_work *work, unsigned int cache)
{
	int rc = 0;

	while (!rc && work->crowd[cache].nr)
		rc = crowd_remove(work, cache);
	return rc;
}

void script_work_close(struct script_work *work)
{
	for (unsigned int i = 0; i < SCRIPT_CACHES; i++)
		free(work->crowd[i].object);
	free(work->unused);
}
