/* SPDX-License-Identifier: BSD-2-Clause */
/* compare_html.c - a comparison as one HTML file: a chart of memory over time for each cache, and the table. */
#include "slabscope/compare.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WIDTH = 760, HEIGHT = 220, LEFT = 70, BOTTOM = 28, TOP = 12 };

static const char *const colours[COMPARE_SIDES] = { "#1f5fa8", "#c2571a" };

static void put_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", file);
		else if (*text == '&')
			fputs("&amp;", file);
		else
			fputc(*text, file);
	}
}

static uint64_t held(const struct comparison *c, unsigned int side, unsigned int check, unsigned int cache)
{
	const struct kmem_cache_info *row = &c->side[side].row[check * c->script->nr_caches + cache];

	return row->slabs * (UINT64_C(4096) << row->order);
}

static uint64_t in_use(const struct comparison *c, unsigned int side, unsigned int check, unsigned int cache)
{
	return c->side[side].row[check * c->script->nr_caches + cache].in_use * c->script->cache[cache].size;
}

static uint64_t highest(const struct comparison *c, unsigned int cache)
{
	uint64_t top = 4096;

	for (unsigned int side = 0; side < COMPARE_SIDES; side++)
		for (unsigned int i = 0; c->side[side].known && i < c->script->nr_checks; i++)
			top = held(c, side, i, cache) > top ? held(c, side, i, cache) : top;
	return top;
}

static void draw(const struct comparison *c, FILE *file, unsigned int side, unsigned int cache,
		 uint64_t (*value)(const struct comparison *c, unsigned int side, unsigned int check, unsigned int cache),
		 uint64_t top, const char *style)
{
	unsigned int nr = c->script->nr_checks;

	fputs("<polyline fill=\"none\" points=\"", file);
	for (unsigned int i = 0; i < nr; i++) {
		double x = LEFT + (double)i * (WIDTH - LEFT) / (nr > 1 ? nr - 1 : 1);
		double y = HEIGHT - BOTTOM - (double)value(c, side, i, cache) * (HEIGHT - BOTTOM - TOP) / (double)top;

		fprintf(file, "%.1f,%.1f ", x, y);
	}
	fprintf(file, "\" %s/>\n", style);
}

static void chart(const struct comparison *c, FILE *file, unsigned int cache)
{
	uint64_t top = highest(c, cache);
	char human[OUTPUT_HUMAN_BYTES], style[96];
	bool drawn = false;

	fprintf(file, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>memory of %s at each check</title>\n", WIDTH, HEIGHT,
		c->script->cache[cache].name);
	for (int i = 0; i <= 4; i++) {
		int y = HEIGHT - BOTTOM - i * (HEIGHT - BOTTOM - TOP) / 4;

		fprintf(file, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"grid\"/><text x=\"%d\" y=\"%d\" "
			"text-anchor=\"end\">%s</text>\n", LEFT, y, WIDTH, y, LEFT - 6, y + 4,
			output_human(human, top * (uint64_t)i / 4));
	}
	fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">check %u</text>\n", WIDTH, HEIGHT - 8, c->script->nr_checks);
	for (unsigned int side = 0; side < COMPARE_SIDES; side++) {
		if (!c->side[side].known)
			continue;
		if (!drawn)
			draw(c, file, side, cache, in_use, top, "stroke=\"#888\" stroke-dasharray=\"4 3\"");
		drawn = true;
		snprintf(style, sizeof(style), "stroke=\"%s\" stroke-width=\"2\"", colours[side]);
		draw(c, file, side, cache, held, top, style);
	}
	fputs("</svg>\n", file);
}

static void legend(const struct comparison *c, FILE *file)
{
	fputs("<p>Memory in slabs at each check: ", file);
	for (unsigned int side = 0; side < COMPARE_SIDES; side++) {
		fprintf(file, "<b style=\"color:%s\">", colours[side]);
		put_text(file, c->side[side].label);
		fputs("</b>", file);
		if (!c->side[side].known) {
			fputs(" (", file);
			put_text(file, c->side[side].why);
			fputs(")", file);
		}
		fputs(side ? "; " : ", ", file);
	}
	fputs("dashed: what live objects asked for.</p>\n", file);
}

int compare_html(const struct comparison *c, FILE *file)
{
	char *table = NULL;
	size_t len = 0;
	FILE *text = open_memstream(&table, &len);
	int rc;

	if (!text)
		return -1;
	rc = compare_print(c, text, OUTPUT_TEXT);
	fclose(text);
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", file);
	put_text(file, c->title);
	fputs("</title>\n<style>body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
	      "svg{width:100%;font-size:12px}.grid{stroke:#ddd}pre{font-size:13px;overflow-x:auto}</style></head><body>\n<h1>", file);
	put_text(file, c->title);
	fputs("</h1>\n", file);
	legend(c, file);
	for (unsigned int i = 0; i < c->script->nr_caches; i++) {
		fprintf(file, "<h2>%s</h2>\n", c->script->cache[i].name);
		chart(c, file, i);
	}
	fputs("<pre>", file);
	put_text(file, table);
	fputs("</pre></body></html>\n", file);
	free(table);
	return rc ? rc : output_flush_file(file);
}
