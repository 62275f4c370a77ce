/* SPDX-License-Identifier: BSD-2-Clause */
/* debug_report.c - what a report looks like; see debug_report.h. */
#include "slab/debug_report.h"

#include "base/depot.h"
#include "base/os.h"
#include "base/percpu.h"
#include "base/stack.h"
#include "base/symbol.h"
#include "slab/debug_layout.h"

#define HEX_ROW 16u

__thread const void *debug_call_site;

static bool tainted KMEM_STATE;

static void count_error(struct kmem_cache *s)
{
	__atomic_fetch_add(&s->errors, 1, __ATOMIC_RELAXED);
}

void debug_title(const char *name, const char *what)
{
	report("=============================================================================");
	report("BUG %s (%s): %s", name, tainted ? "Tainted: B" : "Not tainted", what);
	report("-----------------------------------------------------------------------------");
	report("%s", "");
	tainted = true;
}

void debug_bug(struct kmem_cache *s, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	report_vformat(what, sizeof(what), format, args);
	va_end(args);
	count_error(s);
	debug_title(s->name, what);
}

void debug_fix(struct kmem_cache *s, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	report_vformat(what, sizeof(what), format, args);
	va_end(args);
	count_error(s);
	report("FIX %s: %s", s->name, what);
}

/* ---- pieces ---- */

void debug_hex(const char *name, const void *start, size_t bytes)
{
	const uint8_t *at = start;
	size_t row, i;

	for (row = 0; row < bytes; row += HEX_ROW) {
		size_t nr = MIN(bytes - row, (size_t)HEX_ROW);
		char hex[3 * HEX_ROW + 1], text[HEX_ROW + 1];

		for (i = 0; i < nr; i++) {
			uint8_t byte = at[row + i];

			report_format(hex + 3 * i, 4, "%02x ", (unsigned int)byte);
			text[i] = byte >= ' ' && byte <= '~' ? (char)byte : '.';
		}
		text[nr] = '\0';
		report("%-8s %016lx: %-48s %s", name, (unsigned long)(uintptr_t)(at + row), hex, text);
	}
}

static void print_frames(const uint64_t *frame, unsigned int nr)
{
	char name[256];
	unsigned int i;

	for (i = 0; i < nr; i++)
		report(" %s", symbol_format(name, sizeof(name), (const void *)(uintptr_t)frame[i]));
}

void debug_stored_stack(const char *what, uint32_t handle)
{
	const struct kmem_depot_record *stack = depot_stack(handle);
	char name[256];

	if (!stack)
		return;
	report("%s %s", what, symbol_format(name, sizeof(name), (const void *)(uintptr_t)stack->frame[0]));
	print_frames(stack->frame, stack->nr);
}

static void print_track(const char *what, const struct kmem_track *track)
{
	const struct kmem_depot_record *stack = depot_stack(track->handle);
	char name[256];

	if (!track->call_site)
		return;
	report("%s in %s age=%lu cpu=%d pid=%d", what,
	       symbol_format(name, sizeof(name), (const void *)(uintptr_t)track->call_site),
	       (os_now_ns() - track->when_ns) / 1000000, track->cpu, track->tid);
	if (stack)
		print_frames(stack->frame, stack->nr);
}

void debug_tracks(const struct kmem_cache *s, const void *object)
{
	const struct kmem_track *track = debug_track_of(s, object);

	if (!track)
		return;
	print_track("Allocated", &track[TRACK_ALLOC]);
	print_track("Freed", &track[TRACK_FREE]);
}

void debug_slab_line(const struct page *slab)
{
	report("Slab %p objects=%u used=%u fp=%p flags=0x%x", page_to_addr(slab), slab->objects, slab->inuse,
	       (void *)(uintptr_t)slab->freelist, slab->flags);
}

void debug_stack(void)
{
	uint64_t frame[STACK_FRAMES];
	const void *site = debug_call_site ? debug_call_site : __builtin_return_address(0);
	char comm[32];
	long len = os_read_file("/proc/self/comm", comm, sizeof(comm));

	if (len > 0 && comm[len - 1] == '\n')
		comm[len - 1] = '\0';
	report("CPU: %u PID: %d Comm: %s", percpu_this_cpu(), os_gettid(), len > 0 ? comm : "?");
	report("Call Trace:");
	print_frames(frame, stack_capture(site, frame, STACK_FRAMES));
}

/* ---- trailers ---- */

static void print_sections(const struct kmem_cache *s, const struct page *slab, const uint8_t *object)
{
	const uint8_t *start = page_to_addr(slab), *end = start + ((size_t)slab->nr_pages << PAGE_SHIFT);
	uint32_t room = s->size - s->red_left_pad;

	/* A pointer that is no object's may lie near an end of the slab. */
	if (s->flags & SLAB_RED_ZONE && object - start >= s->red_left_pad)
		debug_hex("Redzone", object - s->red_left_pad, s->red_left_pad);
	else if (!(s->flags & SLAB_RED_ZONE) && object - start > 16)
		debug_hex("Bytes b4", object - 16, 16);
	debug_hex("Object", object, MIN((size_t)MIN(s->object_size, (uint32_t)PAGE_SIZE), (size_t)(end - object)));
	if (object + room > end)
		return;
	if (s->flags & SLAB_RED_ZONE)
		debug_hex("Redzone", object + s->object_size, s->inuse - s->object_size);
	if (s->info_end != room)
		debug_hex("Padding", object + s->info_end, room - s->info_end);
}

void debug_trailer(const struct kmem_cache *s, const struct page *slab, const void *object)
{
	const uint8_t *start = page_to_addr(slab);
	bool valid = debug_is_object(s, slab, object);

	if (valid)
		debug_tracks(s, object);
	debug_slab_line(slab);
	report("Object %p @offset=%zu fp=%p", object, (size_t)((const uint8_t *)object - start),
	       valid ? debug_get_free(s, object) : NULL);
	report("%s", "");
	print_sections(s, slab, object);
	debug_stack();
	report_misuse_end(false);
}

void debug_slab_trailer(const struct page *slab)
{
	if (slab)
		debug_slab_line(slab);
	debug_stack();
	report_misuse_end(false);
}
