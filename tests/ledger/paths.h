/* SPDX-License-Identifier: BSD-2-Clause */
/* paths.h - what work.c and paths.c agree upon. */
#ifndef LEDGER_PATHS_H
#define LEDGER_PATHS_H

enum path_class {
	PATH_CACHE,   /* objects of caches that have a name */
	PATH_KMALLOC, /* of kmalloc's classes */
	PATH_MALLOC,  /* of malloc's */
	PATH_LARGE,   /* whole pages */
	PATH_CLASSES
};

/* How far the counts of a class are right. */
enum path_knowledge {
	PATH_EXACT,
	PATH_DIFFERENCE, /* how often an object moves is the allocator's affair, or others allocate and free, too */
	PATH_OTHERS,     /* libc allocates, and keeps it */
};

struct path_counts {
	long allocs[PATH_CLASSES], frees[PATH_CLASSES];
	enum path_knowledge known[PATH_CLASSES];
};

/* A request of so many bytes, and the path's number, fails: the end of the path. */
#define PATH_MARK (1u << 30)

#endif
