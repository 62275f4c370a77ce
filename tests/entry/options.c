/* SPDX-License-Identifier: BSD-2-Clause */
/* KMEM_OPTIONS: every option and unit, and that a mistake is named and changes nothing. */
#include "support.h"

#include <errno.h>

#include "entry/options.h"

static struct kmem_options parsed;
static char err[2048];

static int parse(const char *text)
{
	parsed = (struct kmem_options){ .rseq = KMEM_RSEQ_ON };
	memset(err, 0, sizeof(err));
	return kmem_options_parse(&parsed, text, err, sizeof(err));
}

Test(options, nothing_changes_nothing)
{
	cr_expect_eq(parse(""), 0);
	cr_expect_eq(parse(",,,"), 0);
	cr_expect_eq(parsed.rseq, KMEM_RSEQ_ON);
	cr_expect_eq(parsed.stats, false);
	cr_expect_eq(parsed.arena, 0);
}

Test(options, switches)
{
	static const char *const on[] = { "stats=on", "stats=1", "stats=yes", "stats=true" };
	static const char *const off[] = { "rseq=off", "rseq=0", "rseq=no", "rseq=false" };
	int i;

	for (i = 0; i < 4; i++) {
		cr_expect_eq(parse(on[i]), 0);
		cr_expect_eq(parsed.stats, true, "%s", on[i]);
		cr_expect_eq(parse(off[i]), 0);
		cr_expect_eq(parsed.rseq, KMEM_RSEQ_OFF, "%s", off[i]);
	}
}

Test(options, rseq_may_be_assumed)
{
	cr_expect_eq(parse("rseq=assume"), 0);
	cr_expect_eq(parsed.rseq, KMEM_RSEQ_ASSUME);
	cr_expect_eq(parse("stats=assume"), -EINVAL);
}

Test(options, sizes_and_units)
{
	static const struct {
		const char *text;
		size_t bytes;
	} sizes[] = {
		{ "arena=0", 0 }, { "arena=4096", 4096 }, { "arena=64K", 64 << 10 }, { "arena=64k", 64 << 10 },
		{ "arena=512M", 512 << 20 }, { "arena=3m", 3 << 20 }, { "arena=64G", (size_t)64 << 30 },
		{ "arena=2g", (size_t)2 << 30 }, { "arena=1T", (size_t)1 << 40 }, { "arena=1t", (size_t)1 << 40 },
		{ "arena=999999999999999", 999999999999999 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		cr_expect_eq(parse(sizes[i].text), 0, "%s: %s", sizes[i].text, err);
		cr_expect_eq(parsed.arena, sizes[i].bytes, "%s", sizes[i].text);
	}
}

Test(options, numbers_have_limits)
{
	static const char *const bad[] = { "nodes=0", "nodes=9", "nodes=", "nodes=2x", "nodes=-1", "nodes=18446744073709551617" };
	size_t i;

	cr_expect_eq(parse("nodes=8"), 0);
	cr_expect_eq(parsed.nodes, 8);
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		cr_expect_eq(parse(bad[i]), -EINVAL, "%s", bad[i]);
		cr_expect_not_null(strstr(err, "use 1-8"));
		cr_expect_eq(parsed.nodes, 0);
	}
}

Test(options, several_at_once_the_last_one_wins)
{
	cr_expect_eq(parse("arena=64G,stats=on,rseq=off,,arena=1M"), 0);
	cr_expect_eq(parsed.arena, 1 << 20);
	cr_expect(parsed.stats);
	cr_expect_eq(parsed.rseq, KMEM_RSEQ_OFF);
}

Test(options, an_unknown_one_is_named)
{
	cr_expect_eq(parse("arenas=64G"), -EINVAL);
	cr_expect_eq(strstr(err, "KMEM_OPTIONS: unknown option \"arenas=64G\"; known: arena=SIZE "), err, "%s", err);
	cr_expect_not_null(strstr(err, " rseq=on|off|assume "));
	cr_expect_eq(parse("rse=off"), -EINVAL);
	cr_expect_eq(parse("=off"), -EINVAL);
	cr_expect_eq(parsed.rseq, KMEM_RSEQ_ON);
}

Test(options, a_bad_value_is_named_and_the_default_kept)
{
	static const char *const bad[] = { "rseq=banana", "rseq=", "rseq", "rseq=ON", "rseq=onn", "rseq=offf" };
	static const char *const sizes[] = { "arena=", "arena=K", "arena=1X", "arena=-1", "arena=1.5G", "arena=0x10",
					     "arena=9999999999999999", "arena=999999999999999T", "arena=1GG", "arena" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		cr_expect_eq(parse(bad[i]), -EINVAL, "%s", bad[i]);
		cr_expect_not_null(strstr(err, "use on or off"));
		cr_expect_eq(parsed.rseq, KMEM_RSEQ_ON, "%s changed the option", bad[i]);
	}
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		cr_expect_eq(parse(sizes[i]), -EINVAL, "%s", sizes[i]);
		cr_expect_not_null(strstr(err, "use a size such as 512M or 64G"));
		cr_expect_eq(parsed.arena, 0, "%s changed the option", sizes[i]);
	}
}

Test(options, the_first_mistake_is_reported_and_the_rest_applied)
{
	cr_expect_eq(parse("stats=on,color=red,arena=Q,rseq=off,arena=2M"), -EINVAL);
	cr_expect_not_null(strstr(err, "color=red"));
	cr_expect(parsed.stats);
	cr_expect_eq(parsed.rseq, KMEM_RSEQ_OFF);
	cr_expect_eq(parsed.arena, 2 << 20);
}

Test(options, a_long_word_is_cut_in_the_message)
{
	char text[500];

	memset(text, 'z', 499);
	text[499] = '\0';
	cr_expect_eq(parse(text), -EINVAL);
	cr_expect_null(strstr(err, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"));
}

Test(options, a_short_message_buffer_is_respected)
{
	char small[10];

	memset(small, 'x', sizeof(small));
	cr_expect_eq(kmem_options_parse(&parsed, "nonsense=1", small, 5), -EINVAL);
	cr_expect_eq(small[4], '\0');
	cr_expect_eq(small[5], 'x');
}

Test(options, reading_reports_in_one_line)
{
	const char *out;

	capture_start();
	options_read(NULL);
	options_read("stats=off");
	options_read("stats=perhaps,foo=1");
	out = capture_end();
	cr_expect_str_eq(out, "kmem: KMEM_OPTIONS: bad value in \"stats=perhaps\"; use on or off\n");
	cr_expect_not(kmem_options()->stats);
	options_read("stats=on");
	cr_expect(kmem_options()->stats);
	options_read("stats=off");
}

Test(options, misuse_has_two_policies)
{
	cr_expect_eq(parse("stats=on"), 0);
	cr_expect_eq(parsed.misuse, KMEM_MISUSE_MIXED);
	cr_expect_eq(parse("misuse=abort"), 0);
	cr_expect_eq(parsed.misuse, KMEM_MISUSE_ABORT);
	cr_expect_eq(parse("misuse=repair"), 0);
	cr_expect_eq(parsed.misuse, KMEM_MISUSE_REPAIR);
	cr_expect_eq(parse("misuse=panic"), -EINVAL);
	cr_expect_str_eq(err, "KMEM_OPTIONS: bad value in \"misuse=panic\"; use abort|repair");
}

Test(options, merge)
{
	cr_expect_eq(parse("merge=on"), 0);
	cr_expect(parsed.merge);
	cr_expect_eq(parse("merge=off"), 0);
	cr_expect_not(parsed.merge);
	cr_expect_eq(parse("merge=alike"), -EINVAL);
	cr_expect_str_eq(err, "KMEM_OPTIONS: bad value in \"merge=alike\"; use on or off");
}

Test(options, guard_is_a_switch_or_milliseconds)
{
	cr_expect_eq(parse("stats=on"), 0);
	cr_expect_eq(parsed.guard_ms, 0);
	cr_expect_eq(parse("guard=on"), 0);
	cr_expect_eq(parsed.guard_ms, KMEM_GUARD_DEFAULT_MS);
	cr_expect_eq(parse("guard=1"), 0);
	cr_expect_eq(parsed.guard_ms, 1);
	cr_expect_eq(parse("guard=2000"), 0);
	cr_expect_eq(parsed.guard_ms, 2000);
	cr_expect_eq(parse("guard=off"), 0);
	cr_expect_eq(parsed.guard_ms, 0);
	cr_expect_eq(parse("guard=often"), -EINVAL);
	cr_expect_str_eq(err, "KMEM_OPTIONS: bad value in \"guard=often\"; use off|on|MS");
}
