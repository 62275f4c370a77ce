/* SPDX-License-Identifier: BSD-2-Clause */
/* sites.c - which function of a stack is the call site, and what it is called. */
#include "kmemtrace/sites.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static char err[256];

TestSuite(sites, .fini = sample_clean, .timeout = 300);

static const char *label(struct sites *s, uint32_t stack)
{
	return s->site[sites_of(s, stack)].label;
}

Test(sites, wrappers_are_no_call_sites)
{
	struct story story = story_begin(sample_path("s"));
	const enum story_function wrapper_only[] = { STORY_ZMALLOC };
	struct trace_frame frame[SITES_FRAMES];
	struct sites s;
	struct trace *t;
	uint32_t lone = story_stack(&story, wrapper_only, 1);

	story_alloc(&story, 0, 1, 0x1000, 8, story.small, story.load);
	story_alloc(&story, 0, 2, 0x2000, 8, story.small, story.serve);
	story_alloc(&story, 0, 3, 0x3000, 8, story.small, lone);
	story_end(&story, 10, 0);
	t = sample_open(sample_path("s"));
	cr_assert_eq(sites_init(&s, t, NULL, err, sizeof(err)), 0, "%s", err);
	cr_expect_eq(strncmp(label(&s, story.load), "story_load ", 11), 0, "%s", label(&s, story.load));
	cr_expect_eq(strncmp(label(&s, story.serve), "story_serve ", 12), 0, "%s", label(&s, story.serve));
	cr_expect_eq(strncmp(label(&s, lone), "story_zmalloc ", 14), 0, "there is nothing else: %s", label(&s, lone));
	cr_expect(strstr(label(&s, story.load), "story.c:"), "%s", label(&s, story.load));
	cr_expect_str_eq(s.site[sites_of(&s, story.load)].function, "story_load [unit-kmemtrace]");
	cr_expect_eq(sites_of(&s, story.load), sites_of(&s, story.load));
	cr_expect_str_eq(label(&s, 0), "(not known)");
	cr_expect_str_eq(label(&s, 12345), "(not known)");
	cr_expect_str_eq(label(&s, SITES_BEFORE), "(before the recording)");
	cr_expect_eq(sites_frames(&s, story.load, frame, SITES_FRAMES), 3);
	cr_expect_str_eq(frame[2].function, "story_main");
	cr_expect_eq(sites_frames_from_site(&s, story.load, frame, SITES_FRAMES), 2);
	cr_expect_str_eq(frame[0].function, "story_load");
	cr_expect_eq(sites_frames(&s, story.load, frame, 1), 1);
	sites_close(&s);
	/* What the user calls a wrapper, too. */
	cr_assert_eq(sites_init(&s, t, "^story_load$", err, sizeof(err)), 0, "%s", err);
	cr_expect_eq(strncmp(label(&s, story.load), "story_main ", 11), 0, "%s", label(&s, story.load));
	cr_expect_eq(strncmp(label(&s, story.serve), "story_serve ", 12), 0);
	sites_close(&s);
	cr_expect_eq(sites_init(&s, t, "(", err, sizeof(err)), -EINVAL);
	cr_expect(strstr(err, "'(' is no regular expression"), "%s", err);
	sites_close(&s);
	trace_close(t);
}

/* Names of real programs: redis, gcc, sqlite, glib, C++ mangled and not, kernel code. */
Test(sites, names_of_wrappers)
{
	static const char *const yes[] = {
		"zmalloc", "ztrymalloc_usable", "ztrymalloc_usable_internal", "zcalloc", "zrealloc", "zstrdup", "xmalloc",
		"xrealloc", "xcalloc", "ggc_internal_alloc", "malloc", "__libc_calloc", "g_malloc0", "g_malloc0_n",
		"sqlite3MemMalloc", "sqlite3DbMallocRawNN", "operator new(unsigned long)", "_Znwm", "_Znam",
		"kvmalloc_node", "kzalloc", "xstrdup", "memdup", "aligned_alloc", "xmalloc.constprop.0", "my_malloc_fn",
		"std::__new_allocator<int>::allocate(unsigned long, void const*)", "do_realloc", "xmemdup",
	};
	static const char *const no[] = {
		"main", "dictAdd", "sdsnewlen", "alloc_rows", "allocateDict", "mallocator_test", "free", "reallocate_table",
		"std::vector<int>::push_back(int const&)", "strduplicate", "newThing", "_ZN3FooC1Ev", "allocator_stats",
	};
	struct story story = story_begin(sample_path("s"));
	struct sites s;
	struct trace *t;

	story_end(&story, 10, 0);
	t = sample_open(sample_path("s"));
	cr_assert_eq(sites_init(&s, t, NULL, err, sizeof(err)), 0, "%s", err);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		cr_expect(sites_is_wrapper(&s, yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		cr_expect_not(sites_is_wrapper(&s, no[i]), "%s", no[i]);
	sites_close(&s);
	trace_close(t);
}

Test(sites, texts)
{
	const struct trace_module module = { .name = "libx.so", .path = "/lib/libx.so" };
	struct trace_frame f = { .function = "run", .file = "/src/deep/run.c", .line = 12, .offset = 0x34, .module = &module };
	char text[128];

	cr_expect_str_eq(sites_long(&f, text, sizeof(text)), "run run.c:12");
	cr_expect_str_eq(sites_short(&f, text, sizeof(text)), "run");
	f.line = 0;
	cr_expect_str_eq(sites_long(&f, text, sizeof(text)), "run+0x34 [libx.so]");
	f.function = "";
	cr_expect_str_eq(sites_long(&f, text, sizeof(text)), "[libx.so+0x34]");
	f.module = NULL;
	cr_expect_str_eq(sites_long(&f, text, sizeof(text)), "0x34");
	f.function = "kernel_one";
	cr_expect_str_eq(sites_long(&f, text, sizeof(text)), "kernel_one+0x34");
}
