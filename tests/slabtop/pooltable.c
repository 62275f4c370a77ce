/* SPDX-License-Identifier: BSD-2-Clause */
/* pooltable.c - tests of tools/slabtop/pooltable.c: widths, units, unknown numbers, hostile names, sums. */
#include <criterion/criterion.h>
#include <string.h>

#include "slabtop/pooltable.h"

static const struct row_source source = { .kind = ROW_PROCESS, .pid = 7, .label = "x:7" };
static struct pool pool[3];
static struct pools pools = { .pool = pool, .nr = 3 };
static struct pooltable table;
static char buf[COLUMNS_LINE_BYTES];

static void set(struct pool *p, enum pool_field field, uint64_t value)
{
	p->value[field] = value;
	p->known |= 1u << field;
}

static void set_up(void)
{
	pool[0] = (struct pool){ .source = &source, .kind = POOL_MEMPOOL, .below = "kmalloc", .name = "orders" };
	set(&pool[0], POOL_UNIT, 200);
	set(&pool[0], POOL_SIZE, 8);
	set(&pool[0], POOL_CURRENT, 6);
	set(&pool[0], POOL_LOW, 5);
	set(&pool[0], POOL_ALLOCS, 12345);
	set(&pool[0], POOL_FREES, 12343);
	set(&pool[0], POOL_WAITING, 2);
	set(&pool[0], POOL_WAITS, 17);
	set(&pool[0], POOL_LONGEST_NS, 7340000);
	set(&pool[0], POOL_FAILURES, 0);
	pool[1] = (struct pool){ .source = &source, .kind = POOL_GENPOOL, .below = "", .name = "range" };
	set(&pool[1], POOL_SIZE, 65536);
	set(&pool[1], POOL_CURRENT, 8192);
	set(&pool[1], POOL_FRAGMENTATION, 142);
	set(&pool[1], POOL_FAILURES, 4);
	pool[2] = (struct pool){ .source = &source, .kind = POOL_REGION, .below = "fixed", .name = "a\033[31mb\n" };
	set(&pool[2], POOL_SIZE, 4096);
	set(&pool[2], POOL_CURRENT, 100);
	set(&pool[2], POOL_PEAK, 4000);
}

Test(pooltable, all_columns, .init = set_up)
{
	pooltable_choose(&table, COLUMNS_NO_LIMIT, false);
	cr_expect_str_eq(pooltable_heading(&table, buf), "KIND              UNIT   SIZE    NOW LOW/PEAK ALLOCS  FREES "
							 "WAITING  WAITS LONGEST  FAILS   FRAG NAME");
	cr_expect_str_eq(pooltable_row(&table, &pool[0], buf), "mempool/kmalloc    200      8      6        5  12.3k  12.3k "
							       "      2     17   7.3ms      0      - orders");
	cr_expect_str_eq(pooltable_row(&table, &pool[1], buf), "genpool              -  64.0K   8.0K        -      -      - "
							       "      -      -       -      4  14.2% range");
	cr_expect_str_eq(pooltable_row(&table, &pool[2], buf), "mp_pool/fixed        -   4.0K    100     3.9K      -      - "
							       "      -      -       -      -      - a?[31mb?");
	pooltable_choose(&table, COLUMNS_NO_LIMIT, true);
	cr_expect_not_null(strstr(pooltable_row(&table, &pool[0], buf), " x:7                  orders"));
}

Test(pooltable, what_does_not_fit_is_left_out, .init = set_up)
{
	for (int width = 0; width < 200; width++) {
		pooltable_choose(&table, width, true);
		pooltable_heading(&table, buf);
		cr_expect(strlen(buf) <= (size_t)width || !strcmp(buf, "NAME"), "%d: %s", width, buf);
		cr_expect_str_eq(buf + strlen(buf) - 4, "NAME");
	}
	pooltable_choose(&table, 80, false);
	cr_expect_str_eq(pooltable_heading(&table, buf),
			 "KIND              SIZE    NOW LOW/PEAK  WAITS LONGEST  FAILS NAME");
}

Test(pooltable, times_have_units, .init = set_up)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} times[] = { { 0, " 0ns " }, { 999, " 999ns " }, { 1000, " 1us " }, { 999999, " 999us " }, { 1000000, " 1.0ms " },
		      { 999999999, " 999.9ms " }, { 5123456789, " 5.1s " } };

	pooltable_choose(&table, COLUMNS_NO_LIMIT, false);
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		set(&pool[0], POOL_LONGEST_NS, times[i].ns);
		cr_expect_not_null(strstr(pooltable_row(&table, &pool[0], buf), times[i].text), "%s", buf);
	}
}

Test(pooltable, sums, .init = set_up)
{
	struct header h;

	pooltable_header(&h, &pools);
	cr_expect_eq(h.nr, 5);
	cr_expect_str_eq(h.line[0], " Mempools, in reserve / wanted there: 1, 6 / 8");
	cr_expect_str_eq(h.line[1], " Genpools, taken / all              : 1, 8.0K / 64.0K");
	cr_expect_str_eq(h.line[2], " Region pools, in use / held        : 1, 100 / 4.0K");
	cr_expect_str_eq(h.line[3], " Threads waiting / Waits / Longest  : 2 / 17 / 7.3ms");
	cr_expect_str_eq(h.line[4], " Allocations that failed            : 4");
}

Test(pooltable, filters_look_at_names_and_kinds, .init = set_up)
{
	cr_expect(pooltable_match(&pool[0], ""));
	cr_expect(pooltable_match(&pool[0], "ORD"));
	cr_expect(pooltable_match(&pool[0], "mempool"));
	cr_expect(pooltable_match(&pool[0], "kmall"));
	cr_expect_not(pooltable_match(&pool[1], "ord"));
	cr_expect(pooltable_match(&pool[2], "fixed"));
}
