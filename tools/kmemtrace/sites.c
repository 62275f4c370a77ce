/* SPDX-License-Identifier: BSD-2-Clause */
/* sites.c - see sites.h. */
#include "kmemtrace/sites.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_BYTES 512
#define FIRST_ROOM  512u

/*
 * Functions that only pass a request on, by the names that programs give them:
 * xmalloc, zcalloc, ztrymalloc_usable, g_malloc0, sqlite3MemMalloc, operator new,
 * a C++ container's allocator, kernel style kvmalloc_node.
 */
static const char wrappers[] =
	"^_*[a-z0-9_]*(m|c|z|kz|re|mem|k|kv|v)alloc(ate|ate_at_least|ator|0|z|x|array|_n|_array|_bulk|_node|_noprof|_fn|_hook|_internal|_usable|_safe|_zero|_nothrow)*(\\.[a-z0-9.]+)?$"
	"|^_*[a-z]*(strn?dup|memdup|posix_memalign|aligned_alloc|memalign)(_[a-z]+)?$"
	"|^sqlite3(Db)?(Mem)?(Malloc|Realloc)[A-Za-z]*$"
	"|^ggc_[a-z_]*alloc[a-z_]*$"
	"|^operator new|^_Zn[wa][a-z]"
	"|^(_ZN9__gnu_cxx(13|15)(new|__new)_allocator|_ZNSt(16allocator_traits|9allocator|15__new_allocator)|_ZNSt[a-zA-Z0-9_]*_M_(allocate|create))"
	"|^(__gnu_cxx::(__)?new_allocator|std::(__)?(new_)?allocator)";

/* ---- texts ---------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *sites_short(const struct trace_frame *frame, char *buf, size_t len)
{
	if (frame->function[0])
		snprintf(buf, len, "%s", frame->function);
	else if (frame->module)
		snprintf(buf, len, "[%s+0x%" PRIx64 "]", frame->module->name, frame->offset);
	else
		snprintf(buf, len, "0x%" PRIx64, frame->offset);
	return buf;
}

const char *sites_long(const struct trace_frame *frame, char *buf, size_t len)
{
	if (!frame->function[0])
		return sites_short(frame, buf, len);
	if (frame->line)
		snprintf(buf, len, "%s %s:%u", frame->function, base_name(frame->file), frame->line);
	else if (frame->module)
		snprintf(buf, len, "%s+0x%" PRIx64 " [%s]", frame->function, frame->offset, frame->module->name);
	else
		snprintf(buf, len, "%s+0x%" PRIx64, frame->function, frame->offset);
	return buf;
}

static const char *in_each_build(const struct trace_frame *frame, char *buf, size_t len)
{
	if (frame->function[0] && frame->module)
		snprintf(buf, len, "%s [%s]", frame->function, frame->module->name);
	else
		sites_short(frame, buf, len);
	return buf;
}

/* ---- the table ------------------------------------------------------------------------ */

static bool grow(struct sites *s)
{
	size_t room = s->room ? s->room * 2 : FIRST_ROOM;
	struct site *site = realloc(s->site, room * sizeof(*site));

	if (!site)
		return false;
	s->site = site;
	s->room = room;
	return true;
}

/* The number of the site with this label; 0, which always is there, when memory ends. */
static uint32_t number_of(struct sites *s, const char *label, const char *function, const struct trace_module *module)
{
	uint32_t number;
	char *copy;

	if (s->nr == s->room && !grow(s))
		return 0;
	copy = strdup(function);
	number = copy ? intern(&s->labels, label) : INTERN_FAILED;
	if (number == INTERN_FAILED || number < s->nr) {
		free(copy);
		return number == INTERN_FAILED ? 0 : number;
	}
	s->site[s->nr++] = (struct site){ .label = s->labels.text[number], .function = copy, .module = module };
	return number;
}

int sites_init(struct sites *s, struct trace *trace, const char *skip, char *err, size_t len)
{
	const char *expressions[2] = { wrappers, skip };

	memset(s, 0, sizeof(*s));
	s->trace = trace;
	for (int i = 0; i < 2; i++) {
		int ret = expressions[i] ? regcomp(&s->skip[i], expressions[i], REG_EXTENDED | REG_NOSUB) : 0;
		char why[128];

		if (ret) {
			regerror(ret, &s->skip[i], why, sizeof(why));
			snprintf(err, len, "'%s' is no regular expression: %s", expressions[i], why);
			return -EINVAL;
		}
		s->skips[i] = expressions[i];
	}
	s->of_stack = calloc((size_t)trace_nr_stacks(trace) + 1, sizeof(*s->of_stack));
	if (!s->of_stack || !grow(s)) {
		snprintf(err, len, "out of memory");
		return -ENOMEM;
	}
	number_of(s, "(not known)", "(not known)", NULL);
	s->before = number_of(s, "(before the recording)", "(before the recording)", NULL);
	return 0;
}

void sites_close(struct sites *s)
{
	for (int i = 0; i < 2; i++)
		if (s->skips[i])
			regfree(&s->skip[i]);
	for (size_t i = 0; i < s->nr; i++)
		free(s->site[i].function);
	free(s->site);
	intern_free(&s->labels);
	free(s->of_stack);
	memset(s, 0, sizeof(*s));
}

/* ---- stacks --------------------------------------------------------------------------- */

size_t sites_frames(struct sites *s, uint32_t stack, struct trace_frame *frame, size_t max)
{
	const struct trace_stack *addresses = trace_stack(s->trace, stack);
	size_t nr = 0;

	for (uint32_t i = 0; i < addresses->nr && nr < max; i++)
		nr += trace_symbolize(s->trace, addresses->pid, addresses->address[i], frame + nr, max - nr);
	return nr;
}

bool sites_is_wrapper(const struct sites *s, const char *function)
{
	if (!function[0])
		return false;
	for (int i = 0; i < 2; i++)
		if (s->skips[i] && !regexec(&s->skip[i], function, 0, NULL, 0))
			return true;
	return false;
}

/* How many frames on top are wrappers; none if all are. */
static size_t nr_wrappers(const struct sites *s, const struct trace_frame *frame, size_t nr)
{
	size_t i = 0;

	while (i < nr && sites_is_wrapper(s, frame[i].function))
		i++;
	return i < nr ? i : 0;
}

size_t sites_frames_from_site(struct sites *s, uint32_t stack, struct trace_frame *frame, size_t max)
{
	size_t nr = sites_frames(s, stack, frame, max), skip = nr_wrappers(s, frame, nr);

	memmove(frame, frame + skip, (nr - skip) * sizeof(*frame));
	return nr - skip;
}

uint32_t sites_of(struct sites *s, uint32_t stack)
{
	struct trace_frame frame[SITES_FRAMES];
	char label[LABEL_BYTES], function[LABEL_BYTES];

	if (stack == SITES_BEFORE)
		return s->before;
	if (stack >= trace_nr_stacks(s->trace))
		return 0;
	if (!s->of_stack[stack]) {
		uint32_t site = 0;

		if (sites_frames_from_site(s, stack, frame, SITES_FRAMES))
			site = number_of(s, sites_long(&frame[0], label, sizeof(label)),
					 in_each_build(&frame[0], function, sizeof(function)), frame[0].module);
		if (site)
			s->site[site].wrapper = sites_is_wrapper(s, frame[0].function);
		s->of_stack[stack] = site + 1;
	}
	return s->of_stack[stack] - 1;
}
