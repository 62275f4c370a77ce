/* SPDX-License-Identifier: BSD-2-Clause */
/* tree.h - stacks with weights, merged from the outermost function on. */
#ifndef KMEMTRACE_TREE_H
#define KMEMTRACE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtrace/analysis.h"
#include "kmemtrace/rank.h"

struct tree_node {
	char *name;
	uint64_t weight;  /* with everything below */
	uint32_t child;   /* first one; 0 none */
	uint32_t sibling; /* next one; 0 none */
};

/* Node 0 is the root, its name "all". Zero-initialise. */
struct tree {
	struct tree_node *node;
	size_t nr, room;
};

/* All selected groups, weighed by a value of rank.h. False: no memory. tree_free() in any case. */
bool tree_build(struct tree *tree, struct analysis *an, enum rank_sort weight);
void tree_free(struct tree *tree);

/* Add `weight` along a path of nr names, outermost first. False: no memory. */
bool tree_add(struct tree *tree, const char *const *name, size_t nr, uint64_t weight);

/* Siblings by weight, the heaviest first, or by name. */
void tree_sort(struct tree *tree, bool by_name);

/* Depth below the root. */
size_t tree_depth(const struct tree *tree);

/* As text; what weighs less than a hundredth of all is left out. `bytes`: weights are bytes. */
void tree_print(const struct tree *tree, bool bytes, FILE *file);

#endif
