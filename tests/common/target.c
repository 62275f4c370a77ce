/* SPDX-License-Identifier: BSD-2-Clause */
/* target.c - tests of tools/common/target.c: maps, note to root, refusals. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <kmem/observe.h>

#include "common/target.h"
#include "fake.h"

static char *copy(const char *text)
{
	char *p = strdup(text);

	cr_assert_not_null(p);
	return p;
}

Test(target, maps_are_parsed)
{
	struct target t = { .pid = 1 };
	const char *text = "00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/with space (deleted)\n"
			   "00e03000-00e24000 rw-s 00000000 00:00 0           [heap]\n"
			   "7f0000000000-7f0000001000 ---p 00000000 00:00 0 \n";

	cr_assert_eq(target_parse_maps(&t, copy(text)), 0);
	cr_assert_eq(t.nr_maps, 3);
	cr_expect_eq(t.maps[0].start, 0x400000);
	cr_expect_eq(t.maps[0].end, 0x452000);
	cr_expect_eq(t.maps[0].offset, 0x1000);
	cr_expect_eq(t.maps[0].inode, 173521);
	cr_expect_eq(t.maps[0].device, 8u << 20 | 2u);
	cr_expect_eq(t.maps[0].perms, TARGET_READ | TARGET_EXEC);
	cr_expect_str_eq(t.maps[0].path, "/usr/bin/with space (deleted)");
	cr_expect_eq(t.maps[1].perms, TARGET_READ | TARGET_WRITE | TARGET_SHARED);
	cr_expect_str_eq(t.maps[2].path, "");
	cr_expect_eq(t.maps[2].perms, 0);
	cr_expect_eq(target_map_of(&t, 0x400000), &t.maps[0]);
	cr_expect_eq(target_map_of(&t, 0xe23fff), &t.maps[1]);
	cr_expect_null(target_map_of(&t, 0xe24000));
	cr_expect_null(target_map_of(&t, 0));
	target_close(&t);
}

Test(target, damaged_maps_are_refused)
{
	struct target t = { .pid = 1 };

	cr_expect_eq(target_parse_maps(&t, copy("rubbish\n")), -EINVAL);
	cr_expect_eq(target_parse_maps(&t, copy("1000-2000 r\n")), -EINVAL);
	cr_expect_eq(target_parse_maps(&t, copy("2000-1000 rw-p 0 0:0 0\n")), -EINVAL);
	cr_expect_eq(target_parse_maps(&t, copy("")), 0);
	cr_expect_eq(t.nr_maps, 0);
	target_close(&t);
}

Test(target, note_leads_to_root)
{
	pid_t pid = fake_start("normal");
	struct target t;

	cr_assert_gt(pid, 0);
	cr_assert_eq(target_open(&t, pid), 0, "%s", t.message);
	cr_expect_str_eq(t.comm, "fake");
	cr_assert_eq(target_find_roots(&t), 0, "%s", t.message);
	cr_assert_eq(t.nr_roots, 1);
	cr_expect_str_eq(t.roots[0].module, "fake");
	cr_expect_eq(t.roots[0].observe.nr_caches, FAKE_CACHES);
	cr_expect_str_eq(t.roots[0].observe.release, "fake");
	target_close(&t);
	target_close(&t);
	fake_stop(pid);
}

Test(target, other_layouts_are_refused)
{
	const char *const modes[] = { "version", "sizes" };

	for (size_t i = 0; i < 2; i++) {
		pid_t pid = fake_start(modes[i]);
		struct target t;

		cr_assert_eq(target_open(&t, pid), 0);
		cr_expect_eq(target_find_roots(&t), -EPROTO);
		cr_expect_not_null(strstr(t.message, "layout version"), "%s", t.message);
		target_close(&t);
		fake_stop(pid);
	}
}

Test(target, uninitialised_library_is_found)
{
	pid_t pid = fake_start("early");
	struct target t;

	cr_assert_eq(target_open(&t, pid), 0);
	cr_expect_eq(target_find_roots(&t), 0, "%s", t.message);
	cr_expect_eq(t.roots[0].observe.state, 0);
	target_close(&t);
	fake_stop(pid);
}

Test(target, process_without_library)
{
	struct target t;
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/sleep", "sleep", "60", (char *)NULL);
		_exit(127);
	}
	/* Until exec has happened this is a copy of the test program, which may carry the library. */
	do {
		usleep(1000);
		cr_assert_eq(target_open(&t, pid), 0);
		if (strcmp(t.comm, "sleep"))
			target_close(&t);
	} while (!t.ops);
	cr_expect_eq(target_find_roots(&t), -ENOENT);
	cr_expect_not_null(strstr(t.message, "does not carry libkmem; start it with LD_PRELOAD"), "%s", t.message);
	target_close(&t);
	fake_stop(pid);
}
