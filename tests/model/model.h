/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - the reference that the allocator is compared with: what is live, where
 * it lies, and what its owner wrote into it. Nothing here knows how the allocator works.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One operation. It means something in every state, so that any of a list can be left out. */
struct operation {
	uint32_t type;
	uint32_t slot; /* of the table of live things, or a cache */
	uint32_t a, b; /* by type */
};

struct model;

/* A table of nothing. Its caches are its own, so several models run side by side. */
struct model *model_new(void);

/* The i-th operation of a seed. */
struct operation model_operation(uint64_t seed, uint64_t i);

/* Do it and compare. A difference is printed, and the process aborts. */
void model_run(struct model *m, const struct operation *op);

/* Compare everything there is, then free all and see that nothing is left. */
void model_check(struct model *m);
void model_end(struct model *m);

/* As text: "kmalloc slot=5 a=100 b=0", and back. false: no such operation. */
void model_print(const struct operation *op, char *buf, size_t bytes);
bool model_parse(const char *line, struct operation *op);

/* Every structure of the allocator against itself. Nobody else may run. */
void model_validate(void);

#endif
