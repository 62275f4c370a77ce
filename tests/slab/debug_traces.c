/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_traces and free_traces: the kernel's format, grouped and sorted. */
#include "support.h"

#include <errno.h>
#include <kmem/debug.h>

#include "slab/debug.h"
#include "slab/watch.h"

#pragma GCC optimize("no-omit-frame-pointer", "no-optimize-sibling-calls")

static char text[1 << 16];

static struct kmem_cache *tracked(slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create("tracked", 64, 0, SLAB_STORE_USER | SLAB_NO_USER_FLAGS | flags, NULL);

	cr_assert(s);
	return s;
}

static noinline void *often(struct kmem_cache *s)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	__asm__ volatile("" ::: "memory");
	return p;
}

static noinline void *seldom(struct kmem_cache *s)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	__asm__ volatile("nop" ::: "memory"); /* or else the linker takes the two for one */
	return p;
}

Test(debug_traces, without_u_there_are_none)
{
	struct kmem_cache *s = kmem_cache_create("plain", 64, 0, SLAB_POISON | SLAB_NO_USER_FLAGS, NULL);

	cr_expect_eq(kmem_cache_alloc_traces(s, text, sizeof(text)), -EINVAL);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug_traces, an_empty_cache_has_no_data)
{
	struct kmem_cache *s = tracked(0);

	cr_expect_eq(kmem_cache_alloc_traces(s, text, sizeof(text)), 8);
	cr_expect_str_eq(text, "No data\n");
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug_traces, most_frequent_first_with_stacks)
{
	struct kmem_cache *s = tracked(0);
	void *object[12];
	const char *first, *second;
	unsigned int i, off, size;
	unsigned long age;
	int pid, end = 0;

	for (i = 0; i < 10; i++)
		object[i] = often(s);
	for (i = 10; i < 12; i++) {
		object[i] = seldom(s);
		__asm__ volatile("" : "+r"(i)); /* one call in a loop, not two */
	}
	cr_assert_lt(kmem_cache_alloc_traces(s, text, sizeof(text)), (long)sizeof(text));
	first = strstr(text, "     10 often+0x");
	second = strstr(text, "      2 seldom+0x");
	cr_assert(first && second && first == text && second > first, "%s", text);
	cr_expect_geq(sscanf(first, " 10 often+%x/%x age=%lu", &off, &size, &age), 3, "%s", text);
	cr_expect_geq(sscanf(strstr(second, " pid="), " pid=%d cpus=%n", &pid, &end), 1);
	cr_expect_eq(pid, getpid());
	cr_expect_not_null(strstr(first, "\n        often+0x"), "the stack");
	cr_expect_not_null(strstr(first, "\n        debug_traces_most_frequent_first"), "and its callers:\n%s", text);
	for (i = 0; i < 12; i++)
		kmem_cache_free(s, object[i]);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug_traces, waste_is_what_was_not_asked_for)
{
	struct kmem_cache *s = tracked(SLAB_KMALLOC);
	const struct slab_request request = { GFP_KERNEL, -1, 40, __builtin_return_address(0) };
	void *a = watch_alloc(s, &request), *b = watch_alloc(s, &request);

	kmem_cache_alloc_traces(s, text, sizeof(text));
	cr_expect_not_null(strstr(text, " waste=48/24 age="), "%s", text);
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug_traces, free_traces_are_of_objects_in_use_again)
{
	struct kmem_cache *s = tracked(0);
	void *p = often(s), *fresh;

	kmem_cache_free(s, p);
	cr_expect_eq(often(s), p);
	fresh = seldom(s);
	kmem_cache_free_traces(s, text, sizeof(text));
	cr_expect_not_null(strstr(text, "      1 debug_traces_free_traces_are_of_objects_in_use_again"), "%s", text);
	cr_expect_not_null(strstr(text, "      1 <not-available> age=0 pid=0"), "%s", text);
	kmem_cache_free(s, p);
	kmem_cache_free(s, fresh);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(debug_traces, a_short_buffer_gets_the_beginning)
{
	struct kmem_cache *s = tracked(0);
	void *p = often(s);
	char small[10];
	unsigned int tries;
	long whole, again;

	/* An age may gain a digit between two calls. */
	for (tries = 0; tries < 10; tries++) {
		whole = kmem_cache_alloc_traces(s, text, sizeof(text));
		again = kmem_cache_alloc_traces(s, small, sizeof(small));
		if (again == whole && kmem_cache_alloc_traces(s, NULL, 0) == whole)
			break;
	}
	cr_expect(tries < 10);
	cr_expect_eq(strlen(small), 9);
	cr_expect(!strncmp(small, text, 9));
	kmem_cache_free(s, p);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}
