/* SPDX-License-Identifier: BSD-2-Clause */
/* alternate.c - see alternate.h. An open hash table; entries change, but never leave. */
#include "kmemtrace/alternate.h"

#include <stdlib.h>

#define KEY_SHIFT 2
#define FIRST     4096

/* 62 bits: two keys that are the same cost order, not memory safety. */
static uint64_t key_of(uint32_t pid, bool pages, uint64_t ptr)
{
	uint64_t key = ptr >> 3 ^ (uint64_t)pid << 46 ^ (uint64_t)pages << 45;

	return key << KEY_SHIFT;
}

static size_t slot_of(const struct alternate *a, uint64_t key)
{
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (a->room - 1);

	while (a->words[i] && (a->words[i] >> KEY_SHIFT) << KEY_SHIFT != key)
		i = (i + 1) & (a->room - 1);
	return i;
}

enum alternate_state alternate_get(const struct alternate *a, uint32_t pid, bool pages, uint64_t ptr)
{
	return a->room ? a->words[slot_of(a, key_of(pid, pages, ptr))] & 3 : ALTERNATE_UNKNOWN;
}

static bool grow(struct alternate *a)
{
	struct alternate more = { .nr = a->nr, .room = a->room ? 2 * a->room : FIRST };

	more.words = calloc(more.room, sizeof(*more.words));
	if (!more.words)
		return false;
	for (size_t i = 0; i < a->room; i++)
		if (a->words[i])
			more.words[slot_of(&more, (a->words[i] >> KEY_SHIFT) << KEY_SHIFT)] = a->words[i];
	free(a->words);
	*a = more;
	return true;
}

void alternate_set(struct alternate *a, uint32_t pid, bool pages, uint64_t ptr, enum alternate_state state)
{
	uint64_t key = key_of(pid, pages, ptr), *word;

	if (a->nr >= a->room / 2 && !grow(a) && a->nr + 1 >= a->room) {
		a->failed = true;
		return;
	}
	word = &a->words[slot_of(a, key)];
	a->nr += !*word;
	*word = key | state;
}

void alternate_free(struct alternate *a)
{
	free(a->words);
	*a = (struct alternate){ 0 };
}
