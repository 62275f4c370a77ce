/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_file.h - reading a recorded event stream; docs/TRACE-FORMAT.md.
 *
 *	struct trace *t;
 *	struct trace_event e;
 *
 *	if (trace_open(&t, "run.kmt", NULL, err, sizeof(err)))
 *		die("%s", err);
 *	while (trace_next(t, &e))
 *		...
 *	info = trace_info(t);          complete? lost? damaged?
 *	trace_close(t);
 *
 * Events come in the order of time, over all CPUs and processes. Without time
 * stamps (info.timed false) their order is that in which allocations and frees
 * of each address alternate, and time_ns is good to about one buffer.
 *
 * Caches, stacks and processes have numbers of their own in a trace; number 0
 * of each is "unknown" and may be asked for like any other. What is returned by
 * pointer lives until trace_close(). A file may hold anything: what cannot be
 * read is left out and said in trace_info(). One thread per trace.
 */
#ifndef KMEMTRACE_TRACE_FILE_H
#define KMEMTRACE_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <kmem/observe_batch.h>

struct trace;

/* 40 bytes. ptr 0: an allocation that failed. */
struct trace_event {
	uint64_t time_ns; /* since the recording began */
	uint64_t ptr;     /* of pages: of the block's first byte; the kernel's: of its struct page */
	uint64_t size;    /* bytes asked for; of a free of pages theirs, of other frees 0 */
	uint32_t stack;   /* trace_stack() */
	uint32_t cache;   /* trace_cache() */
	uint32_t pid;     /* the kernel's: whoever was running, 0 of none */
	uint16_t cpu;
	uint8_t op;       /* enum kmem_batch_op */
	uint8_t flags;    /* enum kmem_batch_flags, without KMEM_BATCH_STACK */
};

static inline bool trace_is_alloc(const struct trace_event *e)
{
	return e->op & 1;
}

static inline bool trace_is_pages(const struct trace_event *e)
{
	return e->op >= KMEM_BATCH_PAGE_ALLOC;
}

enum trace_cache_kind {
	TRACE_CACHE_UNKNOWN,
	TRACE_CACHE_SLAB,  /* a kmem_cache */
	TRACE_CACHE_LARGE, /* objects of whole pages; vmalloc(), too */
	TRACE_CACHE_PAGES, /* alloc_pages() */
};

struct trace_cache {
	const char *name;     /* "?", "(large)", "(pages)" where it is no cache */
	uint64_t flags;       /* SLAB_* */
	uint32_t kind;        /* enum trace_cache_kind */
	uint32_t pid;         /* 0: the kernel's */
	uint32_t id;          /* in its process */
	uint32_t object_size; /* bytes; 0 unknown, as the following */
	uint32_t size;        /* with what is between two objects */
	uint32_t align;
	uint32_t objects;     /* per slab */
	uint32_t order;       /* of a slab */
};

struct trace_stack {
	const uint64_t *address; /* return addresses, innermost first */
	uint32_t nr;             /* 1 without --stacks, 0 unknown */
	uint32_t pid;            /* whose addresses; 0: the kernel's */
};

/* A file that was mapped with code in it. */
struct trace_module {
	const char *path;      /* as the process saw it */
	const char *name;      /* its last part */
	uint64_t start, end;   /* addresses in the process */
	uint64_t offset;       /* in the file, of `start` */
	uint64_t vaddr;        /* of `start`, as the file's program headers and symbols have it */
	uint8_t build_id[32];
	uint32_t build_id_len; /* 0: it has none */
	uint32_t pid;
};

/* One function at a code address. The strings are never NULL, but may be "". */
struct trace_frame {
	const char *function;
	const char *file;      /* of the source */
	uint32_t line;         /* 0 unknown */
	bool inlined;          /* into the next frame */
	uint64_t offset;       /* of the address from the function's start, or the module's (function "") */
	uint64_t file_offset;  /* of the address in the module's file: the same in each run */
	const struct trace_module *module; /* NULL: the kernel, or none */
};

/*
 * A program in a process. What execs becomes another one, with a pid that no other has:
 * then os_pid is the system's number, which is the same otherwise.
 */
struct trace_process {
	uint32_t pid, parent;  /* parent 0: it was asked for */
	uint32_t os_pid;
	const char *command;   /* "redis-server --port 0" */
	uint64_t begin_ns;     /* its events are complete from here on; before it had no libkmem */
	uint64_t end_ns;       /* to here; 0: to the end of the recording */
	bool cut_off;          /* by exec or a signal: its last events are missing, and what lived then is not known */
};

/* An object that was live at a moment. */
struct trace_object {
	uint64_t ptr;
	uint64_t size;  /* its cache's object_size; large ones: asked for */
	uint32_t cache; /* of merged caches, any of their names */
	uint32_t pid;
};

/* A slab, large object or block of pages at a moment, with what is free in it. */
struct trace_block {
	uint64_t ptr;
	uint64_t bytes;   /* of its pages */
	uint32_t cache;
	uint32_t pid;
	uint32_t objects; /* that fit */
	uint32_t live;    /* in the hands of the program; those parked in sheaves count as free */
};

/* Both arrays by (pid, ptr). Valid until trace_close(). */
struct trace_snapshot {
	uint64_t time_ns;
	const struct trace_object *objects;
	size_t nr_objects;
	const struct trace_block *blocks;
	size_t nr_blocks;
	bool exact;       /* every process stood still for it, and it is there of every one that is not cut_off */
};

enum trace_moment {
	TRACE_BEGIN, /* objects older than the recording */
	TRACE_END,
};

enum trace_source {
	TRACE_LIBRARY,
	TRACE_KERNEL,
};

struct trace_info {
	uint32_t version;
	uint32_t source;      /* enum trace_source */
	const char *command;  /* of the recorder: "kmemtrace record ..." */
	const char *machine;  /* "host, Linux 6.18.2 x86_64, 2 CPUs" */
	uint64_t start_unix_ns; /* wall clock */
	uint64_t duration_ns; /* to the last event or note of the file */
	uint64_t tsc_hz;      /* 0 without time stamps of that kind */
	uint32_t nr_cpus;
	bool timed;           /* each event has a time stamp */
	bool stacks;          /* whole stacks were asked for */
	bool complete;        /* the recorder finished: if not, the last second may be missing */

	/* What the recorder says; without its end, what the file says. */
	uint64_t events;      /* recorded */
	uint64_t lost;        /* the recorder was too slow */
	uint64_t unreadable;  /* buffers that could not be read from the process */
	uint64_t no_buffer;   /* the process had no buffer */
	uint64_t tails_lost;  /* buffers that were not full, of processes that were killed */

	/* What reading found so far: after the last trace_next(), all. */
	uint64_t damaged;        /* chunks left out */
	uint64_t damaged_events; /* in them, as far as known */
	uint64_t damage_offset;  /* in the file, of the first; where a file ends too early, its size */
	bool truncated;          /* it ends in the middle of a chunk */
	uint64_t forced;         /* untimed: events that fit nowhere by alternation, given by time */
};

struct trace_options {
	const char *debug_dir; /* look for debug files and modules there, too; NULL */
	bool no_symbols;       /* trace_symbolize() shall open no files */
};

/*
 * Open and index a file. `options` may be NULL. Return 0 or -errno with one
 * line in err[len]: -ENOENT and the like, -EPROTO no trace or one of another
 * version, -EBADMSG its first part is damaged, -ENOMEM.
 */
int trace_open(struct trace **trace, const char *path, const struct trace_options *options, char *err, size_t len);

/* The next event. False: no more. */
bool trace_next(struct trace *trace, struct trace_event *event);

/* Begin with the first event again. */
void trace_rewind(struct trace *trace);

const struct trace_info *trace_info(const struct trace *trace);

/* Numbers are 0 .. nr - 1. A number out of range gives what 0 gives. */
uint32_t trace_nr_caches(const struct trace *trace);
const struct trace_cache *trace_cache(const struct trace *trace, uint32_t cache);
uint32_t trace_nr_stacks(const struct trace *trace);
const struct trace_stack *trace_stack(const struct trace *trace, uint32_t stack);
size_t trace_processes(const struct trace *trace, const struct trace_process **processes);

/* False: the file has none, or no memory; out is then all zero. May be large: decoded when first asked for. */
bool trace_read_snapshot(struct trace *trace, enum trace_moment moment, struct trace_snapshot *out);

/* The module that an address belongs to, or NULL. Where others were mapped there later, the first. */
const struct trace_module *trace_module_of(const struct trace *trace, uint32_t pid, uint64_t address);

/*
 * Functions at a return address of a stack: inlined ones first, the one that
 * the code belongs to last. Return how many, at least 1 and at most max; without
 * a symbol that one has function "". Results are remembered.
 */
size_t trace_symbolize(struct trace *trace, uint32_t pid, uint64_t address, struct trace_frame *frame, size_t max);

/*
 * An address in one line: "function+0x12 [module] file.c:34", "[module+0x1234]",
 * "0x7f12...". Return buf.
 */
const char *trace_describe(struct trace *trace, uint32_t pid, uint64_t address, char *buf, size_t len);

/* NULL is fine. */
void trace_close(struct trace *trace);

#endif
