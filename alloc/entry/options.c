/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - the table of options and its parser; see kmem/options.h. */
#include "entry/options.h"

#include <errno.h>

#include <kmem/observe.h>

#include "base/base.h"
#include "base/report.h"

enum option_type {
	OPTION_BOOL,
	OPTION_SIZE,
	OPTION_NUMBER,
	OPTION_RSEQ,
	OPTION_MISUSE,
	OPTION_GUARD,
	OPTION_CHOICE, /* an enum: the position in `values` */
	OPTION_PURGE,
};

static const struct option {
	const char *name;
	enum option_type type;
	size_t offset;      /* in struct kmem_options */
	const char *values; /* for messages */
	unsigned int min, max; /* of numbers */
} table[] = {
	{ "arena", OPTION_SIZE, offsetof(struct kmem_options, arena), "SIZE", 0, 0 },
	{ "debug_pagealloc", OPTION_BOOL, offsetof(struct kmem_options, debug_pagealloc), "on|off", 0, 0 },
	{ "dma32", OPTION_SIZE, offsetof(struct kmem_options, dma32), "SIZE", 0, 0 },
	{ "freelist_random", OPTION_BOOL, offsetof(struct kmem_options, freelist_random), "on|off", 0, 0 },
	{ "hugetlb", OPTION_SIZE, offsetof(struct kmem_options, hugetlb), "SIZE", 0, 0 },
	{ "init_on_alloc", OPTION_BOOL, offsetof(struct kmem_options, init_on_alloc), "on|off", 0, 0 },
	{ "init_on_free", OPTION_BOOL, offsetof(struct kmem_options, init_on_free), "on|off", 0, 0 },
	{ "limit", OPTION_SIZE, offsetof(struct kmem_options, limit), "SIZE", 0, 0 },
	{ "madvise", OPTION_CHOICE, offsetof(struct kmem_options, madvise), "dontneed|free", 0, 0 },
	{ "malloc_align", OPTION_CHOICE, offsetof(struct kmem_options, malloc_align), "16|8", 0, 0 },
	{ "merge", OPTION_BOOL, offsetof(struct kmem_options, merge), "on|off", 0, 0 },
	{ "min_free_kbytes", OPTION_NUMBER, offsetof(struct kmem_options, min_free_kbytes), "0-999999999", 0,
	  999999999 },
	{ "guard", OPTION_GUARD, offsetof(struct kmem_options, guard_ms), "off|on|MS", 1, 3600000 },
	{ "misuse", OPTION_MISUSE, offsetof(struct kmem_options, misuse), "abort|repair", 0, 0 },
	{ "nodes", OPTION_NUMBER, offsetof(struct kmem_options, nodes), "1-8", 1, KMEM_MAX_NODES },
	{ "page_poison", OPTION_BOOL, offsetof(struct kmem_options, page_poison), "on|off", 0, 0 },
	{ "pcp_high_fraction", OPTION_NUMBER, offsetof(struct kmem_options, pcp_high_fraction), "8-1000000", 8, 1000000 },
	{ "purge", OPTION_PURGE, 0, "decay:MS|threshold|off|now", 1, 999999999 },
	{ "random_kmalloc", OPTION_BOOL, offsetof(struct kmem_options, random_kmalloc), "on|off", 0, 0 },
	{ "rseq", OPTION_RSEQ, offsetof(struct kmem_options, rseq), "on|off|assume", 0, 0 },
	{ "background", OPTION_BOOL, offsetof(struct kmem_options, background), "on|off", 0, 0 },
	{ "sample", OPTION_SIZE, offsetof(struct kmem_options, sample), "SIZE", 0, 0 },
	{ "shuffle", OPTION_BOOL, offsetof(struct kmem_options, shuffle), "on|off", 0, 0 },
	{ "stats", OPTION_BOOL, offsetof(struct kmem_options, stats), "on|off", 0, 0 },
	{ "strict", OPTION_BOOL, offsetof(struct kmem_options, strict), "on|off", 0, 0 },
	{ "thp", OPTION_CHOICE, offsetof(struct kmem_options, thp), "madvise|always|never", 0, 0 },
	{ "watermark_boost_factor", OPTION_NUMBER, offsetof(struct kmem_options, watermark_boost), "0-100000", 0, 100000 },
	{ "watermark_scale_factor", OPTION_NUMBER, offsetof(struct kmem_options, watermark_scale), "1-3000", 1, 3000 },
};

static struct kmem_options current KMEM_STATE_SET = {
	.rseq = KMEM_RSEQ_ON, .purge_ms = 1000, .watermark_scale = 10, .watermark_boost = 15000
};

/* A piece of the text, not terminated. */
struct word {
	const char *at;
	size_t len;
};

static bool word_is(struct word w, const char *s)
{
	return strlen(s) == w.len && !memcmp(w.at, s, w.len);
}

static bool parse_bool(struct word w, bool *value)
{
	static const char *const on[] = { "on", "1", "yes", "true" };
	static const char *const off[] = { "off", "0", "no", "false" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(on); i++) {
		bool is_on = word_is(w, on[i]);

		if (is_on || word_is(w, off[i])) {
			*value = is_on;
			return true;
		}
	}
	return false;
}

static unsigned int unit_shift(char c)
{
	switch (c) {
	case 'K': case 'k': return 10;
	case 'M': case 'm': return 20;
	case 'G': case 'g': return 30;
	case 'T': case 't': return 40;
	default: return 0;
	}
}

static bool parse_size(struct word w, size_t *value)
{
	unsigned int shift = w.len ? unit_shift(w.at[w.len - 1]) : 0;
	size_t digits = shift ? w.len - 1 : w.len, i, n = 0;

	if (!digits || digits > 15)
		return false;
	for (i = 0; i < digits; i++) {
		if (w.at[i] < '0' || w.at[i] > '9')
			return false;
		n = n * 10 + (size_t)(w.at[i] - '0');
	}
	if (n > SIZE_MAX >> shift)
		return false;
	*value = n << shift;
	return true;
}

static bool parse_rseq(struct word w, enum kmem_rseq_option *value)
{
	bool on;

	if (word_is(w, "assume")) {
		*value = KMEM_RSEQ_ASSUME;
		return true;
	}
	if (!parse_bool(w, &on))
		return false;
	*value = on ? KMEM_RSEQ_ON : KMEM_RSEQ_OFF;
	return true;
}

static bool parse_misuse(struct word w, enum kmem_misuse_option *value)
{
	if (!word_is(w, "abort") && !word_is(w, "repair"))
		return false;
	*value = word_is(w, "abort") ? KMEM_MISUSE_ABORT : KMEM_MISUSE_REPAIR;
	return true;
}

static bool parse_number(struct word w, const struct option *option, unsigned int *value)
{
	unsigned long n = 0;
	size_t i;

	if (!w.len || w.len > 9)
		return false;
	for (i = 0; i < w.len; i++) {
		if (w.at[i] < '0' || w.at[i] > '9')
			return false;
		n = n * 10 + (unsigned long)(w.at[i] - '0');
	}
	if (n < option->min || n > option->max)
		return false;
	*value = (unsigned int)n;
	return true;
}

/* One of "a|b|c": 0, 1, 2. */
static bool parse_choice(struct word w, const struct option *option, unsigned int *value)
{
	const char *at = option->values;
	unsigned int nth = 0;

	for (;; nth++) {
		size_t len = strcspn(at, "|");

		if (len == w.len && !memcmp(at, w.at, len)) {
			*value = nth;
			return true;
		}
		if (!at[len])
			return false;
		at += len + 1;
	}
}

static bool parse_purge(struct word w, const struct option *option, struct kmem_options *options)
{
	static const char decay[] = "decay:";
	struct word ms = { w.at + sizeof(decay) - 1, w.len - (sizeof(decay) - 1) };

	if (w.len > sizeof(decay) - 1 && !memcmp(w.at, decay, sizeof(decay) - 1)) {
		options->purge = KMEM_PURGE_DECAY;
		return parse_number(ms, option, &options->purge_ms);
	}
	if (word_is(w, "threshold"))
		options->purge = KMEM_PURGE_THRESHOLD;
	else if (word_is(w, "off"))
		options->purge = KMEM_PURGE_OFF;
	else if (word_is(w, "now"))
		options->purge = KMEM_PURGE_NOW;
	else
		return false;
	return true;
}

static bool parse_guard(struct word w, const struct option *option, unsigned int *value)
{
	bool on;

	/* A number is milliseconds, 1 included. */
	if (parse_number(w, option, value))
		return true;
	if (!parse_bool(w, &on))
		return false;
	*value = on ? KMEM_GUARD_DEFAULT_MS : 0;
	return true;
}

static const struct option *find(struct word name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(table); i++)
		if (word_is(name, table[i].name))
			return &table[i];
	return NULL;
}

static bool apply(struct kmem_options *options, const struct option *option, struct word value)
{
	void *field = (char *)options + option->offset;

	switch (option->type) {
	case OPTION_BOOL:
		return parse_bool(value, field);
	case OPTION_NUMBER:
		return parse_number(value, option, field);
	case OPTION_RSEQ:
		return parse_rseq(value, field);
	case OPTION_CHOICE:
		return parse_choice(value, option, field);
	case OPTION_PURGE:
		return parse_purge(value, option, options);
	case OPTION_GUARD:
		return parse_guard(value, option, field);
	case OPTION_MISUSE:
		return parse_misuse(value, field);
	default:
		return parse_size(value, field);
	}
}

static void copy_word(char *buf, size_t bytes, struct word w)
{
	size_t len = MIN(w.len, bytes - 1);

	/* The message is one line, whatever the variable holds. */
	for (size_t i = 0; i < len; i++)
		buf[i] = w.at[i] >= ' ' && w.at[i] <= '~' ? w.at[i] : '?';
	buf[len] = '\0';
}

static void say_known(char *buf, size_t bytes, const char *shown)
{
	size_t len = report_format(buf, bytes, "KMEM_OPTIONS: unknown option \"%s\"; known:", shown), i;

	for (i = 0; i < ARRAY_LEN(table) && len < bytes; i++)
		len += report_format(buf + len, bytes - len, " %s=%s", table[i].name, table[i].values);
}

static void say_usage(char *buf, size_t bytes, const char *shown, const struct option *option)
{
	const char *advice = option->type == OPTION_SIZE ? "a size such as 512M or 64G" : option->values;

	if (option->type == OPTION_BOOL || option->type == OPTION_RSEQ)
		advice = "on or off";
	report_format(buf, bytes, "KMEM_OPTIONS: bad value in \"%s\"; use %s", shown, advice);
}

/* One name=value. Return: 0 or -EINVAL with err filled. */
static int parse_one(struct kmem_options *options, struct word w, char *err, size_t bytes)
{
	const char *equals = memchr(w.at, '=', w.len);
	struct word name = { w.at, equals ? (size_t)(equals - w.at) : w.len };
	struct word value = { equals ? equals + 1 : "", equals ? w.len - name.len - 1 : 0 };
	const struct option *option = find(name);
	char shown[48];

	copy_word(shown, sizeof(shown), w);
	if (!option) {
		say_known(err, bytes, shown);
		return -EINVAL;
	}
	if (apply(options, option, value))
		return 0;
	say_usage(err, bytes, shown, option);
	return -EINVAL;
}

KMEM_API int kmem_options_parse(struct kmem_options *options, const char *text, char *err, size_t bytes)
{
	int rc = 0;

	while (*text) {
		struct word w = { text, strcspn(text, ",") };

		if (w.len && !rc)
			rc = parse_one(options, w, err, bytes);
		else if (w.len)
			parse_one(options, w, (char[2]){ 0 }, 2);
		text += w.len;
		text += *text == ',';
	}
	return rc;
}

KMEM_API const struct kmem_options *kmem_options(void)
{
	return &current;
}

void options_read(const char *text)
{
	char err[2048];

	if (text && kmem_options_parse(&current, text, err, sizeof(err)))
		report("%s", err);
	report_set_policy(current.misuse);
}
