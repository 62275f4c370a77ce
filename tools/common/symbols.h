/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbols.h - names for code addresses of a process or of the kernel.
 *
 * A process's modules are opened through /proc/PID/map_files or /proc/PID/root,
 * so that deleted files and other mount namespaces are found; libdwfl reads
 * the symbols. The kernel's come from /proc/kallsyms.
 */
#ifndef COMMON_SYMBOLS_H
#define COMMON_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYMBOLS_NAME_BYTES 256

struct symbols;

/*
 * Open for a process, or for the kernel with pid 0. Return 0 or -errno (-ESRCH,
 * -EPERM: the maps or kallsyms are not readable, addresses are hidden; -ENOMEM)
 * with one line in err[len].
 */
int symbols_open(struct symbols **symbols, pid_t pid, char *err, size_t len);

/*
 * Name of the code at `addr`: "function+0x12 [module]", without a symbol
 * "[module+0x1234]", outside all modules "0x7f12...". Always fills buf and returns it.
 */
const char *symbols_name(struct symbols *symbols, uint64_t addr, char *buf, size_t len);

/*
 * The same in the shape of the kernel's backtraces, with the size of the
 * function: "function+0x12/0x40 [module]". Without a symbol as symbols_name().
 */
const char *symbols_frame(struct symbols *symbols, uint64_t addr, char *buf, size_t len);

/* The process has mapped or unmapped modules since. Return 0 or -errno; the old state stays then. */
int symbols_refresh(struct symbols *symbols);

/* Release. NULL is fine. */
void symbols_close(struct symbols *symbols);

#endif
