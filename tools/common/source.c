/* SPDX-License-Identifier: BSD-2-Clause */
/* source.c - another process's memory behind the one function that alloc/text reads through. */
#include "common/source.h"

#include <errno.h>
#include <stdlib.h>

#include "common/symbols.h"

#define FIRST_BYTES 16384u

static int read_target(void *context, uint64_t addr, void *buf, size_t len)
{
	return target_read(((struct source *)context)->target, addr, buf, len);
}

/* Without symbols an address must do. */
static const char *name_in_target(void *context, uint64_t addr, char *buf, size_t len)
{
	struct source *source = context;
	char err[256];

	if (!source->symbols && symbols_open(&source->symbols, source->target->pid, err, sizeof(err)))
		return NULL;
	return symbols_frame(source->symbols, addr, buf, len);
}

int source_open(struct source *source, struct target *t, uint64_t addr)
{
	const struct kmem_observe *root = &source->root;
	int err = target_read_root(t, addr, &source->root);

	source->target = t;
	source->text = (struct text_source){ root, read_target, source, name_in_target };
	source->symbols = NULL;
	if (err)
		return err;
	if (!root->state)
		return target_fail(t, -EPROTO, "PID %d (%s): libkmem is not initialised yet", t->pid, t->comm);
	if (root->nr_nodes >= 1 && root->nr_nodes <= KMEM_MAX_NODES && root->nr_cpus <= 8192 &&
	    root->percpu_shift < 48 && root->nr_caches <= KMEM_ID_MAX && root->arena_end >= root->arena_base)
		return 0;
	return target_fail(t, -EPROTO, "PID %d (%s): the libkmem root is damaged", t->pid, t->comm);
}

void source_close(struct source *source)
{
	symbols_close(source->symbols);
	source->symbols = NULL;
}

int source_text(struct source *source, int (*file)(struct text *, const struct text_source *), char **text)
{
	struct target *t = source->target;
	size_t room = FIRST_BYTES;

	for (;;) {
		struct text print;
		int err;

		*text = malloc(room);
		if (!*text)
			return target_fail(t, -ENOMEM, "out of memory");
		print = text_init(*text, room);
		t->message[0] = '\0';
		err = file(&print, &source->text);
		if (!err && print.len < room)
			return 0;
		free(*text);
		*text = NULL;
		if (err)
			return t->message[0] ? err : target_fail(t, err, "PID %d (%s): the tables of libkmem are damaged",
								 t->pid, t->comm);
		/* It may have grown again until the next look. */
		room = print.len + print.len / 4 + 1;
	}
}
