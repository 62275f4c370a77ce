/* SPDX-License-Identifier: BSD-2-Clause */
/* units.c - see units.h. */
#include "kmemtrace/units.h"

#include <inttypes.h>
#include <langinfo.h>
#include <string.h>

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "h", UINT64_C(3600000000000) }, { "m", UINT64_C(60000000000) }, { "s", 1000000000 },
	{ "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
};

#define NR_UNITS (sizeof(units) / sizeof(units[0]))

const char *units_duration(char buf[UNITS_BYTES], uint64_t ns)
{
	size_t i = 0;
	uint64_t tenths;

	while (i < NR_UNITS - 1 && ns < units[i].ns)
		i++;
	/* Minutes begin at 2, so that "90s" is not "1.5m". */
	if (units[i].name[0] == 'm' && !units[i].name[1] && ns < 2 * units[i].ns)
		i++;
	tenths = ns / units[i].ns * 10 + ns % units[i].ns * 10 / units[i].ns;
	if (tenths >= 100 || units[i].ns == 1)
		snprintf(buf, UNITS_BYTES, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
	else
		snprintf(buf, UNITS_BYTES, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10, units[i].name);
	return buf;
}

unsigned int units_share(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned int)((double)part * 100.0 / (double)whole + 0.5) : 0;
}

const char *units_percent(char buf[UNITS_BYTES], uint64_t part, uint64_t whole)
{
	if (!whole)
		snprintf(buf, UNITS_BYTES, "-");
	else if (part && part < whole / 100)
		snprintf(buf, UNITS_BYTES, "<1%%");
	else
		snprintf(buf, UNITS_BYTES, "%u%%", units_share(part, whole));
	return buf;
}

uint64_t units_rate(uint64_t nr, uint64_t ns)
{
	return ns ? (uint64_t)((double)nr * 1e9 / (double)ns + 0.5) : 0;
}

bool units_parse_time(const char *text, uint64_t *ns)
{
	uint64_t whole = 0, fraction = 0, scale = 1, unit = 1000000000;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(whole, 10u, &whole) || __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return false;
	if (p == text)
		return false;
	if (*p == '.') {
		const char *first = ++p;

		for (; *p >= '0' && *p <= '9' && scale < 1000000000; p++, scale *= 10)
			fraction = fraction * 10 + (uint64_t)(*p - '0');
		if (p == first)
			return false;
	}
	if (*p) {
		size_t i = 0;

		while (i < NR_UNITS && strcmp(p, units[i].name))
			i++;
		if (i == NR_UNITS)
			return false;
		unit = units[i].ns;
	}
	return !__builtin_mul_overflow(whole, unit, &whole) &&
	       !__builtin_add_overflow(whole, (uint64_t)((double)unit * (double)fraction / (double)scale), ns);
}

static bool is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void units_spark(FILE *file, const uint64_t *value, size_t nr, uint64_t top)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { " ", ".", ":", "-", "=", "+", "*", "%", "#" };
	const char *const *levels = is_utf8() ? blocks : ascii;

	for (size_t i = 0; i < nr; i++) {
		size_t level = top ? (size_t)((double)value[i] * 8.0 / (double)top + 0.5) : 0;

		/* Little is not nothing. */
		if (!level && value[i])
			level = 1;
		fputs(levels[level > 8 ? 8 : level], file);
	}
}

void units_bar(FILE *file, uint64_t value, uint64_t top, unsigned int columns)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned int parts = top ? (unsigned int)((double)value * columns * 8.0 / (double)top + 0.5) : 0;

	if (value && !parts)
		parts = 1;
	for (unsigned int i = 0; i < parts / 8; i++)
		fputs(is_utf8() ? "█" : "#", file);
	if (is_utf8())
		fputs(eighths[parts % 8], file);
	else if (parts % 8 >= 4 || (value && parts < 8))
		putc('-', file);
}
