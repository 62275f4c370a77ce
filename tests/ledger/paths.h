/* SPDX-License-Identifier: BSD-2-Clause */
/* paths.h - what work.c and paths.c agree upon. */
#ifndef LEDGER_PATHS_H
#define LEDGER_PATHS_H

#include <stdbool.h>

enum path_class {
	PATH_CACHE,   /* objects of caches that have a name */
	PATH_KMALLOC, /* of kmalloc's classes */
	PATH_MALLOC,  /* of malloc's */
	PATH_LARGE,   /* whole pages */
	PATH_CLASSES
};

struct path_counts {
	long allocs[PATH_CLASSES], frees[PATH_CLASSES];
	bool unasked[PATH_CLASSES]; /* others allocate and free there, too: of all but malloc's the difference is right */
};

/* A request of so many bytes, and the path's number, fails: the end of the path. */
#define PATH_MARK (1u << 30)

#endif
