/* SPDX-License-Identifier: BSD-2-Clause */
/* tree.c - see tree.h. Siblings are few, so they are searched one by one. */
#include "kmemtrace/tree.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/units.h"

#define NAME_BYTES   512
#define PREFIX_BYTES 1024
#define MAX_DEPTH    (SITES_FRAMES + 1)

void tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->nr; i++)
		free(tree->node[i].name);
	free(tree->node);
	memset(tree, 0, sizeof(*tree));
}

/* Return the number of a new node; 0, the root, when memory ends. */
static uint32_t new_node(struct tree *tree, const char *name)
{
	if (tree->nr == tree->room) {
		size_t room = tree->room ? tree->room * 2 : 256;
		struct tree_node *node = realloc(tree->node, room * sizeof(*node));

		if (!node)
			return 0;
		tree->node = node;
		tree->room = room;
	}
	tree->node[tree->nr] = (struct tree_node){ .name = strdup(name) };
	return tree->node[tree->nr].name ? (uint32_t)tree->nr++ : 0;
}

static uint32_t child_of(struct tree *tree, uint32_t parent, const char *name)
{
	uint32_t i = tree->node[parent].child;

	while (i && strcmp(tree->node[i].name, name))
		i = tree->node[i].sibling;
	if (i)
		return i;
	i = new_node(tree, name);
	if (i) {
		tree->node[i].sibling = tree->node[parent].child;
		tree->node[parent].child = i;
	}
	return i;
}

bool tree_add(struct tree *tree, const char *const *name, size_t nr, uint64_t weight)
{
	uint32_t at = 0;

	if (!tree->nr) {
		new_node(tree, "all");
		if (!tree->nr)
			return false;
	}
	tree->node[0].weight += weight;
	for (size_t i = 0; i < nr; i++) {
		at = child_of(tree, at, name[i]);
		if (!at)
			return false;
		tree->node[at].weight += weight;
	}
	return true;
}

static bool add_group(struct tree *tree, struct analysis *an, const struct group *g, uint64_t weight)
{
	static char text[SITES_FRAMES][NAME_BYTES];
	struct trace_frame frame[SITES_FRAMES];
	const char *name[SITES_FRAMES];
	size_t nr = sites_frames(&an->sites, g->stack, frame, SITES_FRAMES);

	for (size_t i = 0; i < nr; i++)
		name[i] = sites_short(&frame[nr - 1 - i], text[i], NAME_BYTES);
	if (!nr)
		name[nr++] = an->sites.site[sites_of(&an->sites, g->stack)].label;
	return tree_add(tree, name, nr, weight);
}

bool tree_build(struct tree *tree, struct analysis *an, enum rank_sort weight)
{
	if (!tree_add(tree, NULL, 0, 0))
		return false;
	for (size_t i = 0; i < an->aggregate.nr_groups; i++) {
		const struct group *g = &an->aggregate.group[i];
		uint64_t value = g->selected ? rank_value(&g->stats, weight) : 0;

		if (value && !add_group(tree, an, g, value))
			return false;
	}
	return true;
}

/* ---- order ----------------------------------------------------------------------------- */

static bool is_before(const struct tree *tree, uint32_t a, uint32_t b, bool by_name)
{
	const struct tree_node *left = &tree->node[a], *right = &tree->node[b];

	if (!by_name && left->weight != right->weight)
		return left->weight > right->weight;
	return strcmp(left->name, right->name) < 0;
}

/* Merge sort of a list of siblings. */
static uint32_t sort_list(struct tree *tree, uint32_t list, bool by_name)
{
	uint32_t slow = list, fast, left, right, first = 0, *end = &first;

	if (!list || !tree->node[list].sibling)
		return list;
	for (fast = tree->node[list].sibling; fast && tree->node[fast].sibling;
	     fast = tree->node[tree->node[fast].sibling].sibling)
		slow = tree->node[slow].sibling;
	right = tree->node[slow].sibling;
	tree->node[slow].sibling = 0;
	left = sort_list(tree, list, by_name);
	right = sort_list(tree, right, by_name);
	while (left && right) {
		uint32_t *from = is_before(tree, right, left, by_name) ? &right : &left, taken = *from;

		*from = tree->node[taken].sibling;
		*end = taken;
		end = &tree->node[taken].sibling;
	}
	*end = left ? left : right;
	return first;
}

void tree_sort(struct tree *tree, bool by_name)
{
	for (size_t i = 0; i < tree->nr; i++)
		tree->node[i].child = sort_list(tree, tree->node[i].child, by_name);
}

/* ---- walking --------------------------------------------------------------------------- */

/* The node behind `at` in a walk that goes down first; path[*depth] is where it is. 0: the end. */
static uint32_t step(const struct tree *tree, uint32_t *path, size_t *depth, bool down)
{
	uint32_t at = path[*depth];

	if (down && tree->node[at].child && *depth + 1 < MAX_DEPTH) {
		path[++*depth] = tree->node[at].child;
		return path[*depth];
	}
	while (*depth && !tree->node[path[*depth]].sibling)
		--*depth;
	if (!*depth)
		return 0;
	path[*depth] = tree->node[path[*depth]].sibling;
	return path[*depth];
}

size_t tree_depth(const struct tree *tree)
{
	uint32_t path[MAX_DEPTH] = { 0 };
	size_t depth = 0, deepest = 0;

	while (tree->nr && step(tree, path, &depth, true))
		if (depth > deepest)
			deepest = depth;
	return deepest;
}

static bool is_shown(const struct tree *tree, uint32_t at)
{
	return at && tree->node[at].weight >= tree->node[0].weight / 100;
}

/* Whether a shown sibling follows. */
static bool goes_on(const struct tree *tree, uint32_t at)
{
	for (at = tree->node[at].sibling; at; at = tree->node[at].sibling)
		if (is_shown(tree, at))
			return true;
	return false;
}

static bool is_chain(const struct tree *tree, uint32_t at)
{
	uint32_t child = tree->node[at].child;

	return child && tree->node[child].weight == tree->node[at].weight;
}

/*
 * Lines lead down from the last branch: a function with one callee that has all
 * its weight moves nothing to the right.
 */
static void print_lead(const struct tree *tree, const uint32_t *path, size_t depth, FILE *file)
{
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");

	for (size_t i = 1; i <= depth; i++) {
		bool more = goes_on(tree, path[i]), here = i == depth;

		if (is_chain(tree, path[i - 1]))
			continue;
		if (utf8)
			fputs(here ? more ? "├─" : "└─" : more ? "│ " : "  ", file);
		else
			fputs(here ? more ? "|-" : "`-" : more ? "| " : "  ", file);
	}
}

void tree_print(const struct tree *tree, bool bytes, FILE *file)
{
	uint32_t path[MAX_DEPTH] = { 0 }, at = 0;
	char value[OUTPUT_HUMAN_BYTES], percent[UNITS_BYTES];
	size_t depth = 0;

	if (!tree->nr || !tree->node[0].weight)
		return;
	do {
		const struct tree_node *node = &tree->node[at];
		bool shown = !at || is_shown(tree, at);

		if (shown) {
			if (bytes)
				output_human(value, node->weight);
			else
				output_count(value, node->weight);
			fprintf(file, "%6s %4s  ", value, units_percent(percent, node->weight, tree->node[0].weight));
			print_lead(tree, path, depth, file);
			fprintf(file, "%s\n", node->name);
		}
		at = step(tree, path, &depth, shown);
	} while (at);
}
