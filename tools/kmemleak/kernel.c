/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel.c - watches the kernel, asks about what is left, has it reported.
 *
 * An object is asked about twice, a moment apart: one on its way from one free
 * list to another passes for live once. Then the records are read again: what
 * was freed with an event meanwhile, or is another object by now, is dropped.
 *
 * The same is asked about all records every few seconds while we watch, and what is
 * free is forgotten. Else a record whose object was freed silently would wait for
 * the day when the next owner's allocation is the one event in a thousand that is
 * missed, and pass for a leak.
 */
#include "kmemleak/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/kcaches.h"
#include "common/kslabs.h"
#include "kmemleak/kernel_report.h"

#define LOOK_MS     50 /* a signal, or the command's end, is seen this much later */
#define ASK_AGAIN_US 10000
#define FORGET_MS   2000 /* between two looks for what was freed silently ... */
#define FORGET_PART 20   /* ... which take at most this part of the time */

/*
 * Caches that the kernel allocates from in bulk, without events: trees of mappings,
 * and what the network and io_uring keep to themselves. A record there may be of an
 * earlier object at its address.
 */
static const char *const bulk_caches[] = { "maple_node", "skbuff_head_cache", "io_kiocb" };

/* Objects in use and events of one cache at one moment. */
struct balance {
	uint64_t cache;
	int64_t in_use, net; /* net: allocations - frees */
	int64_t unknown;     /* frees of objects without a record */
};

struct session {
	const struct settings *settings;
	const struct kernel_settings *kernel;
	struct output *output;
	const volatile sig_atomic_t *interrupted;
	struct kcaches *caches;
	struct kslabs *slabs;
	struct kobjects *objects;
	struct symbols *symbols;
	struct balance *start; /* when the watch began */
	size_t nr_start;
	struct kernel_rules rules;
	uint64_t *unsure; /* rules.unsure */
	uint64_t forget_ns;    /* when to look next for what was freed silently */
	uint64_t nr_forgotten;
	struct kernel_list before; /* its groups only */
	uint64_t known_until_ns;
	char err[320];
};

static int complain(const struct session *s)
{
	fflush(stdout);
	fprintf(stderr, "kmemleak: %s\n", s->err);
	return 1;
}

static int out_of_memory(struct session *s)
{
	snprintf(s->err, sizeof(s->err), "out of memory");
	return -ENOMEM;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void sleep_ms(uint64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* ---- what was freed silently ---- */

static int forget_free(struct session *s)
{
	const struct kobjects_row *rows;
	struct kmem_object_check *checks;
	size_t nr;
	int ret = kobjects_read(s->objects, &rows, &nr, s->err, sizeof(s->err));

	if (ret)
		return ret;
	checks = calloc(nr + 1, sizeof(*checks));
	if (!checks)
		return out_of_memory(s);
	for (size_t i = 0; i < nr; i++)
		checks[i] = (struct kmem_object_check){ .address = rows[i].address, .cache = rows[i].object.cache };
	ret = kslabs_check(s->slabs, checks, nr, s->err, sizeof(s->err));
	for (size_t i = 0; !ret && i < nr; i++)
		if (checks[i].verdict == KMEM_OBJECT_FREE || checks[i].verdict == KMEM_OBJECT_GONE)
			s->nr_forgotten += kobjects_forget(s->objects, &rows[i]);
	free(checks);
	return ret;
}

/* One step of any wait. Return 0 or -errno with the line in s->err. */
static int wait_step(struct session *s, uint64_t ms)
{
	uint64_t start = now_ns(), pause;
	int ret = 0;

	if (start >= s->forget_ns) {
		ret = forget_free(s);
		pause = (now_ns() - start) * FORGET_PART;
		s->forget_ns = now_ns() + (pause > FORGET_MS * 1000000ULL ? pause : FORGET_MS * 1000000ULL);
	}
	if (!ret)
		sleep_ms(ms < LOOK_MS ? ms : LOOK_MS);
	return ret;
}

static int wait_until(struct session *s, uint64_t end_ns)
{
	uint64_t now;
	int ret = 0;

	while (!ret && !*s->interrupted && (now = now_ns()) < end_ns)
		ret = wait_step(s, (end_ns - now) / 1000000 + 1);
	return ret;
}

/* ---- the balance of events and objects ---- */

static const struct kmem_kernel_tally *tally_of(const struct kobjects_tally *tallies, size_t nr, uint64_t cache)
{
	static const struct kmem_kernel_tally none;

	for (size_t i = 0; i < nr; i++)
		if (tallies[i].cache == cache)
			return &tallies[i].tally;
	return &none;
}

/* Per cache what is in use and what the events say; sets *nr. NULL with the line in s->err. */
static struct balance *take_balance(struct session *s, size_t *nr)
{
	const struct kobjects_tally *tallies;
	const struct kmem_cache_info *rows;
	struct balance *balance;
	size_t i, nr_tallies;

	if (kobjects_read_tallies(s->objects, &tallies, &nr_tallies, s->err, sizeof(s->err)) ||
	    kcaches_read(s->caches, &rows, nr, s->err, sizeof(s->err)))
		return NULL;
	balance = calloc(*nr + 1, sizeof(*balance));
	if (!balance) {
		snprintf(s->err, sizeof(s->err), "out of memory");
		return NULL;
	}
	for (i = 0; i < *nr; i++) {
		const struct kmem_kernel_tally *tally = tally_of(tallies, nr_tallies, rows[i].cache);

		balance[i] = (struct balance){
			.cache = rows[i].cache,
			.in_use = (int64_t)rows[i].in_use,
			.net = (int64_t)(tally->allocs - tally->frees),
			.unknown = (int64_t)tally->unknown,
		};
	}
	return balance;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = llabs(((const struct kernel_residue *)a)->objects), y = llabs(((const struct kernel_residue *)b)->objects);

	return (x < y) - (x > y);
}

static const struct balance *balance_at_start(const struct session *s, uint64_t cache)
{
	for (size_t i = 0; i < s->nr_start; i++)
		if (s->start[i].cache == cache)
			return &s->start[i];
	return NULL;
}

static bool is_bulk_name(const char *name)
{
	for (size_t i = 0; i < sizeof(bulk_caches) / sizeof(bulk_caches[0]); i++)
		if (!strcmp(name, bulk_caches[i]))
			return true;
	return false;
}

/* By any of its names: the kernel merges caches. */
static bool is_bulk(struct session *s, const char *name)
{
	const char *const *aliases;
	size_t nr = kcaches_aliases(s->caches, name, &aliases);

	for (size_t i = 0; i < nr; i++)
		if (is_bulk_name(aliases[i]))
			return true;
	return is_bulk_name(name);
}

/* More objects without a record were freed than there were in the beginning, or were missed: some came without an event. */
static bool allocates_silently(const struct kernel_scan *scan, const struct balance *then, const struct balance *now)
{
	int64_t lost = (int64_t)(scan->totals.sum.lost + scan->totals.missed_allocs);

	return now->unknown - (then ? then->unknown : 0) > (then ? then->in_use : 0) + lost;
}

/* What the events do not explain, of caches that existed all the time. */
static int find_residues(struct session *s, struct kernel_scan *scan, const struct kmem_cache_info *rows, size_t nr_rows)
{
	const struct balance *then;
	size_t nr = 0;
	struct balance *now = take_balance(s, &nr);

	if (!now)
		return -EIO;
	free(s->unsure);
	s->unsure = calloc(nr + 1, sizeof(*s->unsure));
	s->rules.unsure = s->unsure;
	s->rules.nr_unsure = 0;
	scan->residues = calloc(nr + 1, sizeof(*scan->residues));
	for (size_t i = 0; s->unsure && scan->residues && i < nr; i++) {
		int64_t residue;

		then = balance_at_start(s, now[i].cache);
		if (allocates_silently(scan, then, &now[i]) || is_bulk(s, kernel_cache_name(now[i].cache, rows, nr_rows)))
			s->unsure[s->rules.nr_unsure++] = now[i].cache;
		if (!then)
			continue;
		scan->nr_caches++;
		residue = now[i].in_use - then->in_use - (now[i].net - then->net);
		if (residue)
			scan->residues[scan->nr_residues++] = (struct kernel_residue){
				kernel_cache_name(now[i].cache, rows, nr_rows), residue };
	}
	free(now);
	if (!s->unsure || !scan->residues)
		return out_of_memory(s);
	qsort(scan->residues, scan->nr_residues, sizeof(*scan->residues), by_size);
	return 0;
}

/* ---- one scan ---- */

/* Records of one scan. rows[] are copies: the reader's own go with its next read. */
struct records {
	struct kobjects_row *rows;
	const struct kobjects_row **list; /* those that are asked about */
	struct kmem_object_check *checks;
	size_t nr;
	struct kmem_cache_info *caches; /* copies, for names */
	size_t nr_caches;
};

static void free_records(struct records *r)
{
	free(r->rows);
	free(r->list);
	free(r->checks);
	free(r->caches);
}

static int read_candidates(struct session *s, struct kernel_list *list, struct records *r)
{
	const struct kobjects_row *rows;
	size_t nr;
	int ret = kobjects_read(s->objects, &rows, &nr, s->err, sizeof(s->err));

	if (ret)
		return ret;
	r->rows = calloc(nr + 1, sizeof(*r->rows));
	r->list = calloc(nr + 1, sizeof(*r->list));
	r->checks = calloc(nr + 1, sizeof(*r->checks));
	if (!r->rows || !r->list || !r->checks)
		return out_of_memory(s);
	s->rules.now_ns = now_ns();
	for (size_t i = 0; i < nr; i++) {
		if (!kernel_list_candidate(list, &s->rules, &rows[i]))
			continue;
		r->rows[r->nr] = rows[i];
		r->list[r->nr] = &r->rows[r->nr];
		r->checks[r->nr++] = (struct kmem_object_check){ .address = rows[i].address, .cache = rows[i].object.cache };
	}
	return 0;
}

static int copy_caches(struct session *s, struct records *r)
{
	const struct kmem_cache_info *rows;
	int ret = kcaches_read(s->caches, &rows, &r->nr_caches, s->err, sizeof(s->err));

	if (ret)
		return ret;
	r->caches = calloc(r->nr_caches + 1, sizeof(*r->caches));
	if (!r->caches)
		return out_of_memory(s);
	memcpy(r->caches, rows, r->nr_caches * sizeof(*rows));
	return 0;
}

/* Twice: any verdict but "live" stands. */
static int ask(struct session *s, struct records *r)
{
	struct kmem_object_check *again = calloc(r->nr + 1, sizeof(*again));
	int ret;

	if (!again)
		return out_of_memory(s);
	memcpy(again, r->checks, r->nr * sizeof(*again));
	ret = kslabs_check(s->slabs, r->checks, r->nr, s->err, sizeof(s->err));
	usleep(ASK_AGAIN_US);
	if (!ret)
		ret = kslabs_check(s->slabs, again, r->nr, s->err, sizeof(s->err));
	for (size_t i = 0; i < r->nr; i++)
		if (r->checks[i].verdict == KMEM_OBJECT_LIVE)
			r->checks[i].verdict = again[i].verdict;
	free(again);
	return ret;
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = ((const struct kobjects_row *)a)->address, y = ((const struct kobjects_row *)b)->address;

	return (x > y) - (x < y);
}

/* Drops what has no record any more, or a younger one. */
static int drop_freed(struct session *s, struct records *r, uint64_t *nr_dropped)
{
	const struct kobjects_row *rows, *same;
	struct kobjects_row *sorted;
	size_t nr, kept = 0;
	int ret = kobjects_read(s->objects, &rows, &nr, s->err, sizeof(s->err));

	if (ret)
		return ret;
	sorted = calloc(nr + 1, sizeof(*sorted));
	if (!sorted)
		return out_of_memory(s);
	memcpy(sorted, rows, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), by_address);
	for (size_t i = 0; i < r->nr; i++) {
		same = bsearch(r->list[i], sorted, nr, sizeof(*sorted), by_address);
		if (same && same->object.time_ns == r->list[i]->object.time_ns) {
			r->list[kept] = r->list[i];
			r->checks[kept++] = r->checks[i];
		}
	}
	free(sorted);
	*nr_dropped = r->nr - kept;
	r->nr = kept;
	return 0;
}

static int add_up(struct session *s, struct kernel_scan *scan)
{
	const struct kobjects_tally *tallies;
	size_t nr;
	int ret = kobjects_read_totals(s->objects, &scan->totals, s->err, sizeof(s->err));

	if (!ret)
		ret = kobjects_read_tallies(s->objects, &tallies, &nr, s->err, sizeof(s->err));
	for (size_t i = 0; !ret && i < nr; i++) {
		scan->allocs += tallies[i].tally.allocs;
		scan->frees += tallies[i].tally.frees;
		scan->silent += tallies[i].tally.silent;
	}
	return ret;
}

static int collect_scan(struct session *s, struct kernel_scan *scan, struct records *r)
{
	int ret = read_candidates(s, &scan->list, r);

	if (!ret)
		ret = copy_caches(s, r);
	if (!ret)
		ret = add_up(s, scan);
	if (!ret)
		ret = find_residues(s, scan, r->caches, r->nr_caches);
	if (!ret)
		ret = ask(s, r);
	if (!ret)
		ret = drop_freed(s, r, &scan->freed_meanwhile);
	if (ret)
		return ret;
	if (kernel_list_fill(&scan->list, &s->rules, r->list, r->checks, r->nr, r->caches, r->nr_caches) ||
	    kernel_list_group(&scan->list, &s->rules, s->before.groups ? &s->before : NULL, s->known_until_ns))
		return out_of_memory(s);
	return 0;
}

/* The next scan's growth is against these groups; of the rest nothing is needed. */
static void remember(struct session *s, struct kernel_list *list)
{
	free(s->before.groups);
	s->before = (struct kernel_list){ .groups = list->groups, .nr_groups = list->nr_groups };
	list->groups = NULL;
	s->known_until_ns = s->rules.now_ns - s->rules.min_age_ns;
}

static int scan_once(struct session *s)
{
	struct kernel_scan scan = { .objects = s->objects, .symbols = s->symbols, .min_age_ms = s->kernel->min_age_ms };
	struct records records = { 0 };
	int code = 0, ret = collect_scan(s, &scan, &records);

	if (ret) {
		code = complain(s);
	} else {
		scan.list.silent += s->nr_forgotten;
		scan.watched_ns = s->rules.now_ns - s->rules.since_ns;
		/* Modules may have come since. */
		if (s->symbols)
			symbols_refresh(s->symbols);
		kernel_report(s->output, &scan, &s->settings->report);
		code = scan.list.nr > scan.list.nr_unsure ? EXIT_LEAKS : 0;
		remember(s, &scan.list);
	}
	free(scan.residues);
	kernel_list_free(&scan.list);
	free_records(&records);
	return code;
}

/* ---- the watch ---- */

static int start_watch(struct session *s)
{
	const struct kobjects_options options = { .stack_every = s->kernel->stack_every };
	int ret = kobjects_open(&s->objects, &options, s->err, sizeof(s->err));

	if (!ret)
		ret = kcaches_open(&s->caches, NULL, s->err, sizeof(s->err));
	if (!ret)
		ret = kslabs_open(&s->slabs, s->caches, s->err, sizeof(s->err));
	if (!ret)
		ret = kobjects_attach(s->objects, s->err, sizeof(s->err));
	if (ret)
		return ret;
	s->start = take_balance(s, &s->nr_start);
	if (!s->start)
		return -EIO;
	s->rules = (struct kernel_rules){
		.since_ns = now_ns(),
		.until_ns = UINT64_MAX,
		.min_age_ns = (uint64_t)s->kernel->min_age_ms * 1000000,
		.min_bytes = s->settings->min_bytes,
		.cache = s->settings->cache,
	};
	return 0;
}

/* Runs the command, and waits until what it left is old enough. Return 0 or -errno. */
static int watch_command(struct session *s)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		snprintf(s->err, sizeof(s->err), "cannot run '%s': %s", s->kernel->command, strerror(errno));
		return -EAGAIN;
	}
	if (!pid) {
		execl("/bin/sh", "sh", "-c", s->kernel->command, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		if (wait_step(s, LOOK_MS))
			return -EIO;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		snprintf(s->err, sizeof(s->err), "cannot run '%s': no such command", s->kernel->command);
		return -ENOENT;
	}
	s->rules.until_ns = now_ns();
	return wait_until(s, s->rules.until_ns + s->rules.min_age_ns);
}

static int watch(struct session *s)
{
	uint32_t ms = s->settings->trace_ms ? s->settings->trace_ms : KERNEL_TRACE_MS;

	if (s->kernel->command)
		return watch_command(s);
	fflush(stdout);
	fprintf(stderr, "kmemleak: watching the kernel for %g s\n", ms / 1e3);
	return wait_until(s, s->rules.since_ns + (uint64_t)ms * 1000000);
}

static int scan_all(struct session *s)
{
	int code = scan_once(s);

	while (s->settings->period_ms && code != 1 && !*s->interrupted) {
		if (output_flush(s->output))
			return 1;
		if (wait_until(s, now_ns() + (uint64_t)s->settings->period_ms * 1000000))
			return complain(s);
		if (!*s->interrupted)
			code = verb_worse(code, scan_once(s));
	}
	return code;
}

int kernel_run(const struct settings *settings, const struct kernel_settings *kernel, struct output *o,
	       const volatile sig_atomic_t *interrupted)
{
	struct session s = { .settings = settings, .kernel = kernel, .output = o, .interrupted = interrupted };
	char no_symbols[256];
	int code;

	if (start_watch(&s) || watch(&s)) {
		code = complain(&s);
	} else {
		if (symbols_open(&s.symbols, 0, no_symbols, sizeof(no_symbols)))
			s.symbols = NULL;
		code = scan_all(&s);
	}
	symbols_close(s.symbols);
	kobjects_close(s.objects);
	kslabs_close(s.slabs);
	kcaches_close(s.caches);
	kernel_list_free(&s.before);
	free(s.start);
	free(s.unsure);
	return code;
}
