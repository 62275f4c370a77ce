/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe.c - the root that readers find, and the ELF note that leads to it.
 *
 * The note's offset is relative to itself and within one module, so the linker
 * resolves it: it is right in a shared library, a static program, a deleted
 * file and a core dump alike, and strip(1) keeps it.
 */
#include "base/observe.h"

#include <errno.h>

#include "base/base.h"
#include "base/os.h"
#include "base/report.h"
#include "base/trace.h"

struct kmem_observe observe_root KMEM_STATE_SET = { .magic = KMEM_OBSERVE_MAGIC };

struct kmem_control observe_control KMEM_STATE;

static observe_handler *control_handler KMEM_STATE;
static bool control_busy KMEM_STATE;
static void (*call_errand)(void) KMEM_STATE;
static uint64_t called_cycles KMEM_STATE;
bool observe_errand_due KMEM_STATE;

extern char __start_kmem_state[] __attribute__((visibility("hidden")));
extern char __stop_kmem_state[] __attribute__((visibility("hidden")));
extern char __start_kmem_state_set[] __attribute__((visibility("hidden")));
extern char __stop_kmem_state_set[] __attribute__((visibility("hidden")));

/* Since the last call: 0.1 to 0.5 ms. A clock might be a system call. */
#define QUIET_CYCLES (UINT64_C(1) << 19)

#define STRING_(x) #x
#define STRING(x)  STRING_(x)
#define OBSERVE_BYTES 352

_Static_assert(sizeof(struct kmem_observe) == OBSERVE_BYTES, "the note below carries the size");
_Static_assert(KMEM_OBSERVE_VERSION == 4 && KMEM_OBSERVE_NOTE == 1, "the note below carries both");

__asm__(".pushsection .note.slabscope, \"a\", @note\n\t"
	".balign 4\n\t"
	".long 10, 16, 1\n\t" /* bytes of name and descriptor, KMEM_OBSERVE_NOTE */
	".asciz \"" KMEM_OBSERVE_OWNER "\"\n\t"
	".balign 4\n\t"
	".long 4, " STRING(OBSERVE_BYTES) "\n\t" /* KMEM_OBSERVE_VERSION, size of the root */
	".quad observe_root - .\n\t"
	".popsection\n");

static struct kmem_black_range black[48] KMEM_STATE;

void observe_black(const char *name, const void *start, const void *end)
{
	struct kmem_black_range *range = &black[observe_root.nr_black];

	BUG_ON(observe_root.nr_black == ARRAY_LEN(black));
	range->start = (uintptr_t)start;
	range->end = (uintptr_t)end;
	report_format(range->name, sizeof(range->name), "%s", name);
	observe_root.black = (uintptr_t)black;
	observe_root.nr_black++;
}

void observe_init(void)
{
	struct kmem_observe *root = &observe_root;

	root->version = KMEM_OBSERVE_VERSION;
	root->size = sizeof(*root);
	root->cache_bytes = sizeof(struct kmem_cache);
	root->node_bytes = sizeof(struct kmem_cache_node);
	root->page_desc_bytes = sizeof(struct page);
	root->zone_bytes = sizeof(struct kmem_zone);
	root->pcp_bytes = sizeof(struct kmem_pcp);
	root->slot_header_bytes = sizeof(struct kmem_slot);
	root->sheaf_header_bytes = sizeof(struct kmem_sheaf);
	memcpy(root->release, SLABSCOPE_VERSION, sizeof(SLABSCOPE_VERSION));
	root->init_ns = os_now_ns();
	observe_black("kmem state", __start_kmem_state, __stop_kmem_state);
	observe_black("kmem state set", __start_kmem_state_set, __stop_kmem_state_set);
}

void observe_set_control(observe_handler *handler)
{
	control_handler = handler;
	observe_root.control = (uintptr_t)&observe_control;
	observe_root.attention[0] = (uintptr_t)&trace_semaphore[TRACE_KMEM_CACHE_ALLOC].asked;
	observe_root.attention[1] = (uintptr_t)&trace_semaphore[TRACE_KMALLOC].asked;
}

void observe_set_errand(void (*errand)(void))
{
	WRITE_ONCE(call_errand, errand);
}

static void set_words(uint16_t value)
{
	WRITE_ONCE(trace_semaphore[TRACE_KMEM_CACHE_ALLOC].asked, value);
	WRITE_ONCE(trace_semaphore[TRACE_KMALLOC].asked, value);
}

void observe_call(void)
{
	if (!READ_ONCE(call_errand))
		return;
	WRITE_ONCE(called_cycles, __builtin_ia32_rdtsc());
	if (READ_ONCE(observe_errand_due))
		return;
	WRITE_ONCE(observe_errand_due, true);
	set_words(UINT16_MAX);
}

/* The words first: who asks from outside sets them after the request, which is looked at after this. */
static void run_errand(void)
{
	void (*errand)(void) = READ_ONCE(call_errand);

	set_words(0);
	if (!__atomic_exchange_n(&observe_errand_due, false, __ATOMIC_ACQ_REL) || !errand)
		return;
	if (__builtin_ia32_rdtsc() - READ_ONCE(called_cycles) >= QUIET_CYCLES)
		errand();
}

/* One thread does it; what the handler allocates does not come here again. */
cold void observe_control_run(void)
{
	struct kmem_control ask;

	if (READ_ONCE(observe_errand_due))
		run_errand();
	if (READ_ONCE(observe_control.request) == READ_ONCE(observe_control.done))
		return;
	if (!control_handler || __atomic_exchange_n(&control_busy, true, __ATOMIC_ACQUIRE))
		return;
	ask.request = __atomic_load_n(&observe_control.request, __ATOMIC_ACQUIRE);
	memcpy(&ask, &observe_control, sizeof(ask));
	ask.attribute[sizeof(ask.attribute) - 1] = '\0';
	observe_control.result = ask.token == ask.request ?
		control_handler(ask.cache_id, ask.attribute, ask.value) : -EAGAIN;
	/* Before the answer: the next writer sets them again. */
	set_words(0);
	__atomic_store_n(&observe_control.done, ask.request, __ATOMIC_RELEASE);
	__atomic_store_n(&control_busy, false, __ATOMIC_RELEASE);
}

void observe_after_fork(void)
{
	control_busy = false;
}

void observe_ready(void)
{
	__atomic_store_n(&observe_root.state, 1, __ATOMIC_RELEASE);
}
