/* SPDX-License-Identifier: BSD-2-Clause */
/* library.h - where libkmem-malloc.so is, which programs are started with. */
#ifndef COMMON_LIBRARY_H
#define COMMON_LIBRARY_H

#include <stddef.h>

#define LIBRARY_NAME "libkmem-malloc.so"

/*
 * Beside the running program, as it is built, or in the lib folder beside its bin folder, as it is
 * installed; else its bare name, for the dynamic linker's own search. Always fills path[len].
 */
void library_find(char *path, size_t len);

/* The same for another one: "libkmem.so.0". */
void library_find_named(const char *name, char *path, size_t len);

#endif
