/* SPDX-License-Identifier: BSD-2-Clause */
/* aliases.c - links to one folder are one cache. */
#include "common/aliases.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void make_folder(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	cr_assert_eq(mkdir(path, 0700), 0);
}

static void make_link(const char *target, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	cr_assert_eq(symlink(target, path), 0);
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/aliases.%d", getpid()); /* each test is a process */
	cr_assert_eq(mkdir(dir, 0700), 0);
	make_folder(":0000064");
	make_link(":0000064", "uid_cache");
	make_link(":0000064", "dmaengine");
	make_link("../slab/:0000064", "Acpi"); /* by another way to the same folder */
	make_folder(":a-0000192");
	make_link(":a-0000192", "alone");
	make_folder("dentry");
	make_folder("task_struct");
	make_link("task_struct", "fork_task");
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(aliases, .init = setup, .fini = teardown);

Test(aliases, groups)
{
	struct aliases *aliases;
	const char *const *names;

	cr_assert_eq(aliases_read(dir, &aliases), 0);
	cr_assert_eq(aliases_of(aliases, "uid_cache", &names), 2);
	cr_assert_str_eq(names[0], "Acpi");
	cr_assert_str_eq(names[1], "dmaengine");
	cr_assert_eq(aliases_of(aliases, "Acpi", &names), 2);
	cr_assert_str_eq(names[0], "dmaengine");
	cr_assert_str_eq(names[1], "uid_cache");
	cr_assert_eq(aliases_of(aliases, "alone", &names), 0);
	cr_assert_eq(aliases_of(aliases, "dentry", &names), 0);
	cr_assert_eq(aliases_of(aliases, "task_struct", &names), 1);
	cr_assert_str_eq(names[0], "fork_task");
	cr_assert_eq(aliases_of(aliases, "no such cache", &names), 0);
	cr_assert(aliases_know(aliases, "dentry"));
	cr_assert_not(aliases_know(aliases, "no such cache"));
	aliases_free(aliases);
}

Test(aliases, no_folder)
{
	struct aliases *aliases = NULL;
	const char *const *names;

	cr_assert_eq(aliases_read("/no/such/folder", &aliases), -ENOENT);
	cr_assert_eq(aliases_of(NULL, "dentry", &names), 0);
	cr_assert_not(aliases_know(NULL, "dentry"));
	aliases_free(NULL);
}
