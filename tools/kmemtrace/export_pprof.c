/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export_pprof.c - the profile.proto of pprof: protocol buffers by their public
 * field numbers, written by hand as they are few.
 *
 * A message goes into a buffer of its own first, as its length stands before it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "kmemtrace/export.h"
#include "kmemtrace/intern.h"

#define MAX_INLINED 32

enum profile_field {
	PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE = 2, PROFILE_MAPPING = 3, PROFILE_LOCATION = 4, PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6, PROFILE_TIME = 9, PROFILE_DURATION = 10, PROFILE_COMMENT = 13, PROFILE_DEFAULT_TYPE = 14,
};

enum value_type_field { VALUE_TYPE = 1, VALUE_UNIT = 2 };
enum sample_field { SAMPLE_LOCATION = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum label_field { LABEL_KEY = 1, LABEL_STRING = 2 };
enum mapping_field {
	MAPPING_ID = 1, MAPPING_START = 2, MAPPING_LIMIT = 3, MAPPING_OFFSET = 4, MAPPING_FILE = 5, MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7, MAPPING_HAS_FILES = 8, MAPPING_HAS_LINES = 9, MAPPING_HAS_INLINES = 10,
};
enum location_field { LOCATION_ID = 1, LOCATION_MAPPING = 2, LOCATION_ADDRESS = 3, LOCATION_LINE = 4 };
enum line_field { LINE_FUNCTION = 1, LINE_LINE = 2 };
enum function_field { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3, FUNCTION_FILE = 4 };

struct buffer {
	uint8_t *data;
	size_t len, room;
	bool failed;
};

struct pprof {
	struct analysis *an;
	enum rank_sort weight;
	struct buffer out;
	struct intern strings;   /* string_table: number 0 is "" */
	struct intern mappings, locations, functions; /* by texts that tell them apart */
	bool failed;
};

/* ---- protocol buffers ------------------------------------------------------------------ */

static void put_bytes(struct buffer *b, const void *data, size_t len)
{
	if (b->failed)
		return;
	if (b->len + len > b->room) {
		size_t room = (b->len + len) * 2 + 64;
		uint8_t *bigger = realloc(b->data, room);

		if (!bigger) {
			b->failed = true;
			return;
		}
		b->data = bigger;
		b->room = room;
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void put_varint(struct buffer *b, uint64_t value)
{
	uint8_t bytes[10];
	size_t len = 0;

	do {
		bytes[len++] = (uint8_t)(value & 127) | (value > 127 ? 128 : 0);
		value >>= 7;
	} while (value);
	put_bytes(b, bytes, len);
}

static void put_number(struct buffer *b, unsigned int field, uint64_t value)
{
	if (!value) /* what is not there is 0 */
		return;
	put_varint(b, field << 3);
	put_varint(b, value);
}

static void put_block(struct buffer *b, unsigned int field, const void *data, size_t len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, len);
	put_bytes(b, data, len);
}

/* Append a message and free it. */
static void put_message(struct buffer *b, unsigned int field, struct buffer *message)
{
	put_block(b, field, message->data, message->len);
	b->failed |= message->failed;
	free(message->data);
	memset(message, 0, sizeof(*message));
}

static uint64_t number_of(struct pprof *p, struct intern *in, const char *text)
{
	uint32_t number = intern(in, text);

	p->failed |= number == INTERN_FAILED;
	return number;
}

static uint64_t string_of(struct pprof *p, const char *text)
{
	return number_of(p, &p->strings, text);
}

/* ---- code ------------------------------------------------------------------------------ */

/* Ids begin with 1; an entry is written when its number is new. */
static uint64_t mapping_of(struct pprof *p, const struct trace_module *module)
{
	char key[64], build_id[2 * sizeof(module->build_id) + 1] = "";
	struct buffer m = { 0 };
	size_t known = p->mappings.nr;
	uint64_t id;

	if (!module)
		return 0;
	snprintf(key, sizeof(key), "%u:%" PRIx64, module->pid, module->start);
	id = number_of(p, &p->mappings, key) + 1;
	if (p->mappings.nr == known)
		return id;
	for (uint32_t i = 0; i < module->build_id_len && i < sizeof(module->build_id); i++)
		snprintf(build_id + 2 * i, 3, "%02x", module->build_id[i]);
	put_number(&m, MAPPING_ID, id);
	put_number(&m, MAPPING_START, module->start);
	put_number(&m, MAPPING_LIMIT, module->end);
	put_number(&m, MAPPING_OFFSET, module->offset);
	put_number(&m, MAPPING_FILE, string_of(p, module->path));
	put_number(&m, MAPPING_BUILD_ID, string_of(p, build_id));
	for (unsigned int field = MAPPING_HAS_FUNCTIONS; field <= MAPPING_HAS_INLINES; field++)
		put_number(&m, field, 1);
	put_message(&p->out, PROFILE_MAPPING, &m);
	return id;
}

static uint64_t function_of(struct pprof *p, const struct trace_frame *frame)
{
	char name[512], key[1024];
	struct buffer m = { 0 };
	size_t known = p->functions.nr;
	uint64_t id;

	sites_short(frame, name, sizeof(name));
	snprintf(key, sizeof(key), "%s\n%s", name, frame->file);
	id = number_of(p, &p->functions, key) + 1;
	if (p->functions.nr == known)
		return id;
	put_number(&m, FUNCTION_ID, id);
	put_number(&m, FUNCTION_NAME, string_of(p, name));
	put_number(&m, FUNCTION_SYSTEM_NAME, string_of(p, name));
	put_number(&m, FUNCTION_FILE, string_of(p, frame->file));
	put_message(&p->out, PROFILE_FUNCTION, &m);
	return id;
}

static uint64_t location_of(struct pprof *p, uint32_t pid, uint64_t address)
{
	struct trace_frame frame[MAX_INLINED];
	struct buffer m = { 0 }, line = { 0 };
	size_t known = p->locations.nr, nr;
	char key[64];
	uint64_t id;

	snprintf(key, sizeof(key), "%u:%" PRIx64, pid, address);
	id = number_of(p, &p->locations, key) + 1;
	if (p->locations.nr == known)
		return id;
	nr = trace_symbolize(p->an->trace, pid, address, frame, MAX_INLINED);
	put_number(&m, LOCATION_ID, id);
	put_number(&m, LOCATION_MAPPING, mapping_of(p, nr ? frame[nr - 1].module : NULL));
	put_number(&m, LOCATION_ADDRESS, address);
	for (size_t i = 0; i < nr; i++) {
		put_number(&line, LINE_FUNCTION, function_of(p, &frame[i]));
		put_number(&line, LINE_LINE, frame[i].line);
		put_message(&m, LOCATION_LINE, &line);
	}
	put_message(&p->out, PROFILE_LOCATION, &m);
	return id;
}

/* What has no stack stands under its label, as a function without an address. */
static uint64_t location_of_label(struct pprof *p, const char *label)
{
	const struct trace_frame frame = { .function = label, .file = "" };
	struct buffer m = { 0 }, line = { 0 };
	size_t known = p->locations.nr;
	uint64_t id = number_of(p, &p->locations, label) + 1;

	if (p->locations.nr == known)
		return id;
	put_number(&m, LOCATION_ID, id);
	put_number(&line, LINE_FUNCTION, function_of(p, &frame));
	put_message(&m, LOCATION_LINE, &line);
	put_message(&p->out, PROFILE_LOCATION, &m);
	return id;
}

/* ---- samples --------------------------------------------------------------------------- */

static void put_values(const struct pprof *p, struct buffer *m, const struct stats *s)
{
	bool peak = p->weight == RANK_PEAK;
	struct buffer values = { 0 };

	put_varint(&values, s->allocs);
	put_varint(&values, s->bytes);
	put_varint(&values, peak ? s->peak_objects : s->live_objects);
	put_varint(&values, peak ? s->peak_bytes : s->live_bytes);
	put_message(m, SAMPLE_VALUE, &values);
}

static void put_sample(struct pprof *p, const struct group *g)
{
	const struct trace_stack *stack = trace_stack(p->an->trace, g->stack);
	struct buffer m = { 0 }, locations = { 0 }, label = { 0 };

	for (uint32_t i = 0; i < stack->nr; i++)
		put_varint(&locations, location_of(p, stack->pid, stack->address[i]));
	if (!stack->nr)
		put_varint(&locations, location_of_label(p, p->an->sites.site[sites_of(&p->an->sites, g->stack)].label));
	put_message(&m, SAMPLE_LOCATION, &locations);
	put_values(p, &m, &g->stats);
	put_number(&label, LABEL_KEY, string_of(p, "cache"));
	put_number(&label, LABEL_STRING, string_of(p, trace_cache(p->an->trace, g->cache)->name));
	put_message(&m, SAMPLE_LABEL, &label);
	put_message(&p->out, PROFILE_SAMPLE, &m);
}

static void put_type(struct pprof *p, const char *type, const char *unit)
{
	struct buffer m = { 0 };

	put_number(&m, VALUE_TYPE, string_of(p, type));
	put_number(&m, VALUE_UNIT, string_of(p, unit));
	put_message(&p->out, PROFILE_SAMPLE_TYPE, &m);
}

static const char *default_type(enum rank_sort weight)
{
	return weight == RANK_ALLOCS ? "alloc_objects" : weight == RANK_BYTES ? "alloc_space" :
	       weight == RANK_OBJECTS ? "inuse_objects" : "inuse_space";
}

static void put_profile(struct pprof *p)
{
	const struct aggregate *a = &p->an->aggregate;

	string_of(p, "");
	put_type(p, "alloc_objects", "count");
	put_type(p, "alloc_space", "bytes");
	put_type(p, "inuse_objects", "count");
	put_type(p, "inuse_space", "bytes");
	for (size_t i = 0; i < a->nr_groups; i++)
		if (a->group[i].selected)
			put_sample(p, &a->group[i]);
	put_number(&p->out, PROFILE_TIME, p->an->info->start_unix_ns);
	put_number(&p->out, PROFILE_DURATION, p->an->window_ns);
	if (analysis_missing(p->an))
		put_number(&p->out, PROFILE_COMMENT, string_of(p, "events are missing: kmemtrace report says which"));
	put_number(&p->out, PROFILE_DEFAULT_TYPE, string_of(p, default_type(p->weight)));
	for (size_t i = 0; i < p->strings.nr; i++)
		put_block(&p->out, PROFILE_STRING, p->strings.text[i], strlen(p->strings.text[i]));
}

static int write_gzip(const struct buffer *b, FILE *file)
{
	int fd = dup(fileno(file)), error = 0;
	gzFile gz = fd < 0 ? NULL : gzdopen(fd, "wb");

	if (!gz) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	errno = 0;
	for (size_t at = 0; at < b->len && !error; ) {
		unsigned int piece = b->len - at > (1u << 30) ? 1u << 30 : (unsigned int)(b->len - at);

		if (gzwrite(gz, b->data + at, piece) <= 0)
			error = errno ? errno : EIO;
		at += piece;
	}
	if (gzclose(gz) != Z_OK && !error)
		error = errno ? errno : EIO;
	return -error;
}

int export_pprof(struct analysis *an, enum rank_sort weight, FILE *file)
{
	struct pprof p = { .an = an, .weight = weight };
	int err;

	put_profile(&p);
	err = p.failed || p.out.failed ? -ENOMEM : write_gzip(&p.out, file);
	free(p.out.data);
	intern_free(&p.strings);
	intern_free(&p.mappings);
	intern_free(&p.locations);
	intern_free(&p.functions);
	return err;
}
