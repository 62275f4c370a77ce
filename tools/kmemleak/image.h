/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.h - the copy of a stopped process that a scan works on: the
 * allocator's metadata, a mirror of its heap, and the contents of the roots.
 *
 *   image_prepare()   while the target runs: buffers of the right size, touched
 *   image_capture()   while it is stopped: metadata, heap, roots, registers
 *   image_digest()    the target runs again: what slots and sheaves hold
 *   image_free()
 */
#ifndef KMEMLEAK_IMAGE_H
#define KMEMLEAK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/target.h"
#include "kmemleak/model.h"
#include "kmemleak/roots.h"
#include "kmemleak/stop.h"

/* Memory of our own, from mmap, so that untouched parts cost nothing. */
struct buffer {
	uint8_t *data;
	size_t bytes;
};

/* One contiguous piece of root words. */
struct root_words {
	const uint64_t *words;
	size_t nr;
	uint64_t address;               /* of words[0] in the target; 0 for registers */
	const struct root_range *range; /* NULL: registers of `tid`, or objects in transit when tid is 0 */
	pid_t tid;
};

struct image {
	uint64_t root_addr;      /* of struct kmem_observe in the target */
	bool shared;             /* shared mappings are roots, too */
	pid_t tid;               /* a living thread: /proc files of an ended leader are empty */
	struct kmem_observe root;
	struct heap_copy heap;   /* points into the buffers below */
	const uint8_t *mirror;   /* byte at heap address a: mirror[a - heap.base] */
	struct roots roots;
	struct root_words *root_words;
	size_t nr_root_words;

	uint64_t heap_bytes;     /* copied */
	uint64_t root_bytes;     /* copied, registers included */
	size_t nr_unreadable;    /* ranges that could not be read, and their bytes */
	uint64_t unreadable_bytes;

	struct buffer pages, idmap, bitmap, caches, nodes, percpu, sheaves, parked, mirror_buffer, root_buffer;
	struct target helper;    /* a second reader of the same process */
	bool has_helper;
	size_t slots_bytes;      /* of each CPU's part in `percpu`: region 0 of all CPUs, then region 1 */
	struct root_cuts cuts;
	uint64_t *transit;       /* objects on their way between two places of the allocator */
	size_t nr_transit, transit_capacity;
};

/*
 * Look at the running target and map buffers that fit, so that little needs to
 * be allocated while it is stopped. `shared` as in roots_input. Return 0 or
 * -errno with the line in t->message. Call image_free() in any case.
 */
int image_prepare(struct image *image, struct target *t, uint64_t root_addr, bool shared);

/* Copy everything out of the target that `s` holds. Return 0 or -errno with the line in t->message. */
int image_capture(struct image *image, struct target *t, const struct stop *s);

/*
 * Copy only what says which objects there are: neither their contents nor roots. Needs no
 * image_prepare(): `image` is all zero. The target stands still. As image_capture().
 */
int image_capture_objects(struct image *image, struct target *t, uint64_t root_addr);

/*
 * Find the free objects that slots and sheaves hold (heap.parked), and those
 * that a stopped thread was about to move (root words of their own). Works on
 * the copy only. Return 0 or -ENOMEM.
 */
int image_digest(struct image *image);

void image_free(struct image *image);

/* Make the buffer hold at least `bytes`; contents are zero or left from before. 0 or -ENOMEM. */
int buffer_ensure(struct buffer *b, size_t bytes);
void buffer_free(struct buffer *b);

/* Append a piece of root words. 0 or -ENOMEM. */
int image_add_words(struct image *image, const struct root_words *words);

#endif
