/* SPDX-License-Identifier: BSD-2-Clause */
/* source.c - reading our own structures without their locks, as an observer outside does. */
#include "entry/source.h"

#include "base/observe.h"
#include "base/symbol.h"

/*
 * Others write meanwhile: each word is as it was before or after, which is all
 * that a snapshot needs. Thread sanitizers are told that this is meant.
 */
__attribute__((no_sanitize("thread"))) static int read_self(void *context, uint64_t addr, void *buf, size_t len)
{
	const volatile uint8_t *from = (const volatile uint8_t *)(uintptr_t)addr;
	uint8_t *to = buf;

	(void)context;
	for (; len >= sizeof(uint64_t) && !((uintptr_t)from % sizeof(uint64_t)); len -= sizeof(uint64_t)) {
		uint64_t word = *(const volatile uint64_t *)(const volatile void *)from;

		memcpy(to, &word, sizeof(word));
		from += sizeof(word);
		to += sizeof(word);
	}
	while (len--)
		*to++ = *from++;
	return 0;
}

static const char *name_own(void *context, uint64_t addr, char *buf, size_t len)
{
	(void)context;
	return symbol_format(buf, len, (const void *)(uintptr_t)addr);
}

struct text_source source_self(void)
{
	return (struct text_source){ &observe_root, read_self, NULL, name_own };
}
