/* SPDX-License-Identifier: BSD-2-Clause */
/* units.h - durations, shares and small graphs for people. */
#ifndef KMEMTRACE_UNITS_H
#define KMEMTRACE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define UNITS_BYTES 16

/* In at most 6 columns: "830ns", "1.2us", "15ms", "3.4s", "12m", "5.1h". Return buf, as all of these. */
const char *units_duration(char buf[UNITS_BYTES], uint64_t ns);

/* `part` of `whole` in at most 4 columns: "0%", "<1%", "12%", "100%"; "-" of nothing. */
const char *units_percent(char buf[UNITS_BYTES], uint64_t part, uint64_t whole);

/* part * 100 / whole, 0 of nothing. */
unsigned int units_share(uint64_t part, uint64_t whole);

/* What happened per second. */
uint64_t units_rate(uint64_t nr, uint64_t ns);

/* "500ms", "1.5s", "20us", "2m", "7" (seconds) to nanoseconds. False when it is none. */
bool units_parse_time(const char *text, uint64_t *ns);

/* One character per value, from empty to full at `top`; ASCII where the locale is not UTF-8. */
void units_spark(FILE *file, const uint64_t *value, size_t nr, uint64_t top);

/* A bar of at most `columns`; nothing behind it. */
void units_bar(FILE *file, uint64_t value, uint64_t top, unsigned int columns);

#endif
