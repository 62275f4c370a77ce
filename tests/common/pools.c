/* SPDX-License-Identifier: BSD-2-Clause */
/* pools.c - tests of tools/common/pools.c: tables in this process, right, gone and damaged. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/heap.h"
#include "common/pools.h"

static const struct row_source source = { .kind = ROW_PROCESS, .pid = 7, .label = "x:7" };

static struct kmem_mempool mempools[3];
static struct kmem_genpool genpools[2];
static struct kmem_mp_pool regions[2];
static struct {
	struct kmem_genpool_chunk chunk;
	uint64_t bits[4];
} old, new;
static struct kmem_pools tables;
static struct heap heap;
static struct pools found;

/* A target that is this process. */
static int read_self(struct target *t, struct target_range *ranges, size_t nr)
{
	int failed = 0;

	(void)t;
	for (size_t i = 0; i < nr; i++) {
		struct iovec local = { ranges[i].buf, ranges[i].len }, remote = { (void *)ranges[i].addr, ranges[i].len };

		ranges[i].error = process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)ranges[i].len ? 0 : -EFAULT;
		failed += ranges[i].error != 0;
	}
	return failed;
}

static const struct target_ops ops = { .readv = read_self };
static struct target target = { .ops = &ops, .pid = 7, .comm = "x" };

static void set_up(void)
{
	mempools[0] = (struct kmem_mempool){ .state = KMEM_POOL_LIVE, .kind = KMEM_MEMPOOL_SLAB, .min_nr = 8, .curr_nr = 6,
		.low_water = 2, .element_bytes = 100, .nr_waiting = 1, .waits = 5, .wait_ns = 900, .longest_wait_ns = 700,
		.reserve_hits = 30, .refills = 28, .failures = 3, .pool = 0x1234, .name = "first" };
	mempools[2] = (struct kmem_mempool){ .state = KMEM_POOL_LIVE, .kind = 77, .min_nr = -5, .curr_nr = -1 };
	memset(mempools[2].name, 'n', sizeof(mempools[2].name));
	/* 256 granules of 16 bytes; 64 taken in front. And 200, of which all but 10 and 20 at an end are taken. */
	new.chunk = (struct kmem_genpool_chunk){ .next = (uintptr_t)&old, .avail = 192 * 16, .start_addr = 4096,
		.end_addr = 8191, .allocs = 4, .frees = 1, .nr_bits = 256 };
	new.bits[0] = UINT64_MAX;
	old.chunk = (struct kmem_genpool_chunk){ .avail = 30 * 16, .start_addr = 65536, .end_addr = 65536 + 3199,
		.allocs = 10, .frees = 2, .nr_bits = 200 };
	old.bits[0] = ~UINT64_C(0x3ff);
	old.bits[1] = UINT64_MAX;
	old.bits[2] = ~(UINT64_MAX << 52);
	/* Beyond the end of its 200 bits nothing counts. */
	old.bits[3] = 0;
	genpools[1] = (struct kmem_genpool){ .state = KMEM_POOL_LIVE, .min_alloc_order = 4, .nr_chunks = 2,
		.chunks = (uintptr_t)&new, .failures = 9, .name = "range" };
	regions[0] = (struct kmem_mp_pool){ .state = KMEM_POOL_LIVE, .fixed = 1, .node_bytes = 4096, .allocated = 3000,
		.released = 1000, .peak = 2500, .allocs = 7, .frees = 2, .failures = 1, .held = 8192, .name = "region" };
	tables = (struct kmem_pools){ .size = sizeof(tables), .mempool_bytes = sizeof(*mempools),
		.genpool_bytes = sizeof(*genpools), .mp_pool_bytes = sizeof(*regions), .nr_mempools = 3, .nr_genpools = 2,
		.nr_mp_pools = 2, .mempools = (uintptr_t)mempools, .genpools = (uintptr_t)genpools,
		.mp_pools = (uintptr_t)regions, .percpu = 0x10000, .percpu_end = 0x18000, .percpu_used = 24,
		.percpu_allocs = 3, .percpu_frees = 1 };
	heap = (struct heap){ .target = &target, .root.pools = (uintptr_t)&tables };
}

static int read_pools(void)
{
	pools_clear(&found);
	return pools_add_heap(&found, &source, &heap);
}

static const struct pool *the(enum pool_kind kind)
{
	for (size_t i = 0; i < found.nr; i++)
		if (found.pool[i].kind == kind)
			return &found.pool[i];
	return NULL;
}

Test(pools, a_mempool, .init = set_up)
{
	const struct pool *p;

	cr_assert_eq(read_pools(), 0);
	cr_expect_eq(found.nr, 5);
	p = &found.pool[0];
	cr_expect_eq(p->kind, POOL_MEMPOOL);
	cr_expect_eq(p->source, &source);
	cr_expect_str_eq(p->name, "first");
	cr_expect_str_eq(p->below, "slab");
	cr_expect_eq(p->address, 0x1234);
	cr_expect_eq(p->value[POOL_UNIT], 100);
	cr_expect_eq(p->value[POOL_SIZE], 8);
	cr_expect_eq(p->value[POOL_CURRENT], 6);
	cr_expect_eq(p->value[POOL_LOW], 2);
	cr_expect_eq(p->value[POOL_ALLOCS], 30);
	cr_expect_eq(p->value[POOL_FREES], 28);
	cr_expect_eq(p->value[POOL_WAITING], 1);
	cr_expect_eq(p->value[POOL_WAITS], 5);
	cr_expect_eq(p->value[POOL_WAIT_NS], 900);
	cr_expect_eq(p->value[POOL_LONGEST_NS], 700);
	cr_expect_eq(p->value[POOL_FAILURES], 3);
	cr_expect_not(pool_known(p, POOL_PEAK) || pool_known(p, POOL_FRAGMENTATION));
	p = &found.pool[1];
	cr_expect_str_eq(p->below, "?", "a kind that we do not know");
	cr_expect_eq(strlen(p->name), KMEM_POOL_NAME_BYTES - 1, "a name without end");
	cr_expect_eq(p->value[POOL_SIZE], 0, "what cannot be negative is not");
	cr_expect_not(pool_known(p, POOL_UNIT));
	pools_free(&found);
}

Test(pools, a_genpool, .init = set_up)
{
	const struct pool *p;

	cr_assert_eq(read_pools(), 0);
	p = the(POOL_GENPOOL);
	cr_assert_not_null(p);
	cr_expect_eq(p->value[POOL_UNIT], 16);
	cr_expect_eq(p->value[POOL_SIZE], 4096 + 3200);
	cr_expect_eq(p->value[POOL_CURRENT], 64 * 16 + 170 * 16);
	cr_expect_eq(p->value[POOL_ALLOCS], 14);
	cr_expect_eq(p->value[POOL_FREES], 3);
	cr_expect_eq(p->value[POOL_FAILURES], 9);
	/* 192 + 10 + 12 + 8 are free: bits 180 to 191 and 192 to 199 are one run, and 192 the longest. */
	cr_expect_eq(p->value[POOL_FRAGMENTATION], 30 * 1000 / 222);
	cr_expect_not(pool_known(p, POOL_LOW) || pool_known(p, POOL_WAITS));
	genpools[1].state = KMEM_POOL_DEAD;
	cr_assert_eq(read_pools(), 0);
	cr_expect_str_eq(the(POOL_GENPOOL)->below, "destroyed");
	pools_free(&found);
}

Test(pools, a_region_and_the_percpu_area, .init = set_up)
{
	const struct pool *p;

	cr_assert_eq(read_pools(), 0);
	p = the(POOL_REGION);
	cr_expect_str_eq(p->below, "fixed");
	cr_expect_eq(p->value[POOL_UNIT], 4096);
	cr_expect_eq(p->value[POOL_SIZE], 8192);
	cr_expect_eq(p->value[POOL_CURRENT], 2000);
	cr_expect_eq(p->value[POOL_PEAK], 2500);
	cr_expect_eq(p->value[POOL_ALLOCS], 7);
	cr_expect_eq(p->value[POOL_FAILURES], 1);
	p = the(POOL_PERCPU);
	cr_expect_eq(p->value[POOL_SIZE], 0x8000);
	cr_expect_eq(p->value[POOL_CURRENT], 24);
	tables.percpu = 0;
	cr_assert_eq(read_pools(), 0);
	cr_expect_null(the(POOL_PERCPU));
	pools_free(&found);
}

Test(pools, a_process_without_any, .init = set_up)
{
	heap.root.pools = 0;
	cr_expect_eq(read_pools(), 0);
	cr_expect_eq(found.nr, 0);
}

/* Its chunks have been freed, and hold anything: the others are shown. */
Test(pools, a_genpool_that_goes_away_is_left_out, .init = set_up)
{
	genpools[1].chunks = 8;
	cr_expect_eq(read_pools(), 0);
	cr_expect_null(the(POOL_GENPOOL));
	cr_expect_eq(found.nr, 4);
	genpools[1].chunks = (uintptr_t)&new;
	memset(&old, 0xff, sizeof(old));
	cr_expect_eq(read_pools(), 0);
	cr_expect_null(the(POOL_GENPOOL));
	old.chunk = new.chunk;
	old.chunk.nr_bits = UINT64_MAX;
	cr_expect_eq(read_pools(), 0);
	cr_expect_null(the(POOL_GENPOOL));
	/* A ring has an end. */
	old.chunk = new.chunk;
	old.chunk.next = (uintptr_t)&old;
	cr_expect_eq(read_pools(), 0);
	cr_expect_not_null(the(POOL_GENPOOL));
	pools_free(&found);
}

Test(pools, damaged_tables_are_refused, .init = set_up)
{
	static const char line[] = "PID 7 (x): the tables of pools are damaged, or of another release of libkmem";

	tables.size++;
	cr_expect_eq(read_pools(), -EPROTO);
	cr_expect_str_eq(target.message, line);
	tables.size--;
	tables.genpool_bytes = 64;
	cr_expect_eq(read_pools(), -EPROTO);
	tables.genpool_bytes = sizeof(*genpools);
	tables.nr_mp_pools = UINT32_MAX;
	cr_expect_eq(read_pools(), -EPROTO);
	tables.nr_mp_pools = 2;
	tables.mempools = 8;
	cr_expect_eq(read_pools(), -EPROTO);
	heap.root.pools = 8;
	cr_expect_eq(read_pools(), -EPROTO);
	pools_free(&found);
}

static const char *sorted(char key, bool reverse)
{
	static char names[POOL_NR_KINDS + 4];

	pools_sort(&found, key, reverse);
	for (size_t i = 0; i < found.nr; i++)
		names[i] = found.pool[i].name[0];
	names[found.nr] = '\0';
	return names;
}

Test(pools, sorting, .init = set_up)
{
	cr_assert_eq(read_pools(), 0);
	cr_expect_str_eq(sorted('n', false), "afnrr");
	cr_expect_str_eq(sorted('N', true), "rrnfa");
	cr_expect_str_eq(sorted('o', false), "fnrra", "by kind");
	cr_expect_str_eq(sorted('c', false), "arrfn");
	cr_expect_str_eq(sorted('c', true), "nfrra");
	cr_expect_str_eq(sorted('l', false), "fnrra", "only mempools wait");
	cr_expect_str_eq(sorted('l', true), "nfrra", "unknown is last in either order");
	cr_expect_str_eq(sorted('u', false), "rfnra");
	pools_free(&found);
	pools_sort(&found, 'n', false);
}

Test(pools, names_of_kinds_and_fields)
{
	cr_expect_str_eq(pool_kind_name(POOL_REGION), "mp_pool");
	for (unsigned int field = 0; field < POOL_NR_FIELDS; field++)
		cr_expect_not_null(pool_field_key(field));
}
