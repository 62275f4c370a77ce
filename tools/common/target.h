/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target.h - the memory, maps and threads of another process, and the libkmem
 * roots that are found in it.
 *
 *   struct target t;
 *   int err = target_open(&t, pid);        process, maps
 *   if (!err)
 *           err = target_find_roots(&t);   the ELF notes -> t.roots[]
 *   if (err)
 *           fprintf(stderr, "slabtop: %s\n", t.message);
 *   target_close(&t);                      always, also after a failure
 *
 * Nothing is switched on in the target, no signal is sent and no thread is
 * stopped. Functions return 0 or a count, or -errno with one line in
 * t.message that names the cause and what to do about it. A target belongs to
 * one thread at a time.
 *
 * How memory is reached is behind struct target_ops: target_live.c reads a
 * running process; a reader of core files fits behind the same four calls.
 */
#ifndef COMMON_TARGET_H
#define COMMON_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <kmem/observe.h>

#define TARGET_MESSAGE_BYTES 320
#define TARGET_MAX_ROOTS     4 /* copies of libkmem in one process */

enum target_perms {
	TARGET_READ = 1 << 0,
	TARGET_WRITE = 1 << 1,
	TARGET_EXEC = 1 << 2,
	TARGET_SHARED = 1 << 3,
};

/* One line of /proc/PID/maps. Sorted by address, never overlapping. */
struct target_map {
	uint64_t start, end;
	uint64_t offset;  /* of `start` in the file, bytes */
	uint64_t inode;   /* 0: anonymous */
	uint32_t perms;   /* enum target_perms */
	uint32_t device;  /* major << 20 | minor */
	const char *path; /* as the kernel prints it, "" for none; lives as long as the maps */
};

/* One piece of a scattered read. */
struct target_range {
	uint64_t addr;
	void *buf;
	size_t len;
	int error; /* result: 0, or -errno (-EFAULT: not mapped or not readable) */
};

/* A libkmem root of the target, as it was when target_find_roots() ran. */
struct target_root {
	uint64_t addr;                /* of struct kmem_observe in the target */
	uint64_t elf;                 /* start of the ELF image that carries the note */
	char module[64];              /* its file's base name */
	struct kmem_observe observe;  /* copy; verified */
};

struct target;

/* The four things that a back end provides. All return 0 or -errno and set target.message. */
struct target_ops {
	/* Fill every range or set its error. Return: number of failed ranges, or -errno when nothing can be read any more. */
	int (*readv)(struct target *t, struct target_range *ranges, size_t nr);
	/* Replace t->maps by the current ones. */
	int (*maps)(struct target *t);
	/* Return in *tids (to be freed by the caller) the ids of all threads. */
	int (*threads)(struct target *t, pid_t **tids, size_t *nr);
	/* Release the back end; called once, also after a failed open. */
	void (*close)(struct target *t);
};

struct target {
	const struct target_ops *ops;
	void *backend;          /* belongs to ops */
	pid_t pid;
	uid_t uid;
	char comm[32];          /* command name, "" when unknown */
	struct target_map *maps;
	size_t nr_maps;
	char *map_text;         /* holds the paths of maps[] */
	struct target_root roots[TARGET_MAX_ROOTS];
	unsigned int nr_roots;
	char message[TARGET_MESSAGE_BYTES]; /* the last failure: one line, no newline */
};

/*
 * Attach to a live process for reading and load its maps. Failures: -ESRCH no
 * such process, zombie or kernel thread; -EPERM other user, Yama or not
 * dumpable; -ENOMEM. Call target_close() in any case.
 */
int target_open(struct target *t, pid_t pid);

/* Release everything. Harmless on a zeroed or closed target. */
void target_close(struct target *t);

/* Load the maps again. Pointers into the old maps[] die. */
int target_reload_maps(struct target *t);

/* The mapping that holds `addr`, or NULL. O(log n). */
const struct target_map *target_map_of(const struct target *t, uint64_t addr);

/* Read `len` bytes at `addr`, all or nothing: -EFAULT when a part is not readable, -ESRCH when the process is gone. */
int target_read(struct target *t, uint64_t addr, void *buf, size_t len);

/*
 * Read `nr` ranges with as few system calls as possible. Return: 0 all read,
 * n > 0 ranges failed (see range.error; the others are complete), or -errno
 * when the process is gone or may not be read.
 */
int target_readv(struct target *t, struct target_range *ranges, size_t nr);

/* Thread ids of the target in *tids (free() it). */
int target_threads(struct target *t, pid_t **tids, size_t *nr);

/*
 * Find the libkmem roots of the target: the notes of every mapped ELF image,
 * read from memory, so that static, preloaded, stripped and deleted files all
 * work. Return: 0 with t->nr_roots >= 1; -ENOENT the process does not carry
 * libkmem; -EPROTO it does, with a layout that this tool does not know;
 * -ESRCH, -EPERM as in target_open().
 */
int target_find_roots(struct target *t);

/*
 * Read and verify the root at `addr`. Return 0, -EPROTO for a layout of
 * another release, -ENOENT when this is no root, or as target_read(). The root
 * of a process is read anew for every snapshot: an exec or exit in between
 * shows here.
 */
int target_read_root(struct target *t, uint64_t addr, struct kmem_observe *root);

/* Format t->message and return `err`: for back ends and readers built on this. */
int target_fail(struct target *t, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Parse the text of a maps file into t->maps. Takes ownership of `text` (from
 * malloc, NUL-terminated) in any case. Return 0, -ENOMEM, -EINVAL.
 */
int target_parse_maps(struct target *t, char *text);

#endif
