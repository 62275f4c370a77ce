/* SPDX-License-Identifier: BSD-2-Clause */
/* strict.c - sections that must not block, and allocations that break the rules; see kmem/strict.h. */
#include "base/strict.h"

#include "base/report.h"
#include "base/symbol.h"
#include "base/trace.h"

bool strict_flag KMEM_STATE;

/* Call sites that were reported; a collision only repeats a report. */
static const void *reported[64] KMEM_STATE;

static __thread unsigned int depth;

KMEM_API void kmem_set_strict(bool on)
{
	if (__atomic_exchange_n(&strict_flag, on, __ATOMIC_RELAXED) != on)
		trace_watch(on);
}

KMEM_API void kmem_nonblock_enter(void)
{
	depth++;
}

KMEM_API void kmem_nonblock_leave(void)
{
	if (depth)
		depth--;
	else
		report("BUG: kmem_nonblock_leave() without kmem_nonblock_enter()");
}

static bool first_report(const void *call_site)
{
	const void **slot = &reported[(uintptr_t)call_site / 4 % ARRAY_LEN(reported)];

	return __atomic_exchange_n(slot, call_site, __ATOMIC_RELAXED) != call_site;
}

void strict_check_slow(gfp_t gfp, const void *call_site)
{
	bool sleeps = depth && (gfp & __GFP_DIRECT_RECLAIM);
	bool waits_in_vain = (gfp & __GFP_NOFAIL) && !(gfp & __GFP_DIRECT_RECLAIM);
	char where[128];

	if ((!sleeps && !waits_in_vain) || !first_report(call_site))
		return;
	symbol_format(where, sizeof(where), call_site);
	if (sleeps)
		report("BUG: sleeping function called from invalid context at %s: gfp 0x%x may block, non_block: %u",
		       where, gfp, depth);
	else
		report("BUG: __GFP_NOFAIL without __GFP_DIRECT_RECLAIM at %s: gfp 0x%x", where, gfp);
	report_misuse_end(false);
}

KMEM_API void kmem_might_alloc(gfp_t gfp)
{
	strict_check(gfp, __builtin_return_address(0));
}
