/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfenv.h - what every user of libbpf in the tools needs: silence, plain
 * errors, and the numbers that describe the running kernel.
 */
#ifndef COMMON_BPFENV_H
#define COMMON_BPFENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shows libbpf's own messages on stderr from now on, or (the default) not. */
void bpfenv_set_verbose(bool verbose);

/* Installs the above; collect_open() and kcaches_open() call it themselves. */
void bpfenv_init(void);

/*
 * Writes one line into `err`: what could not be done, why, and what helps.
 * `what` is like "attach to the kernel's tracepoints". Returns `error` (-errno)
 * unchanged, so that callers can say return bpfenv_error(...).
 */
int bpfenv_error(char *err, size_t len, int error, const char *what);

/* The same with a message of the caller's. */
__attribute__((format(printf, 4, 5)))
int bpfenv_fail(char *err, size_t len, int error, const char *fmt, ...);

/* False if the running kernel has types, but there is not the memory (some 10 MB) to read them. */
bool bpfenv_kernel_types_fit(void);

/* True if the running kernel has a function of this name in its BTF. */
bool bpfenv_kernel_has_func(const char *name);

/* True if the running kernel's structure has this member (anonymous members included). */
bool bpfenv_kernel_has_field(const char *structure, const char *field);

/* A symbol's address by /proc/kallsyms, 0 if it is not there or hidden. Takes ~50 ms. */
uint64_t bpfenv_kernel_symbol(const char *name);

/* The same for several in one go: addresses[i] is that of names[i]. */
void bpfenv_kernel_symbols(const char *const *names, uint64_t *addresses, size_t nr);

/* The number of ids up to the highest of a list like "0-3,8" (9); 0 if it is none. */
uint32_t bpfenv_parse_id_list(const char *list);

/* Highest possible CPU or NUMA node id + 1; 1 if unknown. */
uint32_t bpfenv_nr_cpus(void);
uint32_t bpfenv_nr_nodes(void);

/* Runs of a program that the kernel skipped, 0 if it cannot be told. */
uint64_t bpfenv_missed(int program_fd);

#endif
