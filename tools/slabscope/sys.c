/* SPDX-License-Identifier: BSD-2-Clause */
/* sys.c - /sys/kernel/slab of a process; see sys.h. */
#include "slabscope/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/control.h"
#include "common/output.h"
#include "slabscope/views.h"
#include "text/slab.h"

#define WAIT_MS     2000u  /* for the answer to a write */
#define NAME_BYTES  (KMEM_NAME_BYTES + sizeof("@65535"))
#define VALUE_BYTES 65536u /* "N0=.. C0=.." of many CPUs */

__attribute__((format(printf, 2, 3))) static int fail(int code, const char *format, ...)
{
	va_list args;

	fputs("slabscope: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	return code;
}

/* Call visit for every live cache. Return: 0, or the first code that is not. */
static int for_each_cache(struct source *source, int (*visit)(struct source *, const struct text_cache *, void *),
			  void *context)
{
	struct text_cache c;
	unsigned int id;
	int code = 0;

	for (id = 1; !code && id < source->root.nr_caches; id++) {
		int err = text_cache_read(&c, &source->text, id);

		if (err && err != -ENOENT)
			return fail(1, "%s", source->target->message);
		if (!err)
			code = visit(source, &c, context);
	}
	return code;
}

/* The cache in whose slabs the objects of an alias are. */
static int read_root(struct source *source, const struct text_cache *c, struct kmem_cache *root)
{
	uint64_t at = source->root.caches + (uint64_t)text_root_id(c) * sizeof(*root);

	if (source->text.read(source->text.context, at, root, sizeof(*root)))
		return fail(1, "%s", source->target->message);
	root->name[KMEM_NAME_BYTES - 1] = '\0';
	return 0;
}

/* Merged caches point to the one whose slabs they use, as the links in /sys/kernel/slab do. */
static int print_name(struct source *source, const struct text_cache *c, void *context)
{
	struct kmem_cache root;

	(void)context;
	fputs(c->cache.name, stdout);
	if (kmem_cache_is_alias(&c->cache)) {
		if (read_root(source, c, &root))
			return 1;
		printf(" -> %s", root.name);
	}
	puts("");
	return 0;
}

/* The value of an attribute, newline included, in value[VALUE_BYTES]. */
static int read_value(struct source *source, const struct text_cache *c, const char *attribute, char *value)
{
	struct text t = text_init(value, VALUE_BYTES);
	int err = text_attribute(&t, &source->text, c, attribute);

	if (err == -ENOENT)
		return fail(1, "there is no attribute '%s'; 'slabscope sys %d %s' lists those there are", attribute,
			    source->target->pid, c->cache.name);
	return err ? fail(1, "%s", source->target->message) : 0;
}

static int print_attributes(struct source *source, const struct text_cache *c)
{
	static char value[VALUE_BYTES];
	enum text_mode mode;
	const char *name;
	unsigned int nth;

	for (nth = 0; (name = text_attribute_name(nth, &mode)); nth++) {
		int code = mode & TEXT_READ ? read_value(source, c, name, value) : 0;

		if (code)
			return code;
		if (mode & TEXT_READ)
			printf("%s:%s%s", name, value, *value ? "" : "\n");
	}
	return 0;
}

/* ---- a cache by name ---- */

struct search {
	const char *name;
	size_t len;
	struct text_cache found;
	bool has;
};

static int compare_name(struct source *source, const struct text_cache *c, void *context)
{
	struct search *search = context;

	(void)source;
	if (search->has || strlen(c->cache.name) != search->len || memcmp(c->cache.name, search->name, search->len))
		return 0;
	search->found = *c;
	search->has = true;
	return 0;
}

static int find_cache(struct source *source, const char *name, size_t len, struct search *search)
{
	*search = (struct search){ .name = name, .len = len };
	return for_each_cache(source, compare_name, search);
}

/*
 * The cache of "CACHE" or "CACHE/ATTRIBUTE", and the attribute, NULL for none. A
 * cache's name may have slashes itself. Return: 0 or an exit code.
 */
static int find_path(struct source *source, const char *path, struct search *search, const char **attribute)
{
	const char *slash = strrchr(path, '/');
	int code = find_cache(source, path, strlen(path), search);

	*attribute = NULL;
	if (code || search->has)
		return code;
	if (slash) {
		*attribute = slash + 1;
		code = find_cache(source, path, (size_t)(slash - path), search);
	}
	if (code || search->has)
		return code;
	return fail(1, "PID %d (%s) has no cache '%.*s'; 'slabscope sys %d' lists them", source->target->pid,
		    source->target->comm, slash ? (int)(slash - path) : (int)strlen(path), path, source->target->pid);
}

static int print_path(struct source *source, const char *path)
{
	static char value[VALUE_BYTES];
	const char *attribute;
	struct search search;
	int code = find_path(source, path, &search, &attribute);

	if (code)
		return code;
	if (!attribute)
		return print_attributes(source, &search.found);
	code = read_value(source, &search.found, attribute, value);
	if (!code)
		fputs(value, stdout);
	return code;
}

/* "CACHE/ATTRIBUTE=VALUE", cut at the sign. */
static int write_path(struct source *source, char *path, char *sign)
{
	const char *attribute;
	struct search search;
	long long value;
	char *end;
	int code;

	*sign = '\0';
	errno = 0;
	value = strtoll(sign + 1, &end, 10);
	if (errno || end == sign + 1 || *end)
		return fail(2, "'%s' is no number", sign + 1);
	code = find_path(source, path, &search, &attribute);
	if (code)
		return code;
	if (!attribute)
		return fail(2, "which attribute? slabscope sys PID CACHE/ATTRIBUTE=VALUE");
	if (control_set(source, search.found.cache.id, attribute, value, WAIT_MS))
		return fail(1, "%s", source->target->message);
	return 0;
}

/* ---- dump ---- */

static int write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return fail(1, "cannot write %s: %s", path, strerror(errno));
	fputs(text, f);
	if (fclose(f))
		return fail(1, "cannot write %s: %s", path, strerror(errno));
	return 0;
}

/* A file name as sysfs makes one: no slash. A second cache of the same name gets its id behind. */
static void file_name(const struct kmem_cache *s, bool second, char name[NAME_BYTES])
{
	char *at;

	snprintf(name, NAME_BYTES, "%s", s->name[0] == '.' ? "!" : s->name);
	for (at = name; *at; at++)
		if (*at == '/')
			*at = '!';
	if (second)
		snprintf(at, (size_t)(name + NAME_BYTES - at), "@%u", s->id);
}

/* The folder of a cache; with `to`, a link to that. Its path is in path[PATH_MAX]. */
static int make_entry(const char *dir, const struct kmem_cache *s, const char *to, char *path)
{
	char name[NAME_BYTES];
	int second;

	for (second = 0; second < 2; second++) {
		file_name(s, second, name);
		snprintf(path, PATH_MAX, "%s/%s", dir, name);
		if (!(to ? symlink(to, path) : mkdir(path, 0777)))
			return 0;
		if (errno != EEXIST)
			break;
	}
	return fail(1, "cannot make %s: %s", path, strerror(errno));
}

/* Whether it has a folder in the dump: an alias has a link, unless the name that it leads to is gone. */
static int has_folder(struct source *source, const struct text_cache *c, struct kmem_cache *root, bool *has)
{
	*has = true;
	if (!kmem_cache_is_alias(&c->cache))
		return 0;
	if (read_root(source, c, root))
		return 1;
	*has = root->state != KMEM_CACHE_LIVE;
	return 0;
}

/* Once all folders are there. */
static int dump_link(struct source *source, const struct text_cache *c, void *dir)
{
	char path[PATH_MAX], to[NAME_BYTES];
	struct kmem_cache root;
	struct stat st;
	bool folder;

	if (has_folder(source, c, &root, &folder))
		return 1;
	if (folder)
		return 0;
	root.id = (uint16_t)text_root_id(c);
	file_name(&root, true, to);
	snprintf(path, sizeof(path), "%s/%s", (const char *)dir, to);
	if (stat(path, &st))
		file_name(&root, false, to);
	return make_entry(dir, &c->cache, to, path);
}

static int dump_cache(struct source *source, const struct text_cache *c, void *context)
{
	static char value[VALUE_BYTES];
	char path[PATH_MAX], file[PATH_MAX + 64];
	struct kmem_cache root;
	enum text_mode mode;
	const char *name;
	unsigned int nth;
	bool folder;
	int code = has_folder(source, c, &root, &folder);

	if (code || !folder)
		return code;
	code = make_entry(context, &c->cache, NULL, path);
	for (nth = 0; !code && (name = text_attribute_name(nth, &mode)); nth++) {
		snprintf(file, sizeof(file), "%s/%s", path, name);
		code = read_value(source, c, name, value);
		if (!code)
			code = write_file(file, value);
	}
	return code;
}

static int dump(struct source *source, char *dir)
{
	int code;

	if (mkdir(dir, 0777))
		return fail(1, errno == EEXIST ? "%s exists; --dump makes the folder: %s" : "cannot make %s: %s", dir,
			    strerror(errno));
	code = for_each_cache(source, dump_cache, dir);
	return code ? code : for_each_cache(source, dump_link, dir);
}

/* ---- the verb ---- */

static int run(struct source *source, int argc, char **argv)
{
	if (argc == 2)
		return for_each_cache(source, print_name, NULL);
	if (argc == 4)
		return dump(source, argv[3]);
	if (strchr(argv[2], '='))
		return write_path(source, argv[2], strrchr(argv[2], '='));
	return print_path(source, argv[2]);
}

int sys_run(int argc, char **argv)
{
	struct source source;
	struct target t;
	unsigned int nth;
	int code, err;

	if (argc < 2 || argc > 4 || (argc == 4) != (argc > 2 && !strcmp(argv[2], "--dump")))
		return fail(2, "usage: slabscope sys PID [CACHE[/ATTRIBUTE[=VALUE]] | --dump DIR]");
	code = views_open(&t, &source, argv[1], 0);
	for (nth = 0; !code && nth < (argc == 2 ? t.nr_roots : 1); nth++) {
		if (nth)
			source_close(&source);
		if (nth && source_open(&source, &t, t.roots[nth].addr))
			code = fail(1, "%s", t.message);
		else
			code = run(&source, argc, argv);
	}
	source_close(&source);
	target_close(&t);
	err = output_flush_file(stdout);
	return err && !code ? fail(1, "write error: %s", strerror(-err)) : code;
}
