/* SPDX-License-Identifier: BSD-2-Clause */
/* control.c - a request into the mailbox, the word that says so last, and the answer; see control.h. */
#include "common/control.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 2

static int write_target(struct target *t, uint64_t addr, const void *buf, size_t len)
{
	struct iovec local = { (void *)(uintptr_t)buf, len };
	struct iovec remote = { (void *)(uintptr_t)addr, len };

	if (process_vm_writev(t->pid, &local, 1, &remote, 1, 0) == (ssize_t)len)
		return 0;
	return target_fail(t, errno == EFAULT ? -EPROTO : -errno, "PID %d (%s): its memory cannot be written: %s", t->pid,
			   t->comm, strerror(errno));
}

static int write_request(struct source *source, uint32_t request)
{
	return write_target(source->target, source->root.control + offsetof(struct kmem_control, request), &request,
			    sizeof(request));
}

/* The process sees that there is something to do: `on` 65535 or 0. */
static int write_attention(struct source *source, uint16_t on)
{
	int err = write_target(source->target, source->root.attention[0], &on, sizeof(on));

	return err ? err : write_target(source->target, source->root.attention[1], &on, sizeof(on));
}

static int explain(struct target *t, int err, const char *attribute, int64_t value)
{
	switch (err) {
	case 0:
		return 0;
	case -ENOENT:
		return target_fail(t, err, "there is no attribute '%s', or the cache is gone", attribute);
	case -EACCES:
		return target_fail(t, err, "attribute '%s' is read only", attribute);
	case -EAGAIN:
		return target_fail(t, err, "PID %d (%s): another writer came between; try again", t->pid, t->comm);
	case -EINVAL:
		return target_fail(t, err, "attribute '%s' does not take the value %lld", attribute, (long long)value);
	default:
		return target_fail(t, err, "attribute '%s' cannot be changed now: %s", attribute, strerror(-err));
	}
}

/* Wait for the answer to `request`. Return: 0 with it in *c, -ETIMEDOUT, or -errno. */
static int wait_answer(struct source *source, uint32_t request, struct kmem_control *c, unsigned int wait_ms)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	unsigned int waited;

	for (waited = 0;; waited += POLL_MS) {
		int err = target_read(source->target, source->root.control, c, sizeof(*c));

		if (err || c->done == request)
			return err;
		if (c->request != request)
			return explain(source->target, -EAGAIN, c->attribute, c->value);
		if (waited >= wait_ms)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

static int no_answer(struct target *t, unsigned int wait_ms)
{
	return target_fail(t, -ETIMEDOUT,
			   "PID %d (%s) did not answer within %u ms: a process takes requests when it allocates objects; "
			   "try again when it does", t->pid, t->comm, wait_ms);
}

/* Nobody answered: take the request back, unless it is answered just now. */
static int withdraw(struct source *source, uint32_t request, struct kmem_control *c)
{
	int err = write_request(source, c->done);

	if (!err)
		err = write_attention(source, 0);
	if (!err)
		err = target_read(source->target, source->root.control, c, sizeof(*c));
	return err || c->done == request ? err : -ETIMEDOUT;
}

/* A request that somebody left behind: answered, or withdrawn. *c is the mailbox then. */
static int finish_pending(struct source *source, struct kmem_control *c, unsigned int wait_ms)
{
	int err = target_read(source->target, source->root.control, c, sizeof(*c));
	uint32_t request = c->request;

	if (err || request == c->done)
		return err;
	err = write_attention(source, UINT16_MAX);
	if (!err)
		err = wait_answer(source, request, c, wait_ms);
	if (err == -ETIMEDOUT)
		err = withdraw(source, request, c);
	return err == -ETIMEDOUT ? no_answer(source->target, wait_ms) : err;
}

/* Different for every writer, and not the last one. */
static uint32_t own_request(uint32_t done)
{
	uint32_t request = (uint32_t)getpid() << 8 | ((done + 1) & 0xff);

	return request == done ? request + 1 : request;
}

int control_set(struct source *source, unsigned int id, const char *attribute, int64_t value, unsigned int wait_ms)
{
	struct target *t = source->target;
	struct kmem_control c, ask = { .cache_id = id, .value = value };
	size_t head = offsetof(struct kmem_control, token);
	uint32_t request;
	int err;

	if (!source->root.control)
		return target_fail(t, -EPROTO, "PID %d (%s): its libkmem takes no requests", t->pid, t->comm);
	if (strlen(attribute) >= sizeof(ask.attribute))
		return explain(t, -ENOENT, attribute, value);
	memcpy(ask.attribute, attribute, strlen(attribute));
	err = finish_pending(source, &c, wait_ms);
	if (err)
		return err;
	request = own_request(c.done);
	ask.token = request;
	err = write_target(t, source->root.control + head, (const char *)&ask + head, sizeof(ask) - head);
	if (!err)
		err = write_request(source, request);
	if (!err)
		err = write_attention(source, UINT16_MAX);
	if (!err)
		err = wait_answer(source, request, &c, wait_ms);
	if (err == -ETIMEDOUT)
		err = withdraw(source, request, &c);
	if (err == -ETIMEDOUT)
		return no_answer(t, wait_ms);
	return err ? err : explain(t, c.result, attribute, value);
}
