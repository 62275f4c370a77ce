/* SPDX-License-Identifier: BSD-2-Clause */
/* debug_options.c - the grammar of KMEM_SLAB_DEBUG; see debug_options.h. */
#include "slab/debug_options.h"

#include <kmem/page.h>

#include "base/base.h"
#include "base/report.h"

static struct {
	char text[1024];     /* blocks with lists; empty when there are none */
	slab_flags_t global;
	bool keep_order;     /* O */
} options KMEM_STATE;

/* One block: letters, and the list behind their comma (NULL: none), which ends at `end`. */
struct block {
	slab_flags_t flags;
	bool keep_order;
	const char *list, *end;
};

static slab_flags_t flag_of(char letter)
{
	switch (letter | 0x20) {
	case 'f': return SLAB_CONSISTENCY_CHECKS;
	case 'z': return SLAB_RED_ZONE;
	case 'p': return SLAB_POISON;
	case 'u': return SLAB_STORE_USER;
	case 't': return SLAB_TRACE;
	case 'a': return SLAB_FAILSLAB;
	default: return 0;
	}
}

static void parse_letters(struct block *b, const char *at, const char *end, bool complain)
{
	/* A list without letters: the default for these caches. */
	if (at == end)
		b->flags = SLAB_DEBUG_DEFAULT;
	for (; at < end; at++) {
		slab_flags_t flag = flag_of(*at);

		if (*at == '-')
			b->flags = 0;
		else if (flag)
			b->flags |= flag;
		else if ((*at | 0x20) == 'o')
			b->keep_order = true;
		else if (complain)
			report("KMEM_SLAB_DEBUG: option '%c' unknown, skipped; known: F Z P U T A O -", *at);
	}
}

/* The block that starts at `at`. Return: where the next one starts, NULL behind the last. */
static const char *parse_block(struct block *b, const char *at, bool complain)
{
	const char *letters_end;

	at += strspn(at, ";");
	*b = (struct block){ .end = at + strcspn(at, ";") };
	letters_end = at + strcspn(at, ",;");
	if (*letters_end == ',')
		b->list = letters_end + 1;
	parse_letters(b, at, letters_end, complain);
	at = b->end + strspn(b->end, ";");
	return *at ? at : NULL;
}

void debug_options_set(const char *text)
{
	bool has_list = false, has_global = false;
	struct block b;

	memset(&options, 0, sizeof(options));
	if (!text)
		return;
	options.global = SLAB_DEBUG_DEFAULT;
	if (!*text)
		return;
	if (strlen(text) >= sizeof(options.text))
		report("KMEM_SLAB_DEBUG: longer than %zu characters, the rest is ignored", sizeof(options.text) - 1);
	report_format(options.text, sizeof(options.text), "%s", text);
	for (text = options.text; text;) {
		text = parse_block(&b, text, true);
		options.keep_order |= b.keep_order;
		has_list |= b.list != NULL;
		if (b.list)
			continue;
		has_global = true;
		options.global = b.flags;
	}
	/* Lists only: the other caches stay as they are. */
	if (has_list && !has_global)
		options.global = 0;
	if (!has_list)
		options.text[0] = '\0';
}

static bool list_has(const struct block *b, const char *name)
{
	const char *at = b->list;

	while (at < b->end) {
		size_t len = strcspn(at, ",;"), prefix = strcspn(at, ",;*");

		if (prefix < len ? !strncmp(name, at, prefix) : strlen(name) == len && !memcmp(name, at, len))
			return true;
		at += len + 1;
	}
	return false;
}

slab_flags_t debug_options_apply(const char *name, slab_flags_t flags)
{
	const char *at = options.text[0] ? options.text : NULL;
	slab_flags_t global = options.global;
	struct block b;

	if (flags & SLAB_NO_USER_FLAGS)
		return flags;
	/* A debugging tool's own caches: stacks only when asked for by name. */
	if (flags & SLAB_NOLEAKTRACE)
		global &= ~SLAB_STORE_USER;
	while (at) {
		at = parse_block(&b, at, false);
		if (b.list && list_has(&b, name))
			return flags | b.flags;
	}
	return flags | global;
}

static unsigned int order_of(size_t bytes)
{
	return bytes <= PAGE_SIZE ? 0 : fls64((bytes - 1) >> PAGE_SHIFT);
}

bool debug_options_layout(struct geometry *g, struct geometry_args *a)
{
	if (!geometry_compute_kernel(g, a))
		return false;
	if (!options.keep_order || order_of(g->size) <= order_of(a->object_size))
		return true;
	a->flags &= ~SLAB_DEBUG_METADATA;
	return geometry_compute_kernel(g, a);
}
