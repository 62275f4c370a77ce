/* SPDX-License-Identifier: BSD-2-Clause */
/* pack.c - what goes in comes out; columns that are none are refused. */
#include "kmemtrace/pack.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NR 20000

static struct pack_event in[NR];
static struct unpacked out[NR];
static struct packer packer;

static struct pack_names name(void *calls, const struct pack_event *e)
{
	++*(unsigned int *)calls;
	return (struct pack_names){ .stack = (uint32_t)(e->site * 7), .cache = e->cache + 1 };
}

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void fill(uint64_t seed, bool wild)
{
	for (int i = 0; i < NR; i++) {
		uint64_t r = next(&seed);

		in[i] = (struct pack_event){
			.time = wild ? next(&seed) : 1000u * (uint64_t)i + r % 500, .ptr = wild ? next(&seed) : r % 4096 * 16,
			.site = wild ? next(&seed) : r % 30, .size = wild ? (uint32_t)next(&seed) : (uint32_t)(r % 8) * 32,
			.cache = wild ? (uint32_t)next(&seed) : (uint32_t)(r % 20), .pid = wild ? (uint32_t)r : 42,
			.op = (uint8_t)(r % 6 + 1), .flags = (uint8_t)(r >> 20 & 1),
		};
	}
}

/* The columns in one piece, with slack behind. */
static uint8_t *join(uint32_t len[PACK_NR_COLUMNS])
{
	uint8_t *data = calloc(1, PACK_MAX_BYTES + PACK_SLACK), *p = data;

	for (int i = 0; i < PACK_NR_COLUMNS; i++) {
		len[i] = (uint32_t)packer.column[i].len;
		memcpy(p, packer.column[i].data, len[i]);
		p += len[i];
	}
	return data;
}

static uint8_t *pack_all(bool timed, unsigned int *calls, uint32_t len[PACK_NR_COLUMNS])
{
	*calls = 0;
	pack_begin(&packer, timed);
	cr_assert_eq(pack_reserve(&packer, NR), 0);
	for (int i = 0; i < NR; i++)
		pack_event(&packer, &in[i], name, calls);
	cr_assert_eq(packer.nr, NR);
	return join(len);
}

static void expect_same(bool timed)
{
	for (int i = 0; i < NR; i++) {
		const struct pack_event *e = &in[i];
		const struct unpacked *u = &out[i];

		cr_assert(u->ptr == e->ptr && u->size == e->size && u->stack == (uint32_t)(e->site * 7) &&
				  u->cache == e->cache + 1 && u->pid == e->pid && u->op == e->op && u->flags == e->flags &&
				  u->time == (timed ? e->time : 0), "event %d", i);
	}
}

static void round_trip(bool timed, bool wild)
{
	uint32_t len[PACK_NR_COLUMNS];
	unsigned int calls;
	uint8_t *data;

	fill(12345 + wild, wild);
	data = pack_all(timed, &calls, len);
	cr_expect_eq(unpack(data, len, NR, timed, packer.time_base, out), 0);
	expect_same(timed);
	free(data);
	pack_free(&packer);
}

Test(pack, ordinary_events)
{
	round_trip(true, false);
}

Test(pack, any_bits_at_all)
{
	round_trip(true, true);
}

Test(pack, without_times)
{
	round_trip(false, false);
}

Test(pack, shapes_are_named_once)
{
	uint32_t len[PACK_NR_COLUMNS];
	unsigned int calls;

	fill(1, false);
	for (int i = 0; i < NR; i++) {
		in[i].site = i % 2;
		in[i].size = 64;
		in[i].op = (uint8_t)(1 + i % 2);
		in[i].cache = 3;
		in[i].flags = 0;
	}
	free(pack_all(true, &calls, len));
	cr_expect_eq(calls, 2);
	cr_expect_lt(len[0] + len[1] + len[2] + len[3], 7u * NR);
	pack_free(&packer);
}

Test(pack, the_times_of_the_head)
{
	unsigned int calls = 0;

	fill(1, false);
	pack_begin(&packer, true);
	cr_assert_eq(pack_reserve(&packer, 3), 0);
	in[0].time = 50;
	in[1].time = 40;
	in[2].time = 60;
	for (int i = 0; i < 3; i++)
		pack_event(&packer, &in[i], name, &calls);
	cr_expect_eq(packer.time_base, 50);
	cr_expect_eq(packer.time_first, 40);
	cr_expect_eq(packer.time_last, 60);
	pack_free(&packer);
}

/* Each number of bits, and its neighbours. */
Test(pack, numbers)
{
	uint8_t data[16];

	cr_expect_eq(pack_number(data, 0), 1);
	cr_expect_eq(pack_number(data, 127), 1);
	cr_expect_eq(pack_number(data, 128), 2);
	cr_expect_eq(pack_number(data, (UINT64_C(1) << 56) - 1), 8);
	cr_expect_eq(pack_number(data, UINT64_C(1) << 56), 9);
	cr_expect_eq(pack_number(data, UINT64_MAX), 9);
}

Test(pack, every_size_of_difference)
{
	uint32_t len[PACK_NR_COLUMNS];
	unsigned int calls;
	uint8_t *data;

	fill(9, false);
	for (int i = 0; i < NR; i++) {
		uint64_t bit = UINT64_C(1) << i % 64;

		in[i].ptr = i % 3 ? bit : bit - 1;
		in[i].time = i % 5 ? bit - 1 : bit;
	}
	data = pack_all(true, &calls, len);
	cr_expect_eq(unpack(data, len, NR, true, packer.time_base, out), 0);
	expect_same(true);
	free(data);
	pack_free(&packer);
}

/* Whatever the bytes are, nothing is read or written outside: for the sanitizers. */
Test(pack, damaged_columns_are_refused_or_harmless)
{
	uint32_t len[PACK_NR_COLUMNS], few[PACK_NR_COLUMNS];
	unsigned int calls;
	uint64_t seed = 99;
	uint8_t *data;
	size_t total = 0;

	fill(5, false);
	data = pack_all(true, &calls, len);
	for (int i = 0; i < PACK_NR_COLUMNS; i++)
		total += len[i];
	memcpy(few, len, sizeof(few));
	few[PACK_PTRS]--;
	cr_expect_eq(unpack(data, few, NR, true, packer.time_base, out), -EBADMSG);
	few[PACK_CODES]--;
	cr_expect_eq(unpack(data, few, NR, true, packer.time_base, out), -EBADMSG);
	cr_expect_eq(unpack(data, len, NR - 1, true, packer.time_base, out), -EBADMSG);
	cr_expect_eq(unpack(data, len, NR, false, packer.time_base, out), -EBADMSG);
	for (int i = 0; i < 2000; i++) {
		uint8_t *exact = malloc(total + PACK_SLACK);
		uint64_t r = next(&seed);

		memcpy(exact, data, total + PACK_SLACK);
		exact[r % total] ^= (uint8_t)(r >> 40 | 1);
		unpack(exact, len, NR, true, packer.time_base, out);
		free(exact);
	}
	free(data);
	pack_free(&packer);
}
