/* SPDX-License-Identifier: BSD-2-Clause */
/* script.c - what scripts unroll to, and what is said about wrong ones. */
#include "common/script.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct script script;
static char err[256];

static const char *unrolled(const char *text)
{
	static char out[4096];
	size_t n = 0;

	cr_assert_eq(script_parse(&script, "t", text, err, sizeof(err)), 0, "%s", err);
	out[0] = '\0';
	for (size_t i = 0; i < script.nr_ops && n < sizeof(out) - 32; i++) {
		const struct script_op *op = &script.ops[i];

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%c", i ? " " : "", "afsc"[op->kind]);
		if (op->kind != SCRIPT_CHECK && op->kind != SCRIPT_SHRINK)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%u", op->object);
		if (op->cpu)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "@%u", op->cpu);
	}
	script_free(&script);
	return out;
}

static void wrong(const char *text, const char *message)
{
	cr_assert_eq(script_parse(&script, "t", text, err, sizeof(err)), -EINVAL, "%s", text);
	cr_assert(strstr(err, message), "'%s' for: %s", err, text);
	cr_assert_null(script.ops);
}

Test(script, caches)
{
	cr_assert_eq(script_parse(&script, "t",
				  "cache c size=192 align=64 flags=rcu,hwcache ctor cpu_partial=7 sheaf=9\n"
				  "cache d size=8;cpu 5; alloc a c # remark\n", err, sizeof(err)), 0, "%s", err);
	cr_assert_eq(script.nr_caches, 2);
	cr_assert_eq(script.cache[0].size, 192);
	cr_assert_eq(script.cache[0].align, 64);
	cr_assert_eq(script.cache[0].flags, SCRIPT_RCU | SCRIPT_HWCACHE | SCRIPT_CTOR);
	cr_assert_eq(script.cache[0].cpu_partial, 7);
	cr_assert_eq(script.cache[0].sheaf, 9);
	cr_assert_eq(script.cache[0].min_partial, SCRIPT_DEFAULT);
	cr_assert_eq(script.nr_cpus, 6);
	cr_assert_eq(script.nr_checks, 1);
	script_free(&script);
}

Test(script, ranges_and_numbers_used_again)
{
	cr_assert_str_eq(unrolled("cache c size=8; alloc a1..a3 b c; free a3..a2; alloc x c; check"), "a0 a1 a2 a3 f2 f1 a1 c");
	cr_assert_str_eq(unrolled("cache c size=8; alloc a3..a1 c; free a1"), "a0 a1 a2 f2 c");
	cr_assert_str_eq(unrolled("cache c size=8\nalloc a a0 c\nfree a0\n"), "a0 a1 f1 c");
}

Test(script, loops)
{
	cr_assert_str_eq(unrolled("cache c size=8; repeat 2 { alloc a$ c; cpu 1; check }; free a0 a1"),
			 "a0 c@1 a1@1 c@1 f0@1 f1@1 c@1");
	cr_assert_str_eq(unrolled("cache c size=8; repeat 2 {\nrepeat 2 { alloc a$ c\n free a$ } }"), "a0 f0 a0 f0 a0 f0 a0 f0 c");
	cr_assert_str_eq(unrolled("cache c size=8; repeat 0 { alloc a c; repeat 3 { check } }; alloc b c"), "a0 c");
}

Test(script, random_is_the_same_each_time_and_balanced)
{
	static const char text[] = "cache c size=8; seed 7; random 4000 c live=50 cpus=3 check=100; drain c";
	int live = 0, most = 0;
	char first[4096];

	snprintf(first, sizeof(first), "%s", unrolled(text));
	cr_assert_str_eq(unrolled(text), first);
	cr_assert_str_neq(unrolled("cache c size=8; seed 8; random 4000 c live=50 cpus=3 check=100; drain c"), first);
	cr_assert_eq(script_parse(&script, "t", text, err, sizeof(err)), 0);
	for (size_t i = 0; i < script.nr_ops; i++) {
		live += script.ops[i].kind == SCRIPT_ALLOC;
		live -= script.ops[i].kind == SCRIPT_FREE;
		most = live > most ? live : most;
	}
	cr_assert_eq(live, 0);
	cr_assert(most > 50 && most < 150, "%d", most);
	cr_assert_eq(script.nr_checks, 41);
	cr_assert_eq(script.nr_cpus, 3);
	cr_assert_leq(script.nr_objects, (uint32_t)most);
	script_free(&script);
}

Test(script, shuffle_frees_each_once)
{
	uint64_t freed = 0;

	cr_assert_eq(script_parse(&script, "t", "cache c size=8; alloc a0..a63 c; free shuffle a0..a63", err, sizeof(err)), 0);
	for (size_t i = 0; i < script.nr_ops; i++)
		if (script.ops[i].kind == SCRIPT_FREE)
			freed |= UINT64_C(1) << script.ops[i].object;
	cr_assert_eq(freed, UINT64_MAX);
	cr_assert_neq(script.ops[64].object + 1, script.ops[65].object);
	script_free(&script);
}

Test(script, mistakes_have_their_line)
{
	wrong("", "t:1: no cache");
	wrong("cache c size=8\nalloc a d\n", "t:2: no cache 'd'");
	wrong("cache c size=8; alloc a c; alloc a c", "'a' is live already");
	wrong("cache c size=8; free b7", "'b7' is not live");
	wrong("cache c size=8; alloc a1..b2 c", "same letters");
	wrong("cache c size=0", "size");
	wrong("cache c", "size=BYTES is missing");
	wrong("cache c size=8; cache c size=8", "there already");
	wrong("cache c size=8 flags=fast", "no flag 'fast'");
	wrong("cache c size=8 align=3", "power of two");
	wrong("cache c size=8; jump", "'jump' is no statement");
	wrong("cache c size=8; check now", "'now' is too much");
	wrong("cache c size=8\nrepeat 3 {\nalloc a$ c", "'}' is missing");
	wrong("cache c size=8; }", "without 'repeat");
	wrong("cache c size=8; cpu 64", "cpu");
	wrong("cache c size=8; random 10 c speed=3", "'speed=3' is unknown");
	wrong("cache c size=8; alloc 7 c", "no object's name");
	wrong("cache c size=8; alloc c", "no object is named");
}

Test(script, no_endless_script)
{
	wrong("cache c size=8; repeat 1000000 { repeat 1000000 { check } }", "more than");
}

Test(script, file)
{
	cr_assert_eq(script_load(&script, "/nonexistent/script", err, sizeof(err)), -ENOENT);
	cr_assert(strstr(err, "/nonexistent/script"));
}
