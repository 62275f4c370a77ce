/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_snapshot.c - objects and blocks that lived when a recording began or ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/trace_priv.h"

struct arrays {
	struct trace_object *objects;
	size_t nr_objects;
	struct trace_block *blocks;
	size_t nr_blocks;
};

static bool append(void **list, size_t *nr, const uint8_t *from, size_t more, size_t bytes)
{
	void *p = realloc(*list, (*nr + more + 1) * bytes);

	if (!p)
		return false;
	memcpy((char *)p + *nr * bytes, from, more * bytes);
	*list = p;
	*nr += more;
	return true;
}

static bool take_chunk(struct trace *t, uint64_t offset, struct trace_snapshot *s, struct arrays *all)
{
	struct chunk_snapshot head;
	struct chunk_ref ref;
	uint8_t *body;
	int ret = chunk_at(&t->in, offset, &ref);
	bool ok;

	if (!ret)
		ret = chunk_body(&t->in, &ref, 0, &body);
	if (ret) {
		trace_damaged(t, offset, 0);
		s->exact = false;
		return ret != -ENOMEM;
	}
	memcpy(&head, ref.head, sizeof(head));
	if (!head.exact)
		s->exact = false;
	if (trace_ns(t, head.ticks) > s->time_ns)
		s->time_ns = trace_ns(t, head.ticks);
	ok = append((void **)&all->objects, &all->nr_objects, body, head.nr_objects, sizeof(*all->objects)) &&
	     append((void **)&all->blocks, &all->nr_blocks, body + head.nr_objects * sizeof(*all->objects),
		    head.nr_blocks, sizeof(*all->blocks));
	free(body);
	return ok;
}

static int compare_objects(const void *a, const void *b)
{
	const struct trace_object *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->ptr < y->ptr ? -1 : x->ptr > y->ptr;
}

static int compare_blocks(const void *a, const void *b)
{
	const struct trace_block *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->ptr < y->ptr ? -1 : x->ptr > y->ptr;
}

static bool read_all(struct trace *t, enum trace_moment moment, struct trace_snapshot *s)
{
	struct arrays all = { 0 };
	bool ok = true, any = false;

	s->exact = true;
	for (size_t i = 0; i < t->nr_snapshot_chunks && ok; i++)
		if (t->snapshot_chunks[i].moment == moment) {
			any = true;
			ok = take_chunk(t, t->snapshot_chunks[i].offset, s, &all);
		}
	if (!any || !ok) {
		free(all.objects);
		free(all.blocks);
		*s = (struct trace_snapshot){ 0 };
		return false;
	}
	if (all.nr_objects)
		qsort(all.objects, all.nr_objects, sizeof(*all.objects), compare_objects);
	if (all.nr_blocks)
		qsort(all.blocks, all.nr_blocks, sizeof(*all.blocks), compare_blocks);
	s->objects = all.objects;
	s->nr_objects = all.nr_objects;
	s->blocks = all.blocks;
	s->nr_blocks = all.nr_blocks;
	return true;
}

bool trace_read_snapshot(struct trace *t, enum trace_moment moment, struct trace_snapshot *out)
{
	struct trace_snapshot *s = &t->snapshot[moment];

	if (!t->snapshot_read[moment]) {
		t->snapshot_read[moment] = true;
		read_all(t, moment, s);
	}
	*out = *s;
	return s->objects != NULL;
}
