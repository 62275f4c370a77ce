/* SPDX-License-Identifier: BSD-2-Clause */
/* compare_workloads.c - scripts that slabscope compare has built in; sizes are those of the kernel's private caches. */
#include "slabscope/compare.h"

#include <string.h>

static const struct workload {
	const char *name, *help, *script;
} workloads[] = {
	{ "stack", "what is allocated last is freed first, deeper and deeper",
	  "cache node size=192\n"
	  "repeat 40 { alloc a$_1..a$_100 node; check }\n"
	  "repeat 39 { free a$_100..a$_1; check }\n" },
	{ "queue", "one CPU allocates, another one frees, first in, first out",
	  "cache packet size=256\n"
	  "cpu 0; alloc p0_1..p0_400 packet\n"
	  "repeat 60 { cpu 0; alloc q$_1..q$_200 packet; check; cpu 1; free q$_1..q$_200; check }\n" },
	{ "churn", "random allocations and frees around 2000 live objects of three sizes, on two CPUs",
	  "cache small size=64\ncache middle size=512\ncache large size=2048\n"
	  "seed 42\n"
	  "random 30000 small live=2000 cpus=2 check=500\n"
	  "random 30000 middle live=2000 cpus=2 check=500\n"
	  "random 10000 large live=500 cpus=2 check=250\n" },
	{ "survivors", "a crowd comes, nine of ten go, one stays: what a peak leaves behind",
	  "cache session size=1024\n"
	  "alloc s1..s9 session\n"
	  "repeat 10 { alloc a$_1..a$_90 b$_1..b$_10 session; check }\n"
	  "repeat 10 { free shuffle a$_1..a$_90; check }\n" },
	{ "bursts", "everything is allocated, everything is freed, again and again",
	  "cache request size=512\n"
	  "repeat 40 { alloc r1..r600 request; check; free shuffle r1..r600; check }\n" },
	{ "handover", "every object is freed on another CPU than the one that made it, in random order",
	  "cache message size=128\n"
	  "seed 7\n"
	  "repeat 30 { cpu 0; alloc m1..m500 message; cpu 1; alloc n1..n500 message; free shuffle m1..m500; cpu 0; "
	  "free shuffle n1..n450; check; free n451..n500; check }\n" },
};

#define NR (sizeof(workloads) / sizeof(workloads[0]))

const char *compare_workload(const char *name)
{
	for (size_t i = 0; i < NR; i++)
		if (!strcmp(workloads[i].name, name))
			return workloads[i].script;
	return NULL;
}

void compare_list_workloads(FILE *file)
{
	for (size_t i = 0; i < NR; i++)
		fprintf(file, "  %-10s %s\n", workloads[i].name, workloads[i].help);
}
