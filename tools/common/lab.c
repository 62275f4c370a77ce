/* SPDX-License-Identifier: BSD-2-Clause */
/* lab.c - the steps of a script, cut at changes of the CPU and at checks; see lab.h. */
#include "common/lab.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int lab_fail(struct lab *lab, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(lab->err, sizeof(lab->err), format, args);
	va_end(args);
	return err;
}

uint64_t lab_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int to_cpu(struct lab *lab, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		return 0;
	return lab_fail(lab, -errno, "the script asks for CPU %u, which this process may not use: %s", cpu,
			strerror(errno));
}

/* Steps from `at` on that need neither another CPU nor a check. */
static size_t stretch(const struct script *script, size_t at)
{
	size_t end = at;

	while (end < script->nr_ops && script->ops[end].kind != SCRIPT_CHECK && script->ops[end].cpu == script->ops[at].cpu)
		end++;
	return end - at;
}

static int run_steps(struct lab *lab, struct lab_run *run, uint16_t *used)
{
	const struct script *script = lab->script;
	struct kmem_cache_info row[SCRIPT_CACHES];
	unsigned int checks = 0, cpu = UINT32_MAX;
	size_t at = 0;
	int rc = 0;

	while (!rc && at < script->nr_ops) {
		size_t nr = stretch(script, at);

		if (!rc && script->ops[at].cpu != cpu) {
			cpu = script->ops[at].cpu;
			rc = to_cpu(lab, cpu);
		}
		if (!rc && nr)
			rc = lab->ops->work(lab, script->ops + at, nr, used + at);
		at += nr;
		if (!rc && at < script->nr_ops && script->ops[at].kind == SCRIPT_CHECK) {
			memset(row, 0, sizeof(row));
			rc = lab->ops->read(lab, row);
			if (!rc && run->check)
				rc = run->check(run->context, checks, row);
			checks++;
			at++;
		}
	}
	return rc;
}

int lab_run(struct lab *lab, struct lab_run *run)
{
	uint16_t *used = run->used ? run->used : calloc(lab->script->nr_ops, sizeof(*used));
	cpu_set_t before;
	int rc;

	if (!used)
		return lab_fail(lab, -ENOMEM, "out of memory");
	sched_getaffinity(0, sizeof(before), &before);
	rc = run_steps(lab, run, used);
	sched_setaffinity(0, sizeof(before), &before);
	if (!run->used)
		free(used);
	return rc;
}

void lab_close(struct lab *lab)
{
	if (lab->ops)
		lab->ops->close(lab);
	lab->ops = NULL;
}
