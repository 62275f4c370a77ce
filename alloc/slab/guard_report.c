/* SPDX-License-Identifier: BSD-2-Clause */
/* guard_report.c - reports about guarded objects; see guard_report.h. */
#include "slab/guard_report.h"

#include "base/depot.h"
#include "base/os.h"
#include "base/percpu.h"
#include "base/report.h"
#include "base/stack.h"
#include "base/symbol.h"

#define LINE "=================================================================="

static void describe_thread(struct guard_stack *who)
{
	who->when_ns = os_now_ns();
	who->tid = os_gettid();
	who->cpu = percpu_this_cpu();
}

void guard_stack_take(struct guard_stack *who, const void *call_site)
{
	uint64_t frame[STACK_FRAMES];

	who->handle = depot_save(frame, stack_capture(call_site, frame, STACK_FRAMES));
	describe_thread(who);
}

void guard_stack_take_at(struct guard_stack *who, uintptr_t pc, uintptr_t frame_pointer)
{
	uint64_t frame[STACK_FRAMES];

	who->handle = depot_save(frame, stack_capture_at(pc, frame_pointer, frame, STACK_FRAMES));
	describe_thread(who);
}

static void print_stack(uint32_t handle)
{
	const struct kmem_depot_record *stack = depot_stack(handle);
	char name[256];
	uint32_t i;

	for (i = 0; stack && i < stack->nr; i++)
		report(" %s", symbol_format(name, sizeof(name), (const void *)(uintptr_t)stack->frame[i]));
}

static const char *where(const struct guard_stack *who, char *buf, size_t bytes)
{
	const struct kmem_depot_record *stack = depot_stack(who->handle);

	return stack ? symbol_format(buf, bytes, (const void *)(uintptr_t)stack->frame[0]) : "?";
}

/* "(1B left of guard-#72)" */
static void print_access(const char *what, const uint8_t *addr, const struct guard_object *o)
{
	if (!o)
		report("%s at %p:", what, (const void *)addr);
	else if (addr < o->addr)
		report("%s at %p (%zuB left of guard-#%u):", what, (const void *)addr, (size_t)(o->addr - addr), o->number);
	else if (addr >= o->addr + o->size)
		report("%s at %p (%zuB right of guard-#%u):", what, (const void *)addr,
		       (size_t)(addr - o->addr) - o->size + 1, o->number);
	else
		report("%s at %p (in guard-#%u):", what, (const void *)addr, o->number);
}

static void print_history(const char *what, const struct guard_stack *who)
{
	report("%s by task %d on cpu %u at %lu.%06lus:", what, who->tid, who->cpu, who->when_ns / 1000000000,
	       who->when_ns / 1000 % 1000000);
	print_stack(who->handle);
	report("%s", "");
}

static void print_object(const struct guard_object *o)
{
	report("guard-#%u: %p-%p, size=%u, cache=%s", o->number, (void *)o->addr, (void *)(o->addr + o->size - 1), o->size,
	       o->name);
	report("%s", "");
	print_history("allocated", &o->allocated);
	if (o->freed.when_ns)
		print_history("freed", &o->freed);
}

void guard_report(enum guard_error error, const void *addr, const struct guard_object *o,
		  const struct guard_stack *who)
{
	static const char *const title[][2] = {
		[GUARD_READ_BEYOND] = { "out-of-bounds read", "Out-of-bounds read" },
		[GUARD_WRITE_BEYOND] = { "out-of-bounds write", "Out-of-bounds write" },
		[GUARD_READ_FREED] = { "use-after-free read", "Use-after-free read" },
		[GUARD_WRITE_FREED] = { "use-after-free write", "Use-after-free write" },
		[GUARD_INVALID_FREE] = { "invalid free", "Invalid free" },
		[GUARD_CORRUPTION] = { "memory corruption", "Corrupted memory" },
	};
	char name[256];

	report(LINE);
	report("BUG: KFENCE: %s in %s", title[error][0], where(who, name, sizeof(name)));
	report("%s", "");
	print_access(title[error][1], addr, o);
	print_stack(who->handle);
	report("%s", "");
	if (o && o->addr)
		print_object(o);
	report("CPU: %u PID: %d", who->cpu, who->tid);
	report(LINE);
	report_misuse_end(false);
}
