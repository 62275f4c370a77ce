/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/module.h for the kernel sources under test: a module is initialised before main() and leaves after it. */
#ifndef TESTS_COMPAT_MODULE_H
#define TESTS_COMPAT_MODULE_H

#include <stdlib.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>

#undef module_init
#undef module_exit
#define module_init(init)                                                         \
	__attribute__((constructor)) static void init##_at_start(void)            \
	{                                                                         \
		if (init())                                                       \
			exit(1);                                                  \
	}
#define module_exit(leave)                                                        \
	__attribute__((destructor)) static void leave##_at_end(void)              \
	{                                                                         \
		leave();                                                          \
	}

#undef MODULE_LICENSE
#define MODULE_LICENSE(text)     _Static_assert(sizeof(text) > 1, "licence")
#define MODULE_DESCRIPTION(text) _Static_assert(sizeof(text) > 1, "description")
#define MODULE_AUTHOR(text)      _Static_assert(sizeof(text) > 1, "author")

#endif
