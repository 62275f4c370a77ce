/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_messages.c - scripts in the kernel by System V messages; see lab.h.
 *
 * A message is one object of the cache msg_msg-SIZE, from msgsnd() to msgrcv(), and has a type of its own, so any
 * of them can be received in any order. Few programs use messages, so these caches are practically private; the IPC
 * namespace is private, too, and its limits are raised.
 */
#include "common/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include "common/lab_kernel.h"

#define QUEUES       512  /* searched one by one by msgrcv() */
#define HEADER_BYTES 48   /* of struct msg_msg: in the object, in front of the text */
#define MAX_TEXT     4096
#define FOLDER       "/sys/kernel/slab/msg_msg-64"
#define WAIT_MS      20
#define WAIT_MAX_MS  240000

struct messages {
	struct lab_kernel kernel;
	int lock;
	int queue[QUEUES];
	unsigned int nr_queues;
	struct {
		long type;
		char text[MAX_TEXT];
	} message;
};

/* "msg_msg-192", "msg_msg-1k". */
static int name_of(struct lab *lab, const struct script_cache *cache, char *name, size_t len)
{
	static const uint32_t sizes[] = { 64, 96, 128, 192, 256, 512, 1024, 2048, 4096 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && sizes[i] != cache->size; i++)
		;
	if (i == sizeof(sizes) / sizeof(sizes[0]) || cache->flags & ~(uint32_t)SCRIPT_NOMERGE)
		return lab_fail(lab, -ENOTSUP,
				"cache %s: without a module the kernel has private caches of 64, 96, 128, 192, 256, 512, "
				"1024, 2048, 4096 bytes and no flags only", cache->name);
	if (cache->size < 1024)
		snprintf(name, len, "msg_msg-%u", cache->size);
	else
		snprintf(name, len, "msg_msg-%uk", cache->size / 1024);
	return 0;
}

static int choose_caches(struct messages *m, struct lab *lab)
{
	const struct script *script = lab->script;

	for (unsigned int i = 0; i < script->nr_caches; i++) {
		int rc = name_of(lab, &script->cache[i], m->kernel.name[i], sizeof(m->kernel.name[i]));

		if (rc)
			return rc;
		for (unsigned int j = 0; j < i; j++)
			if (script->cache[j].size == script->cache[i].size)
				return lab_fail(lab, -ENOTSUP, "caches %s and %s: only one cache of each size is private",
						script->cache[j].name, script->cache[i].name);
	}
	return 0;
}

/* One lab at a time has these caches to itself. */
static int lock_caches(struct messages *m, struct lab *lab)
{
	m->lock = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->lock < 0)
		return lab_fail(lab, -ENOTSUP, "this kernel has no private caches msg_msg-*: use Linux 6.12 or later with "
				"CONFIG_SLAB_BUCKETS, or the module");
	for (unsigned int waited = 0; flock(m->lock, LOCK_EX | LOCK_NB); waited += WAIT_MS) {
		if (waited > WAIT_MAX_MS)
			return lab_fail(lab, -EBUSY, "another program works with the caches msg_msg-*: wait for its end");
		usleep(WAIT_MS * 1000);
	}
	return 0;
}

static void raise_limit(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* If that fails, msgget() or msgsnd() says so. */
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

static int open_queues(struct messages *m, struct lab *lab)
{
	if (unshare(CLONE_NEWIPC))
		return lab_fail(lab, -errno, "no IPC namespace of its own: %s (try sudo)", strerror(errno));
	raise_limit("/proc/sys/kernel/msgmnb", "2000000000");
	raise_limit("/proc/sys/kernel/msgmni", "32000");
	for (; m->nr_queues < QUEUES; m->nr_queues++) {
		m->queue[m->nr_queues] = msgget(IPC_PRIVATE, 0600);
		if (m->queue[m->nr_queues] < 0)
			return lab_fail(lab, -errno, "no message queue: %s", strerror(errno));
	}
	return 0;
}

static int step(struct messages *m, struct lab *lab, const struct script_op *op)
{
	size_t text = lab->script->cache[op->cache].size - HEADER_BYTES;
	int queue = m->queue[op->object % QUEUES];
	long type = (long)op->object + 1;

	if (op->kind == SCRIPT_SHRINK)
		return lab_kernel_shrink(&m->kernel, lab, op->cache);
	if (op->kind == SCRIPT_ALLOC) {
		m->message.type = type;
		if (!msgsnd(queue, &m->message, text, IPC_NOWAIT))
			return 0;
	} else if (msgrcv(queue, &m->message, text, type, IPC_NOWAIT) >= 0) {
		return 0;
	}
	return lab_fail(lab, -errno, "message of %zu bytes: %s", text, strerror(errno));
}

static int messages_work(struct lab *lab, const struct script_op *ops, size_t nr, uint16_t *used)
{
	uint64_t start = lab_now_ns();
	int rc = 0;

	for (size_t i = 0; i < nr && !rc; i++) {
		used[i] = ops[i].cpu;
		rc = step(lab->backend, lab, &ops[i]);
	}
	lab->spent_ns += lab_now_ns() - start;
	return rc;
}

static int messages_read(struct lab *lab, struct kmem_cache_info *row)
{
	struct messages *m = lab->backend;

	return lab_kernel_read(&m->kernel, lab, row);
}

static void messages_close(struct lab *lab)
{
	struct messages *m = lab->backend;

	while (m->nr_queues)
		msgctl(m->queue[--m->nr_queues], IPC_RMID, NULL);
	lab_kernel_close(&m->kernel);
	if (m->lock >= 0)
		close(m->lock);
	free(m);
}

int lab_open_messages(struct lab *lab, const struct script *script)
{
	static const struct lab_ops ops = { messages_work, messages_read, messages_close };
	struct messages *m = calloc(1, sizeof(*m));
	int rc;

	*lab = (struct lab){ .script = script };
	if (!m)
		return lab_fail(lab, -ENOMEM, "out of memory");
	lab->backend = m;
	lab->ops = &ops;
	m->lock = -1;
	rc = lab_kernel_open(&m->kernel, lab);
	if (!rc)
		rc = choose_caches(m, lab);
	if (!rc)
		rc = lock_caches(m, lab);
	if (!rc)
		rc = open_queues(m, lab);
	if (!rc)
		rc = lab_kernel_tune(&m->kernel, lab);
	return rc ? rc : lab_kernel_empty(&m->kernel, lab);
}
