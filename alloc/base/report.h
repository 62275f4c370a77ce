/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - messages to the user, written without allocating memory.
 *
 * A report is one line on stderr that begins with "kmem: " and names cause and
 * fix. Formats: %s %c %d %u %x %p %zu %lu %llu %lld and %%, with width and '0'.
 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <kmem/options.h>

#define REPORT_FORMAT(f, a) __attribute__((format(printf, f, a)))

/* Print one line; a newline is added. */
void report(const char *format, ...) REPORT_FORMAT(1, 2);

/* Print one line and end the process with SIGABRT, as BUG() does. */
__attribute__((noreturn)) void report_bug(const char *format, ...) REPORT_FORMAT(1, 2);

/*
 * After the lines about a misuse: go on or abort, as KMEM_OPTIONS=misuse= says;
 * without that abort if `fatal`. Callers must be able to go on in any case.
 */
void report_misuse_end(bool fatal);
void report_set_policy(enum kmem_misuse_option policy);

/* Bounded formatting into a buffer, always terminated. Return: length of the whole text. */
size_t report_format(char *buf, size_t bytes, const char *format, ...) REPORT_FORMAT(3, 4);

/* The same with the arguments in a list. */
size_t report_vformat(char *buf, size_t bytes, const char *format, va_list args) REPORT_FORMAT(3, 0);

/* Bug unless true; stays in release builds, so conditions must be cheap. */
#define BUG_ON(condition)                                                             \
	do {                                                                          \
		if (__builtin_expect(!!(condition), 0))                               \
			report_bug("BUG: %s (%s:%d)", #condition, __FILE__, __LINE__); \
	} while (0)

#endif
