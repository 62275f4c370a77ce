/* SPDX-License-Identifier: BSD-2-Clause */
/* symbol.h - the name of a code address, for reports. */
#ifndef BASE_SYMBOL_H
#define BASE_SYMBOL_H

#include <stddef.h>

/*
 * Print addr as the kernel's %pS does: "name+0x12/0x40", followed by " [file]" when
 * it is not in the program itself; "[file]+0x1234" without a symbol, "0x..."
 * outside of any file. Takes no lock and no memory but mappings of the files'
 * symbol tables, so it works everywhere. Return: buf.
 */
const char *symbol_format(char *buf, size_t bytes, const void *addr);

#endif
