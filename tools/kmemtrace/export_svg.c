/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export_svg.c - a flame graph: one box per function, as wide as its weight, its
 * callees above it. Pointing at a box shows its full name and numbers.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kmemtrace/export.h"
#include "kmemtrace/tree.h"
#include "kmemtrace/units.h"

#define WIDTH      1200.0
#define MARGIN     10.0
#define ROW        17u
#define TOP        44u
#define CHARACTER  6.65 /* width of one, 11 px monospaced */
#define NARROWEST  0.4  /* narrower boxes cannot be seen */

struct drawing {
	const struct tree *tree;
	FILE *file;
	bool bytes;
	size_t depth;  /* of the deepest box that is drawn */
	unsigned int height;
	double scale;  /* pixels per weight */
};

static void put_escaped(const char *text, size_t most, FILE *file)
{
	for (size_t i = 0; text[i] && i < most; i++) {
		if (text[i] == '<')
			fputs("&lt;", file);
		else if (text[i] == '>')
			fputs("&gt;", file);
		else if (text[i] == '&')
			fputs("&amp;", file);
		else if (text[i] == '"')
			fputs("&quot;", file);
		else if ((unsigned char)text[i] >= ' ' && (unsigned char)text[i] < 127)
			putc(text[i], file);
		else
			putc('?', file);
	}
}

/* Warm, and the same for a function in every picture. */
static void put_colour(const char *name, FILE *file)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	fprintf(file, "rgb(%u,%u,%u)", 215 + h % 40, 120 + (h >> 8) % 100, 60 + (h >> 16) % 50);
}

static void put_value(const struct drawing *d, uint64_t weight)
{
	char text[OUTPUT_HUMAN_BYTES], percent[UNITS_BYTES];

	fputs(d->bytes ? output_human(text, weight) : output_count(text, weight), d->file);
	fputs(", ", d->file);
	put_escaped(units_percent(percent, weight, d->tree->node[0].weight), SIZE_MAX, d->file);
}

static void draw_box(const struct drawing *d, const struct tree_node *node, double x, size_t depth)
{
	double width = (double)node->weight * d->scale;
	unsigned int y = d->height - 24 - (unsigned int)(depth + 1) * ROW;
	size_t room = width > 2 * CHARACTER ? (size_t)((width - 4) / CHARACTER) : 0, len = strlen(node->name);

	fputs("<g><title>", d->file);
	put_escaped(node->name, SIZE_MAX, d->file);
	fputs(" (", d->file);
	put_value(d, node->weight);
	fprintf(d->file, ")</title><rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\" rx=\"1\" fill=\"", x, y,
		width > 0.6 ? width - 0.4 : width, ROW - 1);
	put_colour(node->name, d->file);
	fputs("\"/>", d->file);
	if (room >= 3) {
		fprintf(d->file, "<text x=\"%.1f\" y=\"%u\">", x + 3, y + 12);
		put_escaped(node->name, len > room ? room - 2 : len, d->file);
		fputs(len > room ? "..</text>" : "</text>", d->file);
	}
	fputs("</g>\n", d->file);
}

/* Boxes of a node and what it calls, or with draw false only how deep they go. */
static void walk(struct drawing *d, uint32_t at, double x, size_t depth, bool draw)
{
	const struct tree_node *node = &d->tree->node[at];

	if ((double)node->weight * d->scale < NARROWEST)
		return;
	if (depth > d->depth)
		d->depth = depth;
	if (draw)
		draw_box(d, node, x, depth);
	for (uint32_t child = node->child; child; child = d->tree->node[child].sibling) {
		walk(d, child, x, depth + 1, draw);
		x += (double)d->tree->node[child].weight * d->scale;
	}
}

static void draw(struct drawing *d, const char *title)
{
	d->scale = d->tree->node[0].weight ? (WIDTH - 2 * MARGIN) / (double)d->tree->node[0].weight : 0;
	walk(d, 0, MARGIN, 0, false);
	d->height = TOP + 24 + (unsigned int)(d->depth + 1) * ROW;
	fprintf(d->file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%u\" viewBox=\"0 0 %.0f %u\">\n"
		"<style>text { font: 11px monospace; fill: #222 } rect { stroke: none } "
		"g:hover rect { stroke: #222; stroke-width: 1 }</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fffaf2\"/>\n"
		"<text x=\"%.0f\" y=\"26\" style=\"font-size: 15px\">",
		WIDTH, d->height, WIDTH, d->height, MARGIN);
	put_escaped(title, SIZE_MAX, d->file);
	fputs("</text>\n", d->file);
	if (d->tree->node[0].weight)
		walk(d, 0, MARGIN, 0, true);
	fputs("</svg>\n", d->file);
}

int export_svg(struct analysis *an, enum rank_sort weight, const char *title, FILE *file)
{
	struct tree tree = { 0 };
	struct drawing d = { .tree = &tree, .file = file, .bytes = rank_is_bytes(weight) };
	int err = tree_build(&tree, an, weight) ? 0 : -ENOMEM;

	if (!err) {
		tree_sort(&tree, true);
		draw(&d, title);
	}
	tree_free(&tree);
	return err;
}
