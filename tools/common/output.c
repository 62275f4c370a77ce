/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.c - JSON lines, CSV, and short numbers.
 *
 * Written by hand and not with a JSON library: a record is flat, goes out as
 * it is made, and must look the same in every locale.
 */
#include "common/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void output_init(struct output *o, FILE *file, enum output_format format)
{
	*o = (struct output){ .file = file, .format = format };
}

/* ---- strings -------------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at p, 0 if it is none (overlong forms and surrogates are none). */
static size_t utf8_length(const unsigned char *p)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = { { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };

	if (*p < 0x80)
		return 1;
	for (size_t i = 0; i < 3; i++) {
		uint32_t code = *p & (unsigned char)~forms[i].mask;

		if ((*p & forms[i].mask) != forms[i].lead)
			continue;
		for (size_t k = 1; k <= i + 1; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (p[k] & 0x3f);
		}
		return code >= forms[i].min && code < 0x110000 && (code & 0xfffff800) != 0xd800 ? i + 2 : 0;
	}
	return 0;
}

void output_json_string(FILE *file, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	putc('"', file);
	while (*p) {
		size_t len = utf8_length(p);

		if (len == 0)
			fputs("\\ufffd", file);
		else if (*p == '"' || *p == '\\')
			fprintf(file, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(file, "\\u%04x", *p);
		else
			fwrite(p, 1, len, file);
		p += len ? len : 1;
	}
	putc('"', file);
}

/* RFC 4180: quotes where they are needed. */
static void csv_string(FILE *file, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, file);
		return;
	}
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', file);
		putc(*text, file);
	}
	putc('"', file);
}

/* ---- records -------------------------------------------------------------------------- */

void output_begin(struct output *o)
{
	o->nr = 0;
	if (o->format == OUTPUT_JSON)
		putc('{', o->file);
	else if (!o->headed)
		o->line_file = open_memstream(&o->line, &o->line_len);
}

void output_end(struct output *o)
{
	if (o->format == OUTPUT_JSON)
		putc('}', o->file);
	putc('\n', o->file);
	if (o->line_file) {
		fclose(o->line_file);
		fprintf(o->file, "%s\n", o->line);
		free(o->line);
		o->line_file = NULL;
		o->line = NULL;
	}
	o->headed = true;
}

/* Begin a field; return where its value goes. */
static FILE *field(struct output *o, const char *key)
{
	FILE *file = o->line_file ? o->line_file : o->file;

	if (o->nr++) {
		putc(',', file);
		if (o->line_file)
			putc(',', o->file);
	}
	if (o->format == OUTPUT_JSON)
		fprintf(file, "\"%s\":", key);
	else if (o->line_file)
		fputs(key, o->file);
	return file;
}

void output_string(struct output *o, const char *key, const char *value)
{
	FILE *file = field(o, key);

	if (o->format == OUTPUT_JSON)
		output_json_string(file, value);
	else
		csv_string(file, value);
}

void output_number(struct output *o, const char *key, uint64_t value)
{
	fprintf(field(o, key), "%" PRIu64, value);
}

void output_bool(struct output *o, const char *key, bool value)
{
	fputs(value ? "true" : "false", field(o, key));
}

void output_milli(struct output *o, const char *key, uint64_t milli)
{
	fprintf(field(o, key), "%" PRIu64 ".%03u", milli / 1000, (unsigned int)(milli % 1000));
}

void output_unknown(struct output *o, const char *key)
{
	fputs(o->format == OUTPUT_JSON ? "null" : "", field(o, key));
}

int output_flush_file(FILE *file)
{
	bool failed_before = ferror(file);

	errno = 0;
	if (fflush(file) || failed_before)
		return errno ? -errno : -EIO;
	return 0;
}

int output_flush(struct output *o)
{
	int err = output_flush_file(o->file);

	if (!o->error)
		o->error = err;
	return o->error;
}

/* ---- numbers for people ------------------------------------------------------------------ */

/* One decimal below 100 units, none above. */
static const char *scaled(char *buf, uint64_t value, unsigned int base, const char *units, uint64_t plain_max)
{
	uint64_t unit = base, tenths;

	if (value <= plain_max) {
		snprintf(buf, OUTPUT_HUMAN_BYTES, "%" PRIu64, value);
		return buf;
	}
	while (value / unit >= 1000 && units[1]) {
		unit *= base;
		units++;
	}
	tenths = value / unit * 10 + value % unit * 10 / unit;
	if (tenths < 1000)
		snprintf(buf, OUTPUT_HUMAN_BYTES, "%u.%u%c", (unsigned int)(tenths / 10), (unsigned int)(tenths % 10),
			 *units);
	else
		snprintf(buf, OUTPUT_HUMAN_BYTES, "%u%c", (unsigned int)(tenths / 10 % 10000), *units);
	return buf;
}

const char *output_human(char buf[OUTPUT_HUMAN_BYTES], uint64_t bytes)
{
	return scaled(buf, bytes, 1024, "KMGTPE", 999);
}

const char *output_count(char buf[OUTPUT_HUMAN_BYTES], uint64_t count)
{
	return scaled(buf, count, 1000, "kMGTPE", 9999);
}
