/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.c - slabscope compare: options, and a script carried out twice.
 */
#include "slabscope/compare.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/args.h"
#include "common/lab.h"
#include "common/library.h"
#include "slabscope/compare_command.h"

#define LIBRARY "libkmem.so.0"
#define TRIES   50 /* when a CPU number changes in the middle of a step */

struct options {
	const char *script, *workload, *html;
	bool module, list, command;
	enum output_format format;
	uint32_t limit;
};

enum { OPT_COMMAND, OPT_WORKLOAD, OPT_LIST, OPT_MODULE, OPT_JSON, OPT_CSV, OPT_HTML, OPT_LIMIT };

static const struct args_option options[] = {
	{ 'c', "command", NULL, "run COMMAND with libkmem preloaded, and show the kernel's caches meanwhile", OPT_COMMAND },
	{ 'w', "workload", "NAME", "a built-in script", OPT_WORKLOAD },
	{ 'l', "list", NULL, "list these", OPT_LIST },
	{ 0, "module", NULL, "make the caches in the kernel with the module kmemlab", OPT_MODULE },
	{ 0, "json", NULL, "one JSON object per cache and side", OPT_JSON },
	{ 0, "csv", NULL, "the same as CSV", OPT_CSV },
	{ 0, "html", "FILE", "write a page with charts to FILE, too", OPT_HTML },
	{ 'n', "limit", "N", "with -c: show the N busiest caches of each side (default 12)", OPT_LIMIT },
	{ 0, NULL, NULL, NULL, 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "slabscope compare",
	.synopsis = "[OPTION]... [SCRIPT | -c COMMAND [ARGUMENT]...]",
	.summary = "Do the same work in the kernel and in libkmem, and show what each made of it.",
	.options = options,
	.epilog = "A script is a file of statements such as\n\n"
		  "  cache c size=192\n"
		  "  alloc a1..a100 c; check; free shuffle a1..a100\n\n"
		  "See slabscope(1). In the kernel its objects are System V messages, in caches that nobody else uses: Linux\n"
		  "6.12 or later, root, sizes 64 to 4096 that kmalloc() has. --module takes any size and flag.\n",
	.handle = handle,
	.operands = true,
	.stop_at_operand = true,
};

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct options *o = context;
	uint64_t n;

	if (!option)
		return ARGS_CONTINUE;
	switch (option->id) {
	case OPT_COMMAND:
		o->command = true;
		break;
	case OPT_WORKLOAD:
		o->workload = value;
		break;
	case OPT_LIST:
		o->list = true;
		break;
	case OPT_MODULE:
		o->module = true;
		break;
	case OPT_HTML:
		o->html = value;
		break;
	case OPT_LIMIT:
		if (!args_number(value, 1, 1000, &n))
			return args_error(&tool, "bad --limit '%s': use a number from 1 to 1000", value);
		o->limit = (uint32_t)n;
		break;
	default:
		o->format = option->id == OPT_JSON ? OUTPUT_JSON : OUTPUT_CSV;
	}
	return ARGS_CONTINUE;
}

static int complain(const char *what)
{
	fprintf(stderr, "slabscope compare: %s\n", what);
	return ARGS_EXIT_RUNTIME;
}

/* ---- the script by itself ---- */

static int count_work(struct comparison *c)
{
	const struct script *script = c->script;
	uint64_t steps[SCRIPT_CACHES] = { 0 }, life[SCRIPT_CACHES] = { 0 };
	uint64_t *born = calloc(script->nr_objects + 1, sizeof(*born));

	if (!born)
		return -ENOMEM;
	for (size_t i = 0; i < script->nr_ops; i++) {
		const struct script_op *op = &script->ops[i];
		struct compare_work *work = &c->work[op->cache];

		if (op->kind == SCRIPT_ALLOC) {
			born[op->object] = steps[op->cache]++;
			work->allocs++;
			work->live++;
			work->peak_live = work->live > work->peak_live ? work->live : work->peak_live;
		} else if (op->kind == SCRIPT_FREE) {
			life[op->cache] += steps[op->cache]++ - born[op->object];
			work->frees++;
			work->live--;
		}
	}
	for (unsigned int i = 0; i < script->nr_caches; i++)
		if (c->work[i].frees)
			c->work[i].life_steps = life[i] / c->work[i].frees;
	free(born);
	return 0;
}

/* ---- one side ---- */

struct keeper {
	struct compare_side *side;
	unsigned int nr_caches;
};

static int keep(void *context, unsigned int n, const struct kmem_cache_info *row)
{
	const struct keeper *keeper = context;

	memcpy(&keeper->side->row[n * keeper->nr_caches], row, keeper->nr_caches * sizeof(*row));
	return 0;
}

static int open_lab(struct lab *lab, const struct script *script, unsigned int side, bool module)
{
	char path[PATH_MAX];

	if (side == COMPARE_KERNEL)
		return module ? lab_open_module(lab, script) : lab_open_messages(lab, script);
	library_find_named(LIBRARY, path, sizeof(path));
	return lab_open_kmem(lab, script, path);
}

static int run_side(struct comparison *c, unsigned int which, bool module)
{
	struct compare_side *side = &c->side[which];
	struct keeper keeper = { side, c->script->nr_caches };
	struct lab_run run = { .check = keep, .context = &keeper };
	struct lab lab;
	int rc, tries = 0;

	side->row = calloc((size_t)c->script->nr_checks * c->script->nr_caches, sizeof(*side->row));
	if (!side->row)
		return -ENOMEM;
	do {
		rc = open_lab(&lab, c->script, which, module);
		if (!rc)
			rc = lab_run(&lab, &run);
		lab_close(&lab);
	} while (rc == -EAGAIN && ++tries < TRIES);
	side->known = !rc;
	side->work_ns = lab.spent_ns;
	snprintf(side->why, sizeof(side->why), "%s", lab.err);
	return 0;
}

static void label_sides(struct comparison *c)
{
	struct utsname name;

	uname(&name);
	snprintf(c->side[COMPARE_KERNEL].label, sizeof(c->side[0].label), "Linux %.*s", (int)strcspn(name.release, "-+"),
		 name.release);
	snprintf(c->side[COMPARE_KMEM].label, sizeof(c->side[0].label), "libkmem %s", SLABSCOPE_VERSION);
}

/* ---- all of it ---- */

static int write_html(const struct comparison *c, const char *path)
{
	FILE *file = fopen(path, "we");
	int rc = file ? compare_html(c, file) : -errno;

	if (file && fclose(file) && !rc)
		rc = -errno;
	if (rc)
		fprintf(stderr, "slabscope compare: %s: %s\n", path, strerror(-rc));
	return rc;
}

static int compare_script(const struct options *o, const struct script *script, const char *title)
{
	struct comparison c = { .title = title, .script = script };
	int rc = count_work(&c);

	label_sides(&c);
	for (unsigned int i = 0; i < COMPARE_SIDES && !rc; i++)
		rc = run_side(&c, i, o->module);
	if (rc) {
		rc = complain(strerror(-rc));
	} else if (!c.side[0].known && !c.side[1].known) {
		complain(c.side[0].why);
		rc = complain(c.side[1].why);
	} else {
		/* Half a comparison is no success for scripts that wait for one. */
		rc = c.side[0].known && c.side[1].known ? ARGS_EXIT_OK : 3;
		if (compare_print(&c, stdout, o->format))
			rc = complain("write error");
		if (o->html && write_html(&c, o->html))
			rc = ARGS_EXIT_RUNTIME;
		if (o->format != OUTPUT_TEXT && rc == 3)
			complain(c.side[!c.side[0].known ? 0 : 1].why);
	}
	free(c.side[0].row);
	free(c.side[1].row);
	return rc;
}

static int load_and_compare(const struct options *o)
{
	const char *text = o->workload ? compare_workload(o->workload) : NULL;
	const char *title = o->workload ? o->workload : o->script;
	struct script script;
	char err[256];
	int rc;

	if (o->workload && !text)
		return args_error(&tool, "no workload '%s': see --list", o->workload);
	rc = text ? script_parse(&script, title, text, err, sizeof(err)) : script_load(&script, title, err, sizeof(err));
	if (rc)
		return complain(err);
	rc = compare_script(o, &script, title);
	script_free(&script);
	return rc;
}

int compare_run(int argc, char **argv)
{
	struct options o = { .limit = 12 };
	int rest, rc = args_parse(&tool, argc, argv, &o, &rest);

	if (rc != ARGS_CONTINUE)
		return rc;
	if (o.list) {
		compare_list_workloads(stdout);
		return output_flush_file(stdout) ? complain("write error") : ARGS_EXIT_OK;
	}
	if (o.command) {
		if (rest >= argc)
			return args_error(&tool, "which command?");
		if (o.html || o.workload)
			return args_error(&tool, "-c goes with --json, --csv and --limit only");
		return compare_command(argv + rest, o.format, o.limit);
	}
	if (rest < argc)
		o.script = argv[rest];
	if (!o.script == !o.workload || rest + 1 < argc)
		return args_error(&tool, "one script, or one --workload (see --list), or -c COMMAND");
	return load_and_compare(&o);
}
