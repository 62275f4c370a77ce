/* SPDX-License-Identifier: BSD-2-Clause */
/* wipe.c - the two switches of wipe.h. */
#include "base/wipe.h"

#include <kmem/slab.h>

#include "base/trace.h"

bool wipe_on_alloc_flag KMEM_STATE, wipe_on_free_flag KMEM_STATE;

static void set(bool *flag, bool on)
{
	if (__atomic_exchange_n(flag, on, __ATOMIC_RELAXED) != on)
		trace_watch(on);
}

KMEM_API void kmem_set_init_on_alloc(bool on)
{
	set(&wipe_on_alloc_flag, on);
}

KMEM_API void kmem_set_init_on_free(bool on)
{
	set(&wipe_on_free_flag, on);
}
