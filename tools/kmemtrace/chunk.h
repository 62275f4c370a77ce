/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunk.h - the container of a trace: a header, then chunks with checksums.
 *
 * A chunk is complete or was never written; each can be checked, read and left
 * out by itself. What is in them: trace_write.c, trace_read.c,
 * docs/TRACE-FORMAT.md. Numbers are little endian.
 */
#ifndef KMEMTRACE_CHUNK_H
#define KMEMTRACE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define TRACE_MAGIC   "KMEMTRC\n"
#define TRACE_VERSION 1u
#define CHUNK_MAGIC   0x4b4e4843u /* "CHNK" */

#define CHUNK_MAX_HEAD 256u
#define CHUNK_MAX_BODY (64u << 20) /* before compression */

struct trace_file_header {
	char magic[8];
	uint32_t version;
	uint32_t crc;         /* crc32 of the fields before */
};

enum chunk_type {
	CHUNK_INFO = 1, /* JSON */
	CHUNK_PROCESS,  /* JSON */
	CHUNK_MODULES,  /* JSON */
	CHUNK_CACHES,   /* JSON */
	CHUNK_STACKS,   /* struct chunk_stack ... */
	CHUNK_EVENTS,   /* head: struct chunk_events */
	CHUNK_SNAPSHOT, /* head: struct chunk_snapshot */
	CHUNK_CLOCK,    /* struct chunk_clock */
	CHUNK_SYMBOLS,  /* JSON: names of kernel addresses */
	CHUNK_END,      /* JSON; the last one */
};

enum chunk_flags {
	CHUNK_ZSTD = 1 << 0, /* the body is one zstd frame */
};

/* Followed by head_bytes as they are, then stored_bytes of body. */
struct chunk_header {
	uint32_t magic;
	uint16_t type;        /* enum chunk_type; unknown ones are skipped */
	uint16_t flags;       /* enum chunk_flags */
	uint32_t head_bytes;
	uint32_t stored_bytes;
	uint32_t raw_bytes;   /* of the body, uncompressed */
	uint32_t number;      /* 0, 1, 2, ... */
	uint32_t body_crc;    /* crc32 of the stored body */
	uint32_t head_crc;    /* crc32 of this header with head_crc 0, then the head */
};

struct chunk_events {
	uint64_t time_base;   /* ticks: what the first difference counts from */
	uint64_t time_first, time_last; /* of all events of the chunk */
	uint32_t column[4];   /* bytes of each, enum pack_column */
	uint32_t nr;
	uint32_t pid;         /* whose; 0: the kernel's, or of several */
	uint32_t cpu;
	uint32_t nr_spans;    /* without time stamps: struct chunk_span[] behind the columns */
};

/* nr events in a row that were made between two moments. */
struct chunk_span {
	uint64_t first, last; /* ticks */
	uint64_t nr;
};

struct chunk_stack {
	uint32_t number, pid;
	uint64_t nr;          /* addresses that follow, uint64_t each */
};

/* Body: struct trace_object[nr_objects], then struct trace_block[nr_blocks]. */
struct chunk_snapshot {
	uint64_t ticks;
	uint32_t moment;      /* enum trace_moment */
	uint32_t pid;
	uint32_t nr_objects, nr_blocks;
	uint32_t exact;
	uint32_t reserved;
};

struct chunk_clock {
	uint64_t ticks;
	uint64_t ns;          /* CLOCK_MONOTONIC at the same moment */
	uint64_t events, lost; /* so far */
};

/* ---- writing ---------------------------------------------------------------------------------- */

struct chunk_out {
	int fd;
	int error;            /* -errno of the first write that failed: nothing is written any more */
	uint32_t number;
	uint64_t bytes;       /* of the file */
	void *zstd;
	char *path;           /* NULL: of a device, which is not to be removed */
	uint8_t *plain, *packed;
	size_t plain_room, packed_room;
};

/*
 * Make a file, mode 0600, through no symbolic link; an existing one is an error (-EEXIST),
 * or with `force` replaced. Return 0 or -errno with one line in err[len].
 */
int chunk_create(struct chunk_out *out, const char *path, bool force, char *err, size_t len);

/*
 * Append a chunk. After a failure (the disk is full) the file ends behind the
 * last whole chunk. Return 0 or -errno, which stays.
 */
int chunk_write(struct chunk_out *out, enum chunk_type type, const void *head, size_t head_bytes,
		const struct iovec *body, int nr, bool compress);

/* Remove the file. */
void chunk_discard(struct chunk_out *out);

/* Return 0 or -errno of this or an earlier step. */
int chunk_close(struct chunk_out *out);

/* ---- reading ---------------------------------------------------------------------------------- */

struct chunk_in {
	int fd;
	uint64_t bytes;       /* of the file */
	void *zstd;
};

/* A chunk whose header and head are right. */
struct chunk_ref {
	uint64_t offset;
	struct chunk_header header;
	uint8_t head[CHUNK_MAX_HEAD] __attribute__((aligned(8)));
};

/* Return 0 or -errno with one line in err[len]; -EPROTO: not a trace, or of another version; -EBADMSG damaged. */
int chunk_open(struct chunk_in *in, const char *path, char *err, size_t len);

/* The chunk at this offset. Return 0; -ENODATA the file ends here; -EBADMSG there is none; -EIO. */
int chunk_at(struct chunk_in *in, uint64_t offset, struct chunk_ref *ref);

/* Where the next one begins. */
uint64_t chunk_next(const struct chunk_ref *ref);

/* The first offset from `offset` on where a chunk begins, or the end of the file. */
uint64_t chunk_search(struct chunk_in *in, uint64_t offset);

/*
 * Read, check and unpack a body into *body, from malloc(), with `slack` bytes behind it, 0.
 * Return 0, -EBADMSG damaged, -ENOMEM, -EIO.
 */
int chunk_body(struct chunk_in *in, const struct chunk_ref *ref, size_t slack, uint8_t **body);

void chunk_in_close(struct chunk_in *in);

#endif
