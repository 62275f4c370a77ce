// SPDX-License-Identifier: BSD-2-Clause
/* kstream.c - the user side of bpf/kstream.bpf.c: loads, attaches, reads the ring. */
#include "common/kstream.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/bpfenv.h"
#include "common/kernel_config.h"

#pragma GCC diagnostic push /* generated code */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "kstream.skel.h"
#pragma GCC diagnostic pop

#define RING_BYTES     (64u << 20)
#define ALL_EVENTS     ((1u << KMEM_EV_NR) - 1)
#define OBJECT_EVENTS  (1u << KMEM_EV_CACHE_ALLOC | 1u << KMEM_EV_CACHE_FREE | 1u << KMEM_EV_KMALLOC | 1u << KMEM_EV_KFREE)

struct kstream {
	struct kstream_options options;
	struct kstream_bpf *skel;
	struct ring_buffer *ring;
	struct bpf_link *links[KMEM_EV_NR];
	uint64_t delivered;
	kstream_handler *handle; /* during a poll */
	void *context;
};

static struct bpf_program *program_of(const struct kstream *s, unsigned int type)
{
	struct bpf_program *const programs[KMEM_EV_NR] = {
		[KMEM_EV_CACHE_ALLOC] = s->skel->progs.kstream_cache_alloc,
		[KMEM_EV_CACHE_FREE] = s->skel->progs.kstream_cache_free,
		[KMEM_EV_KMALLOC] = s->skel->progs.kstream_kmalloc,
		[KMEM_EV_KFREE] = s->skel->progs.kstream_kfree,
		[KMEM_EV_PAGE_ALLOC] = s->skel->progs.kstream_page_alloc,
		[KMEM_EV_PAGE_FREE] = s->skel->progs.kstream_page_free,
	};

	return programs[type];
}

static bool is_wanted(const struct kstream *s, unsigned int type)
{
	return s->options.events & 1u << type;
}

static int on_event(void *stream, void *data, size_t len)
{
	struct kstream *s = stream;

	(void)len;
	s->delivered++;
	if (s->handle)
		s->handle(s->context, data);
	return 0;
}

static int load(struct kstream *s, char *err, size_t len)
{
	unsigned int type;
	int ret = 0;

	s->skel = kstream_bpf__open();
	if (!s->skel)
		return bpfenv_error(err, len, -errno, "open the BPF object of the kernel's event stream");
	s->skel->rodata->config = kernel_config_of(s->options.pid);
	for (type = 0; type < KMEM_EV_NR && !ret; type++)
		ret = bpf_program__set_autoload(program_of(s, type), is_wanted(s, type));
	if (!ret)
		ret = bpf_map__set_max_entries(s->skel->maps.ring, s->options.ring_bytes);
	if (!ret)
		ret = kstream_bpf__load(s->skel);
	if (!ret) {
		s->ring = ring_buffer__new(bpf_map__fd(s->skel->maps.ring), on_event, s, NULL);
		ret = s->ring ? 0 : -errno;
	}
	return ret ? bpfenv_error(err, len, ret, "load the programs of the kernel's event stream") : 0;
}

int kstream_open(struct kstream **stream, const struct kstream_options *options, char *err, size_t len)
{
	struct kstream *s;
	int ret;

	bpfenv_init();
	if (options && options->events & ~ALL_EVENTS)
		return bpfenv_fail(err, len, -EINVAL, "unknown event bits 0x%x: use those of enum kmem_event_type",
				   options->events);
	s = calloc(1, sizeof(*s));
	if (!s)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	if (options)
		s->options = *options;
	if (!s->options.events)
		s->options.events = OBJECT_EVENTS;
	if (!s->options.ring_bytes)
		s->options.ring_bytes = RING_BYTES;
	ret = load(s, err, len);
	if (ret) {
		kstream_close(s);
		return ret;
	}
	*stream = s;
	return 0;
}

bool kstream_names_kmalloc(const struct kstream *s)
{
	return s->skel->rodata->config.lookup != KERNEL_LOOKUP_NONE;
}

static void unlink_all(struct kstream *s)
{
	unsigned int type;

	for (type = 0; type < KMEM_EV_NR; type++) {
		bpf_link__destroy(s->links[type]);
		s->links[type] = NULL;
	}
}

int kstream_attach(struct kstream *s, char *err, size_t len)
{
	static const enum kmem_event_type order[KMEM_EV_NR] = {
		KMEM_EV_CACHE_FREE, KMEM_EV_KFREE, KMEM_EV_PAGE_FREE,
		KMEM_EV_CACHE_ALLOC, KMEM_EV_KMALLOC, KMEM_EV_PAGE_ALLOC,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < KMEM_EV_NR; i++) {
		enum kmem_event_type type = order[i];

		if (!is_wanted(s, type) || s->links[type])
			continue;
		s->links[type] = bpf_program__attach(program_of(s, type));
		if (s->links[type])
			continue;
		ret = -errno;
		unlink_all(s);
		return bpfenv_error(err, len, ret, "attach to the kernel's tracepoints");
	}
	return 0;
}

size_t kstream_poll(struct kstream *s, kstream_handler *handle, void *context)
{
	int nr;

	s->handle = handle;
	s->context = context;
	nr = ring_buffer__consume(s->ring);
	s->handle = NULL;
	return nr > 0 ? (size_t)nr : 0;
}

void kstream_detach(struct kstream *s, kstream_handler *handle, void *context)
{
	unlink_all(s);
	kstream_poll(s, handle, context);
}

static void add_cpu(struct kstream_totals *totals, const struct kmem_stream_totals *cpu)
{
	unsigned int type;

	for (type = 0; type < KMEM_EV_NR; type++) {
		totals->events[type] += cpu->events[type];
		totals->lost += cpu->lost[type];
	}
	totals->null_frees += cpu->null_frees;
	totals->failed += cpu->failed;
}

int kstream_read_totals(struct kstream *s, struct kstream_totals *totals, char *err, size_t len)
{
	int nr = libbpf_num_possible_cpus(), i, ret;
	struct kmem_stream_totals *cpus = nr > 0 ? calloc((size_t)nr, sizeof(*cpus)) : NULL;
	uint32_t zero = 0;
	unsigned int type;

	*totals = (struct kstream_totals){ .delivered = s->delivered };
	if (!cpus)
		return bpfenv_fail(err, len, -ENOMEM, "out of memory");
	ret = bpf_map__lookup_elem(s->skel->maps.totals, &zero, sizeof(zero), cpus, (size_t)nr * sizeof(*cpus), 0);
	for (i = 0; i < nr && !ret; i++)
		add_cpu(totals, &cpus[i]);
	free(cpus);
	if (ret)
		return bpfenv_error(err, len, ret, "read the totals of the kernel's event stream");
	for (type = 0; type < KMEM_EV_NR; type++)
		if (is_wanted(s, type))
			totals->missed += bpfenv_missed(bpf_program__fd(program_of(s, type)));
	return 0;
}

void kstream_close(struct kstream *s)
{
	if (!s)
		return;
	if (s->skel)
		unlink_all(s);
	ring_buffer__free(s->ring);
	kstream_bpf__destroy(s->skel);
	free(s);
}
