/* SPDX-License-Identifier: BSD-2-Clause */
/* lab_module.c - scripts in the kernel by the module of tests/vm/module: caches of any kind; see lab.h. */
#include "common/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/kmemlab.h"
#include "common/lab_kernel.h"

#define DEVICE "/dev/kmemlab"
#define BATCH  64

_Static_assert((int)KMEMLAB_CTOR == (int)SCRIPT_CTOR && (int)KMEMLAB_RCU == (int)SCRIPT_RCU, "flags are the same");
_Static_assert((int)KMEMLAB_ALLOC == (int)SCRIPT_ALLOC && (int)KMEMLAB_FREE == (int)SCRIPT_FREE, "steps are the same");

struct module {
	struct lab_kernel kernel;
	int fd;
};

static int command(struct module *m, struct lab *lab, const struct kmemlab_request *r, size_t nr)
{
	ssize_t done = nr ? write(m->fd, r, nr * sizeof(*r)) : 0;

	return done < 0 ? lab_fail(lab, -errno, DEVICE ": %s", strerror(errno)) : 0;
}

static int make_caches(struct module *m, struct lab *lab)
{
	int rc = 0;

	for (unsigned int i = 0; i < lab->script->nr_caches && !rc; i++) {
		const struct script_cache *cache = &lab->script->cache[i];
		struct kmemlab_request r = { .kind = KMEMLAB_CREATE, .cache = (uint8_t)i, .flags = (uint16_t)cache->flags,
					     .size = cache->size, .align = cache->align };

		snprintf(r.name, sizeof(r.name), "lab-%.27s", cache->name);
		snprintf(m->kernel.name[i], sizeof(m->kernel.name[i]), "%s", r.name);
		rc = command(m, lab, &r, 1);
	}
	return rc;
}

static int module_work(struct lab *lab, const struct script_op *ops, size_t nr, uint16_t *used)
{
	struct module *m = lab->backend;
	struct kmemlab_request batch[BATCH];
	size_t held = 0;
	uint64_t start = lab_now_ns();
	int rc = 0;

	for (size_t i = 0; i < nr && !rc; i++) {
		used[i] = ops[i].cpu;
		if (ops[i].kind == SCRIPT_SHRINK || held == BATCH) {
			rc = command(m, lab, batch, held);
			held = 0;
		}
		if (!rc && ops[i].kind == SCRIPT_SHRINK)
			rc = lab_kernel_shrink(&m->kernel, lab, ops[i].cache);
		else
			batch[held++] = (struct kmemlab_request){ .kind = ops[i].kind, .cache = ops[i].cache,
								  .object = ops[i].object };
	}
	if (!rc)
		rc = command(m, lab, batch, held);
	lab->spent_ns += lab_now_ns() - start;
	return rc;
}

static int module_read(struct lab *lab, struct kmem_cache_info *row)
{
	struct module *m = lab->backend;

	return lab_kernel_read(&m->kernel, lab, row);
}

static void module_close(struct lab *lab)
{
	struct module *m = lab->backend;

	/* Tunables go with their caches. */
	for (unsigned int i = 0; i < SCRIPT_CACHES; i++)
		m->kernel.min_partial[i] = m->kernel.cpu_partial[i] = -1;
	if (m->fd >= 0)
		close(m->fd);
	lab_kernel_close(&m->kernel);
	free(m);
}

int lab_open_module(struct lab *lab, const struct script *script)
{
	static const struct lab_ops ops = { module_work, module_read, module_close };
	struct module *m = calloc(1, sizeof(*m));
	int rc;

	*lab = (struct lab){ .script = script };
	if (!m)
		return lab_fail(lab, -ENOMEM, "out of memory");
	lab->backend = m;
	lab->ops = &ops;
	m->fd = open(DEVICE, O_WRONLY | O_CLOEXEC);
	if (m->fd < 0)
		return lab_fail(lab, errno == ENOENT ? -ENOTSUP : -errno, DEVICE ": %s: load the module kmemlab "
				"(tests/vm/module)", strerror(errno));
	rc = lab_kernel_open(&m->kernel, lab);
	if (!rc)
		rc = make_caches(m, lab);
	if (!rc)
		rc = lab_kernel_tune(&m->kernel, lab);
	return rc ? rc : lab_kernel_empty(&m->kernel, lab);
}
