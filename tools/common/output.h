/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h - records as JSON lines or CSV, checked writes, numbers for people.
 *
 *   output_begin(&o);
 *   output_string(&o, "cache", row->name);
 *   output_number(&o, "objects", 12);
 *   output_unknown(&o, "partial");
 *   output_end(&o);
 *
 * One record is one line. JSON: {"cache":"x","objects":12,"partial":null}. CSV:
 * the keys of the first record become the heading, unknown is an empty field;
 * all records must have the same keys. Locale has no influence. Write errors
 * are kept and reported by output_flush().
 */
#ifndef COMMON_OUTPUT_H
#define COMMON_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum output_format {
	OUTPUT_TEXT,
	OUTPUT_JSON,
	OUTPUT_CSV,
};

struct output {
	FILE *file;
	enum output_format format;
	int error;         /* of the first flush that failed, -errno */
	bool headed;       /* CSV: the heading has been written */
	unsigned int nr;   /* fields of the record so far */
	/* CSV: the first record waits here until its keys are known */
	char *line;
	size_t line_len;
	FILE *line_file;
};

void output_init(struct output *o, FILE *file, enum output_format format);

void output_begin(struct output *o);
void output_end(struct output *o);

/* Fields of the current record. Keys are plain ASCII words. */
void output_string(struct output *o, const char *key, const char *value);
void output_number(struct output *o, const char *key, uint64_t value);
void output_bool(struct output *o, const char *key, bool value);
/* `milli` thousandths, as a decimal fraction ("1.250"). */
void output_milli(struct output *o, const char *key, uint64_t milli);
void output_unknown(struct output *o, const char *key);

/* Flush. Return 0, or -errno of the first failed write since output_init(). */
int output_flush(struct output *o);

/* Flush a stream that was written to directly. Return 0 or -errno. */
int output_flush_file(FILE *file);

/* Room for any result of output_human() and output_count(). */
#define OUTPUT_HUMAN_BYTES 12

/* A number of bytes in at most 6 columns: "512", "7904K", "1.2M", "37.5G" (1024). Return buf. */
const char *output_human(char buf[OUTPUT_HUMAN_BYTES], uint64_t bytes);

/* A count or a rate in at most 5 columns: "999", "12.3k", "4.1M" (1000). Return buf. */
const char *output_count(char buf[OUTPUT_HUMAN_BYTES], uint64_t count);

/* Write `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void output_json_string(FILE *file, const char *text);

#endif
