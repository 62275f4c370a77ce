/* SPDX-License-Identifier: BSD-2-Clause */
/* findings.h - what stands out in an analysis, each in one line with its numbers. */
#ifndef KMEMTRACE_FINDINGS_H
#define KMEMTRACE_FINDINGS_H

#include <stddef.h>

#include "kmemtrace/analysis.h"
#include "kmemtrace/rank.h"

#define FINDINGS_MAX  12
#define FINDING_BYTES 320

enum finding_kind {
	FINDING_MISSING, /* the numbers are not the whole truth */
	FINDING_STACKS,  /* call sites are not known */
	FINDING_GROWS,   /* a site's live bytes rise and nothing takes them back */
	FINDING_HOLDS,   /* a site holds a quarter or more of what is alive */
	FINDING_PEAK,    /* the peak is far above the end */
	FINDING_CHURN,   /* a site's objects are freed at once */
	FINDING_REMOTE,  /* a site's objects are freed on other CPUs */
	FINDING_WASTE,   /* a cache's objects are larger than what is asked for */
};

struct finding {
	enum finding_kind kind;
	char text[FINDING_BYTES];
};

struct findings {
	struct finding finding[FINDINGS_MAX];
	size_t nr;
};

/* The sites and caches of `an`, in any order: they are sorted here. */
void findings_make(struct findings *f, const struct analysis *an, struct rank *sites, struct rank *caches);

/* "GROWS". */
const char *finding_name(enum finding_kind kind);

#endif
