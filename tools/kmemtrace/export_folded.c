/* SPDX-License-Identifier: BSD-2-Clause */
/* export_folded.c - stacks as lines, for flamegraph.pl, speedscope and grep. */
#include <errno.h>
#include <inttypes.h>

#include "kmemtrace/export.h"

int export_folded(struct analysis *an, enum rank_sort weight, FILE *file)
{
	struct rank rank;
	int err = rank_build(&rank, an, RANK_STACK) ? 0 : -ENOMEM;

	if (!err)
		rank_sort(&rank, weight);
	for (size_t i = 0; !err && i < rank.nr; i++) {
		uint64_t value = rank_value(&rank.row[i].stats, weight);

		if (value)
			fprintf(file, "%s %" PRIu64 "\n", rank.row[i].label, value);
	}
	rank_free(&rank);
	return err;
}
