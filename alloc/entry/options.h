/* SPDX-License-Identifier: BSD-2-Clause */
/* options.h - reading the options at start. */
#ifndef ENTRY_OPTIONS_H
#define ENTRY_OPTIONS_H

#include <kmem/options.h>

/* Apply the value of KMEM_OPTIONS (NULL: not set) to the options in force; a mistake is reported. */
void options_read(const char *text);

#endif
