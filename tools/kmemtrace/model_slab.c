/* SPDX-License-Identifier: BSD-2-Clause */
/* model_slab.c - slabs of a placement model, and lists of them; see model_slab.h. */
#include "kmemtrace/model_slab.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 512

struct model_chunk {
	struct model_chunk *next;
	struct model_slab slab[CHUNK];
};

struct model_slab *model_pool_get(struct model_pool *pool, uint32_t objects)
{
	struct model_slab *slab = pool->unused;

	if (slab) {
		pool->unused = slab->next;
	} else {
		if (!pool->left) {
			struct model_chunk *chunk = malloc(sizeof(*chunk));

			if (!chunk)
				return NULL;
			chunk->next = pool->chunks;
			pool->chunks = chunk;
			pool->left = CHUNK;
		}
		slab = &pool->chunks->slab[--pool->left];
	}
	*slab = (struct model_slab){ .objects = objects, .free = objects, .place = MODEL_FULL };
	return slab;
}

void model_pool_put(struct model_pool *pool, struct model_slab *slab)
{
	slab->place = MODEL_GONE;
	slab->next = pool->unused;
	pool->unused = slab;
}

void model_pool_close(struct model_pool *pool)
{
	while (pool->chunks) {
		struct model_chunk *chunk = pool->chunks;

		pool->chunks = chunk->next;
		free(chunk);
	}
	*pool = (struct model_pool){ 0 };
}

void model_list_add(struct model_list *list, struct model_slab *slab, bool front)
{
	slab->next = front ? list->head : NULL;
	slab->prev = front ? NULL : list->tail;
	if (slab->next)
		slab->next->prev = slab;
	else
		list->tail = slab;
	if (slab->prev)
		slab->prev->next = slab;
	else
		list->head = slab;
	list->nr++;
}

void model_list_del(struct model_list *list, struct model_slab *slab)
{
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		list->head = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
	else
		list->tail = slab->prev;
	slab->prev = slab->next = NULL;
	list->nr--;
}

void model_list_promote(struct model_list *list, bool newest_first)
{
	enum { CLASSES = 32 };
	struct model_list class[CLASSES];
	struct model_slab *slab, *next;

	memset(class, 0, sizeof(class));
	for (slab = list->head; slab; slab = next) {
		next = slab->next;
		if (!slab->free || slab->free > CLASSES)
			continue;
		model_list_del(list, slab);
		model_list_add(&class[slab->free - 1], slab, newest_first);
	}
	for (int i = CLASSES - 1; i >= 0; i--) {
		while ((slab = class[i].tail)) {
			model_list_del(&class[i], slab);
			model_list_add(list, slab, true);
		}
	}
}
