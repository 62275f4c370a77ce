/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target_live.c - a running process as a target: /proc/PID and process_vm_readv.
 *
 * /proc/PID is held open as a directory and the process as a pidfd, so that a
 * pid which is used again by another process is not mistaken for the target.
 * Where process_vm_readv is not allowed (seccomp filters of containers) the
 * mem file does the same for more system calls.
 */
#include "common/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define BATCH 512 /* ranges per process_vm_readv; the kernel takes 1024 */

struct live {
	int dir;      /* /proc/PID */
	int pidfd;    /* -1 before Linux 5.3 */
	int mem;      /* mem file, -1 until it is needed */
	pid_t tid;    /* thread to read through: the leader, or another when the leader has ended */
	bool use_mem; /* process_vm_readv is filtered */
	char state;   /* of the leader, as in /proc/PID/stat */
};

/* ---- why not ------------------------------------------------------------------------- */

static int fail_gone(struct target *t)
{
	return target_fail(t, -ESRCH, "PID %d (%s) has ended", t->pid, t->comm);
}

static int yama_scope(void)
{
	FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%d", &scope) != 1)
		scope = 0;
	fclose(f);
	return scope;
}

/* The kernel says only "no": find out which of its rules it was. */
static int fail_permission(struct target *t)
{
	uid_t me = geteuid();
	int scope = yama_scope();

	if (me != 0 && me != t->uid)
		return target_fail(t, -EPERM,
				   "PID %d (%s) belongs to uid %u, this tool runs as uid %u; run it as that user or as root",
				   t->pid, t->comm, t->uid, me);
	if (me == 0)
		return target_fail(t, -EPERM,
				   "PID %d (%s) may not be read: this root lacks CAP_SYS_PTRACE over it (container, user namespace or dropped capabilities)",
				   t->pid, t->comm);
	if (scope > 0)
		return target_fail(t, -EPERM,
				   "PID %d (%s) may not be read: kernel.yama.ptrace_scope is %d; %s", t->pid, t->comm, scope,
				   scope == 3 ? "this cannot be changed without a reboot"
					      : "run as root, or set it to 0 with sysctl");
	return target_fail(t, -EPERM,
			   "PID %d (%s) may not be read: it is not dumpable (setuid, prctl); run as root",
			   t->pid, t->comm);
}

/* /proc/PID could not be opened or read, with this errno. */
static int fail_open(struct target *t, int err)
{
	if (err != ENOENT && err != ESRCH)
		return target_fail(t, -err, "PID %d: /proc/%d cannot be opened: %s", t->pid, t->pid, strerror(err));
	if (access("/proc/self/stat", F_OK))
		return target_fail(t, -ESRCH, "PID %d cannot be found: /proc is not mounted", t->pid);
	if (kill(t->pid, 0) && errno == EPERM)
		return target_fail(t, -EPERM, "PID %d belongs to another user and /proc hides it (hidepid); run as root",
				   t->pid);
	return target_fail(t, -ESRCH, "no process with PID %d", t->pid);
}

static bool has_ended(const struct live *live)
{
	struct pollfd pfd = { .fd = live->pidfd, .events = POLLIN };

	if (live->pidfd >= 0)
		return poll(&pfd, 1, 0) == 1;
	return faccessat(live->dir, "stat", F_OK, 0) != 0;
}

static int fail_errno(struct target *t, int err)
{
	struct live *live = t->backend;

	if (err == ESRCH || err == ENOENT || has_ended(live))
		return fail_gone(t);
	if (err == EPERM || err == EACCES)
		return fail_permission(t);
	return target_fail(t, -err, "PID %d (%s): %s", t->pid, t->comm, strerror(err));
}

/* ---- reading ------------------------------------------------------------------------- */

/* Continue `r` at *done from the mem file. Return bytes or -1 with errno. */
static ssize_t read_mem(struct live *live, const struct target_range *r, size_t done)
{
	ssize_t n;

	if (live->mem < 0)
		live->mem = openat(live->dir, "mem", O_RDONLY | O_CLOEXEC);
	if (live->mem < 0)
		return -1;
	n = pread(live->mem, (char *)r->buf + done, r->len - done, (off_t)(r->addr + done));
	if (n == 0 || (n < 0 && errno == EIO))
		errno = EFAULT;
	return n > 0 ? n : -1;
}

/* One system call: as many of ranges[0 .. nr) as fit, the first from byte `done` on. */
static ssize_t read_batch(struct live *live, const struct target_range *ranges, size_t nr, size_t done)
{
	struct iovec local[BATCH], remote[BATCH];
	size_t n = nr < BATCH ? nr : BATCH;
	ssize_t got;

	if (live->use_mem)
		return read_mem(live, ranges, done);
	for (size_t i = 0; i < n; i++) {
		size_t skip = i ? 0 : done;

		local[i].iov_base = (char *)ranges[i].buf + skip;
		remote[i].iov_base = (void *)(uintptr_t)(ranges[i].addr + skip);
		local[i].iov_len = remote[i].iov_len = ranges[i].len - skip;
	}
	got = process_vm_readv(live->tid, local, n, remote, n, 0);
	if (got < 0 && (errno == EPERM || errno == ENOSYS)) {
		ssize_t n_mem = read_mem(live, ranges, done);

		live->use_mem = n_mem > 0;
		if (n_mem < 0 && errno == EACCES)
			errno = EPERM;
		return n_mem;
	}
	if (got == 0)
		errno = EFAULT;
	return got > 0 ? got : -1;
}

/* `got` bytes arrived from ranges[*at] byte *done on: mark what is complete. */
static void advance(struct target_range *ranges, size_t nr, size_t *at, size_t *done, size_t got)
{
	while (*at < nr && got >= ranges[*at].len - *done) {
		got -= ranges[*at].len - *done;
		ranges[*at].error = 0;
		(*at)++;
		*done = 0;
	}
	*done += got;
}

static int live_readv(struct target *t, struct target_range *ranges, size_t nr)
{
	struct live *live = t->backend;
	size_t at = 0, done = 0;
	int failed = 0;

	while (at < nr) {
		ssize_t got;

		if (!ranges[at].len) {
			ranges[at++].error = 0;
			continue;
		}
		got = read_batch(live, &ranges[at], nr - at, done);
		if (got > 0) {
			advance(ranges, nr, &at, &done, (size_t)got);
			continue;
		}
		/* An address that cannot be read fails its own range only; a partial range is tried on until here. */
		if (errno != EFAULT || has_ended(live))
			return fail_errno(t, errno);
		ranges[at++].error = -EFAULT;
		done = 0;
		failed++;
	}
	return failed;
}

/* ---- /proc files ----------------------------------------------------------------------- */

/* A whole /proc file as a string (free it), or NULL with errno. */
static char *read_file_at(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, room = 32 << 10;
	char *text = fd < 0 ? NULL : malloc(room + 1);
	ssize_t n = -1;

	while (text && (n = read(fd, text + len, room - len)) > 0) {
		len += (size_t)n;
		if (len == room) {
			char *more = realloc(text, 2 * room + 1);

			if (!more) {
				n = -1;
				break;
			}
			text = more;
			room *= 2;
		}
	}
	if (fd >= 0) {
		int err = errno;

		close(fd);
		errno = err;
	}
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

/* State letter of a stat file: it follows the last ')', since the name may contain anything. */
static char stat_state(const char *text)
{
	const char *p = strrchr(text, ')');

	return p && p[1] == ' ' ? p[2] : '?';
}

/* A thread of the kernel itself, as the flags word of a stat file says. */
static bool stat_is_kernel_thread(const char *text)
{
	const unsigned int pf_kthread = 0x00200000; /* stable: ps(1) relies on it, too */
	const char *p = strrchr(text, ')');
	unsigned int flags;

	return p && sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & pf_kthread);
}

static void set_comm(struct target *t, const char *stat_text)
{
	const char *open = strchr(stat_text, '('), *close = strrchr(stat_text, ')');

	if (open && close && close > open)
		snprintf(t->comm, sizeof(t->comm), "%.*s", (int)(close - open - 1), open + 1);
	/* The name is printed: keep it on its line. */
	for (char *p = t->comm; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
}

static int live_maps(struct target *t)
{
	struct live *live = t->backend;
	char path[48], *text = read_file_at(live->dir, "stat");
	bool kernel_thread = false;

	/* New maps may come with a new name: the process has called exec. */
	if (text) {
		set_comm(t, text);
		kernel_thread = stat_is_kernel_thread(text);
	}
	free(text);
	snprintf(path, sizeof(path), "task/%d/maps", live->tid);
	text = read_file_at(live->dir, path);
	if (!text)
		return fail_errno(t, errno);
	if (!*text) {
		free(text);
		/* Any other process without maps is about to end. */
		if (!kernel_thread)
			return fail_gone(t);
		return target_fail(t, -ESRCH, "PID %d (%s) has no memory of its own: it is a kernel thread", t->pid,
				   t->comm);
	}
	return target_parse_maps(t, text);
}

static int live_threads(struct target *t, pid_t **tids, size_t *nr)
{
	struct live *live = t->backend;
	int fd = openat(live->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t room = 0;
	struct dirent *entry;

	*tids = NULL;
	*nr = 0;
	if (!dir)
		return fail_errno(t, errno);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (*nr == room) {
			pid_t *more = realloc(*tids, (room = room ? 2 * room : 64) * sizeof(*more));

			if (!more) {
				free(*tids);
				*tids = NULL;
				closedir(dir);
				return target_fail(t, -ENOMEM, "out of memory");
			}
			*tids = more;
		}
		(*tids)[(*nr)++] = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	closedir(dir);
	return *nr ? 0 : fail_gone(t);
}

/* The leader may have called pthread_exit(): any other thread leads to the same memory. */
static int choose_thread(struct target *t)
{
	struct live *live = t->backend;
	pid_t *tids;
	size_t nr;
	int err = live_threads(t, &tids, &nr);

	for (size_t i = 0; !err && i < nr && live->tid == t->pid; i++) {
		char path[48], *text;

		snprintf(path, sizeof(path), "task/%d/stat", tids[i]);
		text = read_file_at(live->dir, path);
		if (text && !strchr("ZX", stat_state(text)))
			live->tid = tids[i];
		free(text);
	}
	free(tids);
	if (!err && live->tid == t->pid)
		err = target_fail(t, -ESRCH, "PID %d (%s) is a zombie: it has ended and its memory is gone", t->pid,
				  t->comm);
	return err;
}

static int identify(struct target *t)
{
	struct live *live = t->backend;
	char *text = read_file_at(live->dir, "stat");
	struct stat st;

	if (!text || fstat(live->dir, &st)) {
		int err = errno;

		free(text);
		return fail_open(t, err);
	}
	t->uid = st.st_uid;
	set_comm(t, text);
	live->state = stat_state(text);
	free(text);
	return strchr("ZX", live->state) ? choose_thread(t) : 0;
}

static void live_close(struct target *t)
{
	struct live *live = t->backend;

	if (!live)
		return;
	if (live->dir >= 0)
		close(live->dir);
	if (live->pidfd >= 0)
		close(live->pidfd);
	if (live->mem >= 0)
		close(live->mem);
	free(live);
}

static const struct target_ops live_ops = {
	.readv = live_readv,
	.maps = live_maps,
	.threads = live_threads,
	.close = live_close,
};

int target_open(struct target *t, pid_t pid)
{
	struct live *live = malloc(sizeof(*live));
	char path[32];
	int err;

	memset(t, 0, sizeof(*t));
	t->pid = pid;
	if (!live)
		return target_fail(t, -ENOMEM, "out of memory");
	*live = (struct live){ .dir = -1, .pidfd = -1, .mem = -1, .tid = pid, .state = '?' };
	t->backend = live;
	t->ops = &live_ops;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	/* The directory first: what the pidfd then refers to is this process or none. */
	if (pid <= 0)
		return target_fail(t, -ESRCH, "no process with PID %d", pid);
	live->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (live->dir < 0)
		return fail_open(t, errno);
	live->pidfd = pidfd_open(pid, 0);
	err = identify(t);
	return err ? err : live_maps(t);
}
