/* SPDX-License-Identifier: BSD-2-Clause */
/* compare_workloads.c - every built-in script is one, for two CPUs at most and with sizes that the kernel has. */
#include "slabscope/compare.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(compare_workloads, all)
{
	char *list = NULL, *line, *save;
	size_t len = 0, nr = 0;
	FILE *file = open_memstream(&list, &len);

	compare_list_workloads(file);
	fclose(file);
	for (line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save), nr++) {
		struct script script;
		char name[32], err[256];

		cr_assert_eq(sscanf(line, "%31s", name), 1);
		cr_assert_eq(script_parse(&script, name, compare_workload(name), err, sizeof(err)), 0, "%s", err);
		cr_assert_leq(script.nr_cpus, 2);
		cr_assert_gt(script.nr_checks, 10);
		for (unsigned int i = 0; i < script.nr_caches; i++)
			cr_assert(script.cache[i].size == 192 || !(script.cache[i].size & (script.cache[i].size - 1)));
		script_free(&script);
	}
	cr_assert_geq(nr, 4);
	cr_assert_null(compare_workload("none"));
	free(list);
}
