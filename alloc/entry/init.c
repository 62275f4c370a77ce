/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init.c - start and end of the library: layers upwards, then fork handlers.
 *
 * The constructor has the highest priority open to libraries, and the dynamic
 * linker runs it before those of programs and libraries that link this one.
 * libkmem-malloc.so is called even earlier, by the dynamic linker itself, and
 * then initialises on the first malloc().
 */
#include "entry/init.h"

#include <pthread.h>
#include <stdlib.h>

#include <kmem/slab.h>
#include <kmem/strict.h>

#include "base/numa.h"
#include "base/batch.h"
#include "base/fault.h"
#include "base/observe.h"
#include "base/os.h"
#include "base/percpu.h"
#include "base/recent.h"
#include "base/report.h"
#include "base/sample.h"
#include "base/shadow.h"
#include "base/trace.h"
#include "entry/background.h"
#include "entry/control.h"
#include "entry/fork.h"
#include "entry/options.h"
#include "entry/slabinfo.h"
#include "page/alloc.h"
#include "pool/pool.h"
#include "slab/cache.h"
#include "slab/debug_large.h"
#include "slab/debug_options.h"
#include "slab/guard.h"
#include "slab/kfree_rcu.h"
#include "slab/kmalloc.h"
#include "slab/sampling.h"
#include "slab/trim.h"

static bool initialised KMEM_STATE;

static void out_of_address_space(void)
{
	report_bug("cannot reserve address space at start; raise ulimit -v and -d to 512 MiB or more");
}

void kmem_init(void)
{
	if (initialised)
		return;
	initialised = true;
	options_read(secure_getenv("KMEM_OPTIONS"));
	debug_options_set(secure_getenv("KMEM_SLAB_DEBUG"));
	debug_large_setup();
	fault_setup(secure_getenv);
	observe_init();
	/* From here on a recorder may attach that wants the first event, too. */
	observe_root.percpu_shift = KMEM_PERCPU_SHIFT;
	numa_init(kmem_options()->nodes);
	cache_set_random_order(kmem_options()->freelist_random);
	cache_set_merge(kmem_options()->merge);
	/* The arena takes most of what address space there is: last. */
	if (percpu_init(kmem_options()->rseq) || batch_init() || recent_init() || sample_init() || cache_init(os_nr_cpus()) || pool_init() ||
	    page_init(kmem_options(), percpu_nr_cpus()) || kmalloc_init())
		out_of_address_space();
	kfree_rcu_init();
	kmalloc_set_random(kmem_options()->random_kmalloc);
	kmem_set_init_on_alloc(kmem_options()->init_on_alloc);
	kmem_set_init_on_free(kmem_options()->init_on_free);
	kmem_set_strict(kmem_options()->strict);
	observe_root.rseq = percpu_mode();
	observe_root.nr_cpus = percpu_nr_cpus();
	observe_root.percpu[0] = percpu_region(0);
	observe_root.percpu[1] = percpu_region(1);
	observe_root.percpu_bytes = percpu_bytes();
	trim_init(kmem_options()->purge == KMEM_PURGE_DECAY, kmem_options()->purge_ms);
	guard_init(kmem_options()->guard_ms);
	control_init();
	if (sampling_set(kmem_options()->sample))
		report("KMEM_OPTIONS: sample=%zu is too often; use a size of at least %u", kmem_options()->sample,
		       SAMPLE_MIN_INTERVAL);
	if (SHADOW) {
		shadow_init();
		trace_watch(true);
	}
	observe_ready();
}

__attribute__((constructor(101))) static void construct(void)
{
	kmem_init();
	/* For this program, not for those that it starts. */
	unsetenv("KMEM_FAIL_NTH");
	fork_init();
	background_init(kmem_options()->background && kmem_options()->purge == KMEM_PURGE_DECAY, kmem_options()->purge_ms);
}

__attribute__((destructor)) static void at_exit(void)
{
	if (initialised && kmem_options()->stats)
		slabinfo_print(2);
	if (initialised && trace_on(TRACE_BATCH))
		batch_flush();
}
