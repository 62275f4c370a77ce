/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of a report about a guarded object. */
#include "support.h"

#include <gnu/libc-version.h>

#include "slab/guard_report.h"

static const struct guard_stack nobody;

static struct guard_object object(uint8_t *addr)
{
	struct guard_object o = { .addr = addr, .name = "kmalloc-32", .size = 32, .number = 7, .in_use = true };

	guard_stack_take(&o.allocated, __builtin_return_address(0));
	return o;
}

static const char *text_of(enum guard_error error, ptrdiff_t off, const struct guard_object *o)
{
	struct guard_stack who;

	guard_stack_take(&who, __builtin_return_address(0));
	capture_start();
	guard_report(error, (uint8_t *)0x100000 + off, o, &who);
	return capture_end();
}

#define SAYS(said, text) cr_expect(strstr(said, text), "\"%s\" is not in:\n%s", text, said)

Test(guard_report, left_inside_and_right)
{
	struct guard_object o = object((uint8_t *)0x100000);

	SAYS(text_of(GUARD_READ_BEYOND, -5, &o), "kmem: Out-of-bounds read at 0xffffb (5B left of guard-#7):\n");
	SAYS(text_of(GUARD_WRITE_BEYOND, 32, &o), "kmem: Out-of-bounds write at 0x100020 (1B right of guard-#7):\n");
	SAYS(text_of(GUARD_WRITE_FREED, 3, &o), "kmem: Use-after-free write at 0x100003 (in guard-#7):\n");
	SAYS(text_of(GUARD_READ_FREED, 0, NULL), "kmem: Use-after-free read at 0x100000:\n");
}

Test(guard_report, the_object_and_its_history)
{
	struct guard_object o = object((uint8_t *)0x100000);
	const char *said = text_of(GUARD_CORRUPTION, 40, &o);

	SAYS(said, "kmem: BUG: KFENCE: memory corruption in guard_report_the_object_and_its_history_impl+0x");
	SAYS(said, "kmem: guard-#7: 0x100000-0x10001f, size=32, cache=kmalloc-32\n");
	SAYS(said, "kmem: allocated by task ");
	cr_expect_null(strstr(said, "freed by"));
	o.freed = o.allocated;
	SAYS(text_of(GUARD_INVALID_FREE, 0, &o), "kmem: freed by task ");
}

Test(guard_report, a_stack_starts_where_the_code_was_interrupted)
{
	struct guard_stack who = nobody;
	const char *said;

	guard_stack_take_at(&who, (uintptr_t)gnu_get_libc_version, 3);
	capture_start();
	guard_report(GUARD_READ_FREED, (void *)0x100000, NULL, &who);
	said = capture_end();
	SAYS(said, "KFENCE: use-after-free read in ");
	SAYS(said, "libc.so.6]");
}
