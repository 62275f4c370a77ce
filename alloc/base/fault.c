/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.c - the kernel's order of decision whether an allocation fails; see kmem/fault.h. */
#include "base/fault.h"

#include <errno.h>

#include "base/os.h"
#include "base/report.h"
#include "base/stack.h"
#include "base/symbol.h"
#include "base/trace.h"

#define MAX_DEPTH 32

static const struct fault {
	const char *name, *variable;
} faults[KMEM_NR_FAULTS] = {
	{ "failslab", "KMEM_FAILSLAB" },
	{ "fail_page_alloc", "KMEM_FAIL_PAGE_ALLOC" },
	{ "fail_mempool_alloc", "KMEM_FAIL_MEMPOOL_ALLOC" },
	{ "fail_mp_alloc", "KMEM_FAIL_MP_ALLOC" },
};

#define DEFAULTS                                                                             \
	.interval = 1, .times = 1, .verbose = 2, .ignore_gfp_wait = true, .stacktrace_depth = MAX_DEPTH, \
	.require_end = UINTPTR_MAX

static struct {
	struct fault_attr attr[KMEM_NR_FAULTS];
	uint64_t count[KMEM_NR_FAULTS]; /* for the interval */
	uint64_t nth;                   /* of the process: allocations up to the one that fails, 0 none */
	int nth_fd;                     /* where to tell about it */
} fault KMEM_STATE_SET = {
	.attr = { { DEFAULTS }, { DEFAULTS, .min_order = 1 }, { DEFAULTS }, { DEFAULTS } },
	.nth_fd = 2,
};

static __thread struct {
	unsigned int nth;
	bool make_it_fail;
	uint64_t random;
} task;

/* ---- telling ---- */

/* Its own lines: they may go to the one who runs the program, not to stderr. */
static void tell(int fd, const char *text)
{
	os_write(fd, text, strlen(text));
}

static void tell_stack(int fd, const void *call_site)
{
	uint64_t frame[MAX_DEPTH];
	unsigned int nr = stack_capture(call_site, frame, MAX_DEPTH), i;
	char name[256], line[300];

	for (i = 0; i < nr; i++) {
		report_format(line, sizeof(line), "kmem:  %s\n",
			      symbol_format(name, sizeof(name), (const void *)(uintptr_t)frame[i]));
		tell(fd, line);
	}
}

static void tell_failure(enum kmem_fault which, const void *call_site)
{
	const struct fault_attr *a = &fault.attr[which];

	if (!a->verbose)
		return;
	report("FAULT_INJECTION: forcing a failure. name %s, interval %lu, probability %lu, space %d, times %d",
	       faults[which].name, a->interval, a->probability, a->space, a->times);
	if (a->verbose > 1)
		tell_stack(2, call_site);
}

/* ---- deciding ---- */

static bool by_process(const void *call_site)
{
	uint64_t left = READ_ONCE(fault.nth);
	char line[64];

	do {
		if (!left)
			return false;
	} while (!__atomic_compare_exchange_n(&fault.nth, &left, left - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (left > 1)
		return false;
	report_format(line, sizeof(line), "kmem: FAULT_INJECTION: fail-nth\n");
	tell(fault.nth_fd, line);
	tell_stack(fault.nth_fd, call_site);
	trace_watch(false);
	return true;
}

/* Return: 1 fails, 0 does not, -1 the thread has no fail-nth. */
static int by_thread(void)
{
	if (!task.nth)
		return -1;
	if (--task.nth)
		return 0;
	trace_watch(false);
	return 1;
}

static bool stack_allows(const struct fault_attr *a, const void *call_site)
{
	bool found = !a->require_start && a->require_end == UINTPTR_MAX;
	uint64_t frame[MAX_DEPTH];
	unsigned int nr, i;

	if (!a->stacktrace_depth || (found && !a->reject_start && !a->reject_end))
		return found;
	nr = stack_capture(call_site, frame, MIN(a->stacktrace_depth, (unsigned int)MAX_DEPTH));
	for (i = 0; i < nr; i++) {
		if (frame[i] >= a->reject_start && frame[i] < a->reject_end)
			return false;
		found |= frame[i] >= a->require_start && frame[i] < a->require_end;
	}
	return found;
}

static bool take_space(struct fault_attr *a, size_t amount)
{
	int space = __atomic_load_n(&a->space, __ATOMIC_RELAXED);

	if (space <= 0 || (size_t)space <= amount)
		return false;
	__atomic_fetch_sub(&a->space, (int)amount, __ATOMIC_RELAXED);
	return true;
}

static unsigned int dice(void)
{
	if (!task.random)
		task.random = (os_now_ns() ^ ((uint64_t)os_gettid() << 32)) | 1;
	task.random ^= task.random << 13;
	task.random ^= task.random >> 7;
	task.random ^= task.random << 17;
	return (unsigned int)(task.random >> 32) % 100;
}

static bool by_attributes(enum kmem_fault which, size_t amount, const void *call_site)
{
	struct fault_attr *a = &fault.attr[which];

	if (!a->probability)
		return false;
	if (a->task_filter && !task.make_it_fail)
		return false;
	if (!__atomic_load_n(&a->times, __ATOMIC_RELAXED))
		return false;
	if (!stack_allows(a, call_site) || take_space(a, amount))
		return false;
	if (a->interval > 1 && __atomic_add_fetch(&fault.count[which], 1, __ATOMIC_RELAXED) % a->interval)
		return false;
	return a->probability > dice();
}

static bool should_fail(enum kmem_fault which, size_t amount, gfp_t gfp, const void *call_site)
{
	struct fault_attr *a = &fault.attr[which];
	int decided = by_thread();
	int times;

	if (!decided || (decided < 0 && !by_attributes(which, amount, call_site)))
		return false;
	if (!(gfp & __GFP_NOWARN))
		tell_failure(which, call_site);
	times = __atomic_load_n(&a->times, __ATOMIC_RELAXED);
	while (times > 0 &&
	       !__atomic_compare_exchange_n(&a->times, &times, times - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return true;
}

bool fault_slab(gfp_t gfp, size_t bytes, bool marked, const void *call_site)
{
	const struct fault_attr *a = &fault.attr[KMEM_FAILSLAB];

	if (gfp & __GFP_NOFAIL)
		return false;
	if (by_process(call_site))
		return true;
	if ((a->ignore_gfp_wait && gfp & __GFP_DIRECT_RECLAIM) || (a->cache_filter && !marked))
		return false;
	return should_fail(KMEM_FAILSLAB, bytes, gfp, call_site);
}

bool fault_object(gfp_t gfp, const void *call_site)
{
	return !(gfp & __GFP_NOFAIL) && by_process(call_site);
}

bool fault_pages(gfp_t gfp, unsigned int order, const void *call_site)
{
	const struct fault_attr *a = &fault.attr[KMEM_FAIL_PAGE_ALLOC];

	if (gfp & __GFP_NOFAIL)
		return false;
	if (order < a->min_order || (a->ignore_gfp_wait && gfp & __GFP_DIRECT_RECLAIM))
		return false;
	return should_fail(KMEM_FAIL_PAGE_ALLOC, (size_t)1 << order, gfp, call_site);
}

bool fault_mempool(const void *call_site)
{
	return should_fail(KMEM_FAIL_MEMPOOL_ALLOC, 1, 0, call_site);
}

bool fault_mp_pool(size_t bytes, const void *call_site)
{
	return by_process(call_site) || should_fail(KMEM_FAIL_MP_ALLOC, bytes, 0, call_site);
}

/* ---- settings ---- */

KMEM_API int kmem_fault_get(enum kmem_fault which, struct fault_attr *attr)
{
	if ((unsigned int)which >= KMEM_NR_FAULTS)
		return -EINVAL;
	*attr = fault.attr[which];
	return 0;
}

KMEM_API int kmem_fault_set(enum kmem_fault which, const struct fault_attr *attr)
{
	bool was;

	if ((unsigned int)which >= KMEM_NR_FAULTS || attr->probability > 100 || attr->stacktrace_depth > MAX_DEPTH ||
	    attr->times < -1 || attr->space < 0)
		return -EINVAL;
	was = fault.attr[which].probability;
	fault.attr[which] = *attr;
	fault.count[which] = 0;
	if (was != (attr->probability != 0))
		trace_watch(!was);
	return 0;
}

KMEM_API void kmem_fail_nth_set(unsigned int n)
{
	bool was = task.nth;

	task.nth = n;
	if (was != (n != 0))
		trace_watch(!was);
}

KMEM_API unsigned int kmem_fail_nth_get(void)
{
	return task.nth;
}

KMEM_API void kmem_make_it_fail(bool on)
{
	task.make_it_fail = on;
}

/* ---- environment ---- */

/* Decimal, with sign. Return: behind it, NULL when there is none or it is no int. */
static const char *parse_int(const char *at, int *value)
{
	bool negative = *at == '-';
	long n = 0;

	at += negative;
	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++) {
		n = n * 10 + (*at - '0');
		if (n > INT32_MAX)
			return NULL;
	}
	*value = (int)(negative ? -n : n);
	return at;
}

/* name=value; y and n are 1 and 0. Return: behind it, or NULL. */
static const char *parse_named(const char *at, struct fault_attr *a)
{
	static const char *const names[] = { "ignore-gfp-wait=", "cache-filter=", "task-filter=", "min-order=", "verbose=" };
	size_t i, len = 0;
	int value;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		len = strlen(names[i]);
		if (!strncmp(at, names[i], len))
			break;
	}
	if (i == ARRAY_LEN(names))
		return NULL;
	at += len;
	if ((*at | 0x20) == 'y' || (*at | 0x20) == 'n') {
		value = (*at | 0x20) == 'y';
		at++;
	} else {
		at = parse_int(at, &value);
	}
	if (!at || value < 0)
		return NULL;
	switch (i) {
	case 0: a->ignore_gfp_wait = value; break;
	case 1: a->cache_filter = value; break;
	case 2: a->task_filter = value; break;
	case 3: a->min_order = (unsigned int)value; break;
	default: a->verbose = (unsigned int)value;
	}
	return at;
}

static bool parse_attr(const char *at, struct fault_attr *a)
{
	int number[4], i; /* interval, probability, space, times */

	for (i = 0; i < 4; i++) {
		at = parse_int(at, &number[i]);
		if (!at || (i < 3 && *at++ != ','))
			return false;
	}
	if (number[0] < 0 || number[1] < 0)
		return false;
	a->interval = (unsigned long)number[0];
	a->probability = (unsigned long)number[1];
	a->space = number[2];
	a->times = number[3];
	while (*at == ',') {
		at = parse_named(at + 1, a);
		if (!at)
			return false;
	}
	return !*at;
}

static void setup_attr(enum kmem_fault which, const char *text)
{
	struct fault_attr a = fault.attr[which];

	if (!text)
		return;
	if (!parse_attr(text, &a) || kmem_fault_set(which, &a))
		report("%s: cannot read \"%s\"; use interval,probability,space,times and then "
		       "ignore-gfp-wait=n, cache-filter=y, task-filter=y, min-order=N, verbose=N",
		       faults[which].variable, text);
}

/* "N", or "N:FD" with the file descriptor to tell about it. */
static void setup_nth(const char *text)
{
	int n, fd = 2;
	const char *at = text ? parse_int(text, &n) : NULL;

	if (!text)
		return;
	if (at && *at == ':')
		at = parse_int(at + 1, &fd);
	if (!at || *at || n < 1 || fd < 0) {
		report("KMEM_FAIL_NTH: cannot read \"%s\"; use the number of the allocation that shall fail, from 1 on", text);
		return;
	}
	fault.nth = (uint64_t)n;
	fault.nth_fd = fd;
	trace_watch(true);
}

void fault_setup(char *(*variable)(const char *name))
{
	unsigned int which;

	for (which = 0; which < KMEM_NR_FAULTS; which++)
		setup_attr(which, variable(faults[which].variable));
	setup_nth(variable("KMEM_FAIL_NTH"));
}
