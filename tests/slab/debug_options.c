/* SPDX-License-Identifier: BSD-2-Clause */
/* The grammar of KMEM_SLAB_DEBUG, as the kernel's slab_debug. */
#include "support.h"

#include "slab/debug_options.h"

#define F SLAB_CONSISTENCY_CHECKS
#define Z SLAB_RED_ZONE
#define P SLAB_POISON
#define U SLAB_STORE_USER
#define T SLAB_TRACE
#define A SLAB_FAILSLAB

static slab_flags_t with(const char *text, const char *name)
{
	debug_options_set(text);
	return debug_options_apply(name, 0);
}

Test(debug_options, not_set_is_nothing_and_empty_is_everything)
{
	cr_expect_eq(with(NULL, "any"), 0);
	cr_expect_eq(with("", "any"), F | Z | P | U);
}

Test(debug_options, letters_of_either_case)
{
	cr_expect_eq(with("F", "any"), F);
	cr_expect_eq(with("zp", "any"), Z | P);
	cr_expect_eq(with("FZPUTA", "any"), F | Z | P | U | T | A);
	cr_expect_eq(with("-", "any"), 0);
	cr_expect_eq(with("FZ-P", "any"), P, "- forgets what stood before");
}

Test(debug_options, lists_leave_the_others_alone)
{
	cr_expect_eq(with("F,dentry,inode", "dentry"), F);
	cr_expect_eq(with("F,dentry,inode", "inode"), F);
	cr_expect_eq(with("F,dentry,inode", "dentr"), 0);
	cr_expect_eq(with("F,dentry,inode", "dentry2"), 0);
	cr_expect_eq(with(",dentry", "dentry"), F | Z | P | U, "no letters: the default");
	cr_expect_eq(with(",dentry", "other"), 0);
}

Test(debug_options, a_star_ends_a_name)
{
	cr_expect_eq(with("Z,kmalloc-*,x", "kmalloc-64"), Z);
	cr_expect_eq(with("Z,kmalloc-*,x", "kmalloc-"), Z);
	cr_expect_eq(with("Z,kmalloc-*,x", "kmallo"), 0);
	cr_expect_eq(with("Z,*", "anything"), Z);
}

Test(debug_options, the_first_matching_block_applies)
{
	cr_expect_eq(with("Z,a;P,a;U,b", "a"), Z);
	cr_expect_eq(with("Z,a;P,a;U,b", "b"), U);
	cr_expect_eq(with("Z,a;;P,c;", "c"), P);
	cr_expect_eq(with("-,a;FZ", "a"), 0, "an exception");
	cr_expect_eq(with("-,a;FZ", "b"), F | Z);
	cr_expect_eq(with("FZ;-,a", "a"), 0);
	cr_expect_eq(with("FZ;-,a", "b"), F | Z);
}

Test(debug_options, flags_of_the_cache_stay_and_may_forbid)
{
	debug_options_set("FZPU");
	cr_expect_eq(debug_options_apply("a", T), F | Z | P | U | T);
	cr_expect_eq(debug_options_apply("a", SLAB_NO_USER_FLAGS | Z), SLAB_NO_USER_FLAGS | Z);
	cr_expect_eq(debug_options_apply("a", SLAB_NOLEAKTRACE), SLAB_NOLEAKTRACE | F | Z | P);
	debug_options_set("U,a");
	cr_expect_eq(debug_options_apply("a", SLAB_NOLEAKTRACE), SLAB_NOLEAKTRACE | U, "asked for by name");
}

Test(debug_options, unknown_letters_are_reported_and_skipped)
{
	const char *text;

	capture_start();
	debug_options_set("FxZ");
	text = capture_end();
	cr_expect_str_eq(text, "kmem: KMEM_SLAB_DEBUG: option 'x' unknown, skipped; known: F Z P U T A O -\n");
	cr_expect_eq(debug_options_apply("any", 0), F | Z);
}

Test(debug_options, too_long_is_said)
{
	char text[2000];

	memset(text, 'F', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	capture_start();
	debug_options_set(text);
	cr_expect_not_null(strstr(capture_end(), "longer than 1023 characters"));
}

static slab_flags_t laid_out(const char *text, unsigned int size)
{
	struct geometry_args a = { .object_size = size, .nr_cpus = 2 };
	struct geometry g;

	debug_options_set(text);
	a.flags = debug_options_apply("any", 0);
	cr_assert(debug_options_layout(&g, &a));
	cr_expect_eq(g.red_left_pad != 0, (a.flags & Z) != 0, "layout and flags agree");
	return a.flags;
}

Test(debug_options, o_drops_what_would_make_slabs_larger)
{
	cr_expect_eq(laid_out("FZPUO", 64), F | Z | P | U);
	cr_expect_eq(laid_out("FZPUO", 4096), F);
	cr_expect_eq(laid_out("FZPU", 4096), F | Z | P | U);
}
