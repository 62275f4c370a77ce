/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mark.c - marking with an explicit stack and two queues.
 *
 * Marking is bound by cache misses, not by instructions, so every access that
 * will miss is started early and used late, many at a time:
 *
 *   stack -> pieces being fetched -> scan -> candidates -> find -> test -> stack
 *
 * An object that leaves the stack waits in a queue while its memory is fetched.
 * Scanning appends the words that look like heap addresses to a list of
 * candidates, without a branch; a full list is resolved in passes, each of
 * which starts the loads that the next one needs. Large objects are scanned in
 * pieces, so that one object with a million pointers does not turn into a
 * million entries at once.
 */
#include "kmemleak/mark.h"

#define QUEUE       64u /* power of two; pieces being fetched */
#define BATCH       128u /* candidates resolved at once */
#define PIECE_BYTES 4096u
#define LINE_BYTES  64u
#define FETCH_BYTES 256u /* the hardware prefetcher finds the rest of larger objects */

/* Words that lie in the range of the heap, with what is known about them so far. */
struct candidates {
	size_t nr;
	uint64_t offset[BATCH]; /* the word, from model.base */
	uint32_t block[BATCH];
	uint64_t number[BATCH];
};

/* Pass 1: words to blocks; fetch the blocks. */
static void find_blocks(const struct model *model, struct candidates *c)
{
	for (size_t i = 0; i < c->nr; i++) {
		c->block[i] = model->block_of[c->offset[i] >> KMEM_PAGE_SHIFT];
		__builtin_prefetch(&model->blocks[c->block[i]]);
	}
}

/* Pass 2: to objects; fetch their bits. What is no object drops out. */
static void find_objects(const struct mark *m, struct candidates *c)
{
	const struct model *model = m->model;
	size_t nr = 0;

	for (size_t i = 0; i < c->nr; i++) {
		struct model_object o;
		uint64_t word = c->offset[i];

		if (!c->block[i] || !model_find_in(model, c->block[i], word, &o) || (m->exact && word != o.offset))
			continue;
		c->offset[nr] = o.offset;
		c->block[nr] = c->block[i];
		c->number[nr++] = o.number;
		__builtin_prefetch(&model->white[o.number >> 6]);
	}
	c->nr = nr;
}

/* Pass 3: those that are white are reached for the first time. */
static void push_white(struct mark *m, const struct candidates *c)
{
	struct model *model = m->model;

	for (size_t i = 0; i < c->nr; i++) {
		if (!model_is_white(model, c->number[i]))
			continue;
		model_clear_white(model, c->number[i]);
		m->stack[m->depth].offset = c->offset[i];
		m->stack[m->depth++].bytes = model->blocks[c->block[i]].bytes;
		m->nr_marked++;
	}
}

static void resolve(struct mark *m, struct candidates *c)
{
	find_blocks(m->model, c);
	find_objects(m, c);
	push_white(m, c);
	c->nr = 0;
}

static void scan(struct mark *m, struct candidates *c, const uint64_t *words, size_t nr)
{
	uint64_t base = m->model->base, span = m->model->span;

	m->nr_words += nr;
	while (nr) {
		size_t room = BATCH - c->nr, step = nr < room ? nr : room, found = c->nr;

		for (size_t i = 0; i < step; i++) {
			uint64_t offset = words[i] - base;

			c->offset[found] = offset;
			found += offset < span;
		}
		c->nr = found;
		words += step;
		nr -= step;
		if (c->nr == BATCH)
			resolve(m, c);
	}
}

void mark_words(struct mark *m, const uint64_t *words, size_t nr)
{
	struct candidates c;

	c.nr = 0;
	scan(m, &c, words, nr);
	resolve(m, &c);
}

static inline const uint64_t *words_at(const struct mark *m, uint64_t offset)
{
	return (const uint64_t *)(const void *)(m->memory + offset);
}

/* Take the next piece from the stack and start fetching it. */
static inline struct mark_entry pop(struct mark *m)
{
	struct mark_entry *top = &m->stack[m->depth - 1];
	struct mark_entry piece = *top;
	uint64_t fetch;

	if (piece.bytes > PIECE_BYTES) {
		piece.bytes = PIECE_BYTES;
		top->offset += PIECE_BYTES;
		top->bytes -= PIECE_BYTES;
	} else {
		m->depth--;
	}
	fetch = piece.bytes < FETCH_BYTES ? piece.bytes : FETCH_BYTES;
	for (uint64_t at = 0; at < fetch; at += LINE_BYTES)
		__builtin_prefetch(m->memory + piece.offset + at);
	return piece;
}

void mark_drain(struct mark *m)
{
	struct mark_entry queue[QUEUE];
	unsigned int head = 0, queued = 0;
	struct candidates c;

	c.nr = 0;
	while (m->depth || queued || c.nr) {
		struct mark_entry piece;

		while (m->depth && queued < QUEUE)
			queue[(head + queued++) % QUEUE] = pop(m);
		/* Nothing else left to fetch: what was found so far must do. */
		if (c.nr && queued < QUEUE / 2)
			resolve(m, &c);
		if (!queued)
			continue;
		piece = queue[head++ % QUEUE];
		queued--;
		scan(m, &c, words_at(m, piece.offset), piece.bytes / sizeof(uint64_t));
	}
}

void mark_root_blocks(struct mark *m)
{
	for (uint32_t i = 1; i < m->model->nr_blocks; i++) {
		const struct model_block *b = &m->model->blocks[i];

		if (b->cache_id != KMEM_ID_PAGES)
			continue;
		mark_words(m, words_at(m, (uint64_t)b->first_page << KMEM_PAGE_SHIFT), b->bytes / sizeof(uint64_t));
		mark_drain(m);
	}
}
