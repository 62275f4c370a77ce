/* SPDX-License-Identifier: BSD-2-Clause */
/* refs.h - who points to an object: roots, registers and other objects of a finished scan. */
#ifndef KMEMLEAK_REFS_H
#define KMEMLEAK_REFS_H

#include <stdio.h>

#include "kmemleak/scan.h"

struct ref {
	const struct root_words *root; /* where the word is, or NULL: in an object */
	struct model_object holder;    /* that object */
	uint64_t position;             /* of the word: bytes from the start of the piece or object */
	uint64_t word;                 /* its value */
};

typedef void (*ref_fn)(const struct scan *scan, const struct ref *ref, void *arg);

/*
 * Call fn for every word that points into the object numbered `number`, except
 * words of the object itself. Free objects are not looked at. Return: how many.
 */
size_t refs_find(const struct scan *scan, uint64_t number, ref_fn fn, void *arg);

/*
 * Print what is known about the object at `address` (any byte of it): place,
 * state, contents and who refers to it. Return 0, or -ENOENT when the address
 * is not in the memory of an object, free or not.
 */
int refs_dump(FILE *file, const struct scan *scan, uint64_t address);

#endif
