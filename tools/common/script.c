/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.c - allocation scripts: words, statements, and what they unroll to; see script.h.
 *
 * The text is cut into words once. Statements are carried out as they are met; a loop
 * goes back to its first word.
 */
#include "common/script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "common/script_names.h"
#include "common/script_work.h"

#define MAX_DEPTH 16
#define END       "\n" /* the word that ends a statement */

struct word {
	const char *text;
	unsigned int line;
};

struct loop {
	size_t start;
	uint32_t round, rounds;
};

struct parser {
	struct script *script;
	const char *name;
	char *text;
	struct word *words;
	size_t nr_words, at;
	struct loop loop[MAX_DEPTH];
	unsigned int depth;
	struct script_names names;
	struct script_work work;
	int error;
	char *err;
	size_t len;
};

static int __attribute__((format(printf, 2, 3))) fail(struct parser *p, const char *format, ...)
{
	unsigned int line = p->at < p->nr_words ? p->words[p->at].line : p->nr_words ? p->words[p->nr_words - 1].line : 1;
	va_list args;
	int n;

	if (p->error)
		return p->error;
	n = snprintf(p->err, p->len, "%s:%u: ", p->name, line);
	va_start(args, format);
	if (n >= 0 && (size_t)n < p->len)
		vsnprintf(p->err + n, p->len - (size_t)n, format, args);
	va_end(args);
	return p->error = -EINVAL;
}

static int no_memory(struct parser *p)
{
	fail(p, "out of memory: make the script shorter");
	return p->error = -ENOMEM;
}

/* What the functions of script_work.h return. */
static void worked(struct parser *p, int rc)
{
	if (rc == -E2BIG)
		fail(p, "more than %u steps", SCRIPT_MAX_OPS);
	else if (rc)
		no_memory(p);
}

/* Room for one more element. */
static bool make_room(struct parser *p, void **array, size_t *room, size_t nr, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *grown;

	if (nr < *room)
		return true;
	grown = reallocarray(*array, more, size);
	if (!grown) {
		no_memory(p);
		return false;
	}
	*array = grown;
	*room = more;
	return true;
}

/* ---- words ---- */

static void add_word(struct parser *p, size_t *room, const char *text, unsigned int line)
{
	if (make_room(p, (void **)&p->words, room, p->nr_words, sizeof(*p->words)))
		p->words[p->nr_words++] = (struct word){ text, line };
}

static void cut(struct parser *p)
{
	unsigned int line = 1;
	bool inside = false;
	size_t room = 0;

	for (char *c = p->text; *c && !p->error; c++) {
		char now = *c;

		if (!strchr(" \t\r\n;{}#", now)) {
			if (!inside)
				add_word(p, &room, c, line);
			inside = true;
			continue;
		}
		inside = false;
		*c = '\0';
		if (now == '#')
			c += strcspn(c + 1, "\n");
		else if (now == '{' || now == '}')
			add_word(p, &room, now == '{' ? "{" : "}", line);
		else if (now == '\n' || now == ';')
			add_word(p, &room, END, line);
		line += now == '\n';
	}
}

/* The next word of the statement, or NULL at its end. */
static const char *next_word(struct parser *p)
{
	const char *text = p->at < p->nr_words ? p->words[p->at].text : END;

	if (!strcmp(text, END) || !strcmp(text, "}"))
		return NULL;
	p->at++;
	return text;
}

/* Whether the word behind the next one ends the statement. */
static bool is_last(const struct parser *p)
{
	const char *text = p->at + 1 < p->nr_words ? p->words[p->at + 1].text : END;

	return !strcmp(text, END) || !strcmp(text, "}");
}

static bool number(struct parser *p, const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	if (text && args_number(text, min, max, value))
		return true;
	fail(p, "%s: '%s' is no number from %llu to %llu", what, text ? text : "", (unsigned long long)min,
	     (unsigned long long)max);
	return false;
}

/* "key=value": the value, or NULL when it is another key. */
static const char *value_of(const char *word, const char *key)
{
	size_t len = strlen(key);

	return !strncmp(word, key, len) && word[len] == '=' ? word + len + 1 : NULL;
}

/* ---- caches ---- */

static int find_cache(struct parser *p, const char *name)
{
	for (unsigned int i = 0; name && i < p->script->nr_caches; i++)
		if (!strcmp(p->script->cache[i].name, name))
			return (int)i;
	fail(p, "no cache '%s': write 'cache %s size=BYTES' before", name ? name : "", name && *name ? name : "NAME");
	return -1;
}

static bool parse_flags(struct parser *p, struct script_cache *cache, const char *list)
{
	static const char *const names[] = { "hwcache", "reclaim", "account", "rcu", "nomerge" };

	while (*list) {
		size_t len = strcspn(list, ","), i;

		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strlen(names[i]) == len && !strncmp(list, names[i], len))
				break;
		if (i == sizeof(names) / sizeof(names[0])) {
			fail(p, "no flag '%.*s': there are hwcache, reclaim, account, rcu, nomerge", (int)len, list);
			return false;
		}
		cache->flags |= 1u << i;
		list += len + (list[len] == ',');
	}
	return true;
}

static bool parse_tunable(struct parser *p, struct script_cache *cache, const char *word)
{
	const struct {
		const char *key;
		int32_t *value;
		uint64_t max;
	} tunable[] = {
		{ "min_partial", &cache->min_partial, 1u << 20 },
		{ "cpu_partial", &cache->cpu_partial, 1u << 20 },
		{ "sheaf", &cache->sheaf, 16384 },
		{ "barn", &cache->barn, 10 },
	};
	uint64_t n;

	for (size_t i = 0; i < sizeof(tunable) / sizeof(tunable[0]); i++) {
		const char *value = value_of(word, tunable[i].key);

		if (!value)
			continue;
		if (number(p, tunable[i].key, value, 0, tunable[i].max, &n))
			*tunable[i].value = (int32_t)n;
		return true;
	}
	return false;
}

static void parse_cache_word(struct parser *p, struct script_cache *cache, const char *word)
{
	const char *value;
	uint64_t n;

	if ((value = value_of(word, "size"))) {
		if (number(p, "size", value, 1, 4u << 20, &n))
			cache->size = (uint32_t)n;
	} else if ((value = value_of(word, "align"))) {
		if (number(p, "align", value, 1, 4096, &n) && n & (n - 1))
			fail(p, "align: %s is no power of two", value);
		cache->align = (uint32_t)n;
	} else if ((value = value_of(word, "flags"))) {
		parse_flags(p, cache, value);
	} else if (!strcmp(word, "ctor")) {
		cache->flags |= SCRIPT_CTOR;
	} else if (!parse_tunable(p, cache, word)) {
		fail(p, "cache: '%s' is unknown: there are size, align, flags, ctor, min_partial, cpu_partial, sheaf, barn", word);
	}
}

static void do_cache(struct parser *p)
{
	struct script *script = p->script;
	struct script_cache cache = { .min_partial = SCRIPT_DEFAULT, .cpu_partial = SCRIPT_DEFAULT,
				      .sheaf = SCRIPT_DEFAULT, .barn = SCRIPT_DEFAULT };
	const char *name = next_word(p), *word;

	if (!name || strlen(name) >= sizeof(cache.name) || strpbrk(name, "=/")) {
		fail(p, "cache: a name of up to %zu characters is missing", sizeof(cache.name) - 1);
		return;
	}
	for (unsigned int i = 0; i < script->nr_caches; i++)
		if (!strcmp(script->cache[i].name, name))
			fail(p, "cache '%s' is there already", name);
	memcpy(cache.name, name, strlen(name));
	while (!p->error && (word = next_word(p)))
		parse_cache_word(p, &cache, word);
	if (!p->error && !cache.size)
		fail(p, "cache '%s': size=BYTES is missing", name);
	if (!p->error && script->nr_caches == SCRIPT_CACHES)
		fail(p, "more than %d caches", SCRIPT_CACHES);
	if (!p->error)
		script->cache[script->nr_caches++] = cache;
}

/* ---- objects ---- */

static void alloc_one(struct parser *p, struct script_name name, unsigned int cache)
{
	struct script_object *object = script_names_place(&p->names, name);
	char text[SCRIPT_NAME_TEXT_BYTES];

	if (!object) {
		no_memory(p);
	} else if (object->live) {
		fail(p, "alloc: '%s' is live already: free it first", script_names_text(&p->names, name, text));
	} else {
		object->cache = (uint8_t)cache;
		worked(p, script_work_alloc(&p->work, cache, &object->id));
		script_names_add(&p->names, object);
	}
}

static void free_one(struct parser *p, struct script_name name)
{
	struct script_object *object = script_names_place(&p->names, name);
	char text[SCRIPT_NAME_TEXT_BYTES];

	if (!object) {
		no_memory(p);
	} else if (!object->live) {
		fail(p, "free: '%s' is not live: allocate it first", script_names_text(&p->names, name, text));
	} else {
		worked(p, script_work_free(&p->work, object->cache, object->id));
		script_names_remove(&p->names, object);
	}
}

static bool parse_name(struct parser *p, const char *text, size_t len, struct script_name *name)
{
	int rc = script_names_parse(&p->names, text, len, name);

	if (rc == -ENOMEM)
		no_memory(p);
	else if (rc)
		fail(p, "'%.*s' is no object's name: letters, then up to 9 digits", (int)len, text);
	return !rc;
}

struct span {
	struct script_name first;
	uint32_t last;
};

/* "a1..a9", or one name. '$' is the round of the innermost loop. */
static bool parse_span(struct parser *p, const char *word, struct span *span)
{
	char text[4 * SCRIPT_NAME_BYTES];
	const char *dots;
	struct script_name last;
	size_t n = 0;

	for (; *word && n + 12 < sizeof(text); word++) {
		if (*word == '$' && p->depth)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%u", p->loop[p->depth - 1].round);
		else
			text[n++] = *word;
	}
	text[n] = '\0';
	dots = strstr(text, "..");
	if (!parse_name(p, text, dots ? (size_t)(dots - text) : n, &span->first))
		return false;
	last = span->first;
	if (dots && !parse_name(p, dots + 2, strlen(dots + 2), &last))
		return false;
	if (last.letters != span->first.letters)
		fail(p, "'%s': both ends need the same letters", text);
	span->last = last.number;
	return !p->error;
}

static void do_alloc(struct parser *p)
{
	size_t start = p->at, last;
	struct span span;
	int cache;

	while (!is_last(p) && next_word(p))
		;
	last = p->at;
	cache = find_cache(p, next_word(p));
	if (last == start)
		fail(p, "alloc: no object is named: alloc OBJECTS... CACHE");
	for (size_t i = start; i < last && !p->error && parse_span(p, p->words[i].text, &span); i++) {
		while (alloc_one(p, span.first, (unsigned int)cache), !p->error && span.first.number != span.last)
			span.first.number += span.first.number < span.last ? 1u : UINT32_MAX;
	}
}

static void shuffle_names(struct parser *p, struct script_name *names, size_t nr)
{
	for (size_t i = nr; i > 1; i--) {
		size_t other = script_random_below(&p->work.seed, (uint32_t)i);
		struct script_name name = names[i - 1];

		names[i - 1] = names[other];
		names[other] = name;
	}
}

static void do_free(struct parser *p)
{
	struct script_name *names = NULL;
	size_t nr = 0, room = 0;
	const char *word = next_word(p);
	bool shuffle = word && !strcmp(word, "shuffle");
	struct span span;

	if (shuffle)
		word = next_word(p);
	if (!word)
		fail(p, "free: no object is named");
	for (; word && !p->error && parse_span(p, word, &span); word = next_word(p)) {
		while (make_room(p, (void **)&names, &room, nr, sizeof(*names))) {
			names[nr++] = span.first;
			if (span.first.number == span.last)
				break;
			span.first.number += span.first.number < span.last ? 1u : UINT32_MAX;
		}
	}
	if (shuffle)
		shuffle_names(p, names, nr);
	for (size_t i = 0; i < nr && !p->error; i++)
		free_one(p, names[i]);
	free(names);
}

static void do_random(struct parser *p)
{
	struct script_random random = { .live = 100, .cpus = 1 };
	const char *word, *value;
	int cache;

	if (!number(p, "random", next_word(p), 1, SCRIPT_MAX_OPS, &random.steps))
		return;
	cache = find_cache(p, next_word(p));
	while (!p->error && (word = next_word(p))) {
		if ((value = value_of(word, "live")))
			number(p, "live", value, 1, 1u << 24, &random.live);
		else if ((value = value_of(word, "cpus")))
			number(p, "cpus", value, 1, SCRIPT_CPUS, &random.cpus);
		else if ((value = value_of(word, "check")))
			number(p, "check", value, 1, SCRIPT_MAX_OPS, &random.check);
		else
			fail(p, "random: '%s' is unknown: there are live, cpus, check", word);
	}
	if (!p->error)
		worked(p, script_work_random(&p->work, (unsigned int)cache, &random));
}

static void do_drain(struct parser *p)
{
	int cache = find_cache(p, next_word(p));

	worked(p, p->error ? 0 : script_work_drain(&p->work, (unsigned int)cache));
}

static void do_shrink(struct parser *p)
{
	int cache = find_cache(p, next_word(p));

	worked(p, p->error ? 0 : script_work_add(&p->work, SCRIPT_SHRINK, (unsigned int)cache, 0));
}

/* ---- the rest ---- */

static void do_cpu(struct parser *p)
{
	uint64_t n;

	if (number(p, "cpu", next_word(p), 0, SCRIPT_CPUS - 1, &n))
		p->work.cpu = (uint16_t)n;
}

static void do_check(struct parser *p)
{
	worked(p, script_work_add(&p->work, SCRIPT_CHECK, 0, 0));
}

static void do_seed(struct parser *p)
{
	number(p, "seed", next_word(p), 0, UINT64_MAX, &p->work.seed);
}

static void skip_block(struct parser *p)
{
	unsigned int depth = 1;

	for (; depth && p->at < p->nr_words; p->at++) {
		depth += !strcmp(p->words[p->at].text, "{");
		depth -= !strcmp(p->words[p->at].text, "}");
	}
}

static void do_repeat(struct parser *p)
{
	uint64_t rounds;

	if (!number(p, "repeat", next_word(p), 0, SCRIPT_MAX_OPS, &rounds))
		return;
	while (p->at < p->nr_words && !strcmp(p->words[p->at].text, END))
		p->at++;
	if (p->at == p->nr_words || strcmp(p->words[p->at].text, "{") || p->depth == MAX_DEPTH) {
		fail(p, p->depth == MAX_DEPTH ? "repeat: too many loops in each other" : "repeat: '{' is missing");
		return;
	}
	p->at++;
	if (!rounds)
		skip_block(p);
	else
		p->loop[p->depth++] = (struct loop){ p->at, 0, (uint32_t)rounds };
}

static void end_round(struct parser *p)
{
	struct loop *loop = p->depth ? &p->loop[p->depth - 1] : NULL;

	if (!loop) {
		fail(p, "'}' without 'repeat N {'");
		return;
	}
	if (++loop->round < loop->rounds) {
		p->at = loop->start;
		return;
	}
	p->depth--;
	p->at++;
}

static const struct {
	const char *name;
	void (*run)(struct parser *p);
} statements[] = {
	{ "cache", do_cache }, { "cpu", do_cpu },       { "alloc", do_alloc }, { "free", do_free },
	{ "check", do_check }, { "random", do_random }, { "drain", do_drain }, { "shrink", do_shrink },
	{ "seed", do_seed },   { "repeat", do_repeat },
};

static void statement(struct parser *p)
{
	const char *word = p->words[p->at].text;
	size_t i, nr = sizeof(statements) / sizeof(statements[0]);

	if (!strcmp(word, END)) {
		p->at++;
		return;
	}
	if (!strcmp(word, "}")) {
		end_round(p);
		return;
	}
	for (i = 0; i < nr && strcmp(word, statements[i].name); i++)
		;
	if (i == nr) {
		fail(p, "'%s' is no statement: there are cache, cpu, alloc, free, random, drain, shrink, check, seed, repeat", word);
		return;
	}
	p->at++;
	statements[i].run(p);
	if (!p->error && statements[i].run != do_repeat && next_word(p)) {
		p->at--;
		fail(p, "%s: '%s' is too much", word, p->words[p->at].text);
	}
}

static void free_parser(struct parser *p)
{
	script_work_close(&p->work);
	script_names_free(&p->names);
	free(p->words);
	free(p->text);
}

int script_parse(struct script *script, const char *name, const char *text, char *err, size_t len)
{
	struct parser p = { .script = script, .name = name, .text = strdup(text), .work = { .script = script, .seed = 1 }, .err = err, .len = len };

	memset(script, 0, sizeof(*script));
	script->nr_cpus = 1;
	if (!p.text)
		no_memory(&p);
	else
		cut(&p);
	while (!p.error && p.at < p.nr_words)
		statement(&p);
	if (!p.error && p.depth)
		fail(&p, "'}' is missing");
	if (!p.error && !script->nr_caches)
		fail(&p, "no cache: a script begins with 'cache NAME size=BYTES'");
	if (!p.error && (!script->nr_ops || script->ops[script->nr_ops - 1].kind != SCRIPT_CHECK))
		worked(&p, script_work_add(&p.work, SCRIPT_CHECK, 0, 0));
	free_parser(&p);
	if (p.error)
		script_free(script);
	return p.error;
}

int script_load(struct script *script, const char *path, char *err, size_t len)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text = NULL;
	size_t room = 0;
	ssize_t got;
	int rc;

	memset(script, 0, sizeof(*script));
	if (!file) {
		rc = -errno;
		snprintf(err, len, "%s: %s", path, strerror(-rc));
		return rc;
	}
	got = getdelim(&text, &room, '\0', file);
	if (file != stdin)
		fclose(file);
	rc = script_parse(script, strcmp(path, "-") ? path : "(stdin)", got < 0 ? "" : text, err, len);
	free(text);
	return rc;
}

void script_free(struct script *script)
{
	free(script->ops);
	memset(script, 0, sizeof(*script));
}
