/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mark.c - marking with an explicit stack and a prefetch queue.
 *
 * Marking is bound by cache misses: the next object to scan is almost never in
 * the cache. So an object that leaves the stack first waits in a short queue
 * while the hardware fetches it; by the time that it is scanned it is there.
 * Large objects are scanned in pieces, so that one object with a million
 * pointers does not turn into a million entries at once.
 */
#include "kmemleak/mark.h"

#define QUEUE       64u /* power of two; objects being fetched */
#define PIECE_BYTES 4096u
#define LINE_BYTES  64u
#define FETCH_BYTES 256u /* the hardware prefetcher finds the rest of larger objects */

static inline void consider(struct mark *m, uint64_t word)
{
	struct model *model = m->model;
	struct model_object o;

	if (word - model->base >= model->span || !model_find(model, word, &o))
		return;
	if (!model_is_white(model, o.number))
		return;
	if (m->exact && word != model->base + o.offset)
		return;
	model_clear_white(model, o.number);
	m->nr_marked++;
	m->stack[m->depth].offset = o.offset;
	m->stack[m->depth++].bytes = model->blocks[o.block].bytes;
}

void mark_words(struct mark *m, const uint64_t *words, size_t nr)
{
	m->nr_words += nr;
	for (size_t i = 0; i < nr; i++)
		consider(m, words[i]);
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

	while (m->depth || queued) {
		struct mark_entry piece;

		while (m->depth && queued < QUEUE)
			queue[(head + queued++) % QUEUE] = pop(m);
		piece = queue[head++ % QUEUE];
		queued--;
		mark_words(m, words_at(m, piece.offset), piece.bytes / sizeof(uint64_t));
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
