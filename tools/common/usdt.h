/* SPDX-License-Identifier: BSD-2-Clause */
/* usdt.h - reads the USDT probes of an ELF file from its .note.stapsdt section. */
#ifndef COMMON_USDT_H
#define COMMON_USDT_H

#include <stddef.h>
#include <stdint.h>

#define USDT_NAME_BYTES 48
#define USDT_ARGS_BYTES 160

/* One site of a probe. Offsets are into the file, as the kernel's uprobes want them. */
struct usdt_probe {
	uint64_t site;
	uint64_t semaphore; /* 0: it has none */
	char name[USDT_NAME_BYTES];
	char args[USDT_ARGS_BYTES]; /* "8@%rdi 8@%rsi ...", as in the note */
};

/*
 * Reads the probes of one provider into a malloc'ed array. `fd` is open for
 * reading on any ELF file. Left out are probes with longer names or arguments
 * than the structure holds, and those that could never fire: with a site or a
 * semaphore that is not in the file. Returns 0 (*nr may be 0), -ENOEXEC (no ELF
 * file) or -ENOMEM; on failure nothing is to be freed.
 */
int usdt_read(int fd, const char *provider, struct usdt_probe **probes, size_t *nr);

/*
 * The register that holds argument `index` (0 is the first) of a note's argument
 * string, in its 64-bit name ("rdi" for "4@%edi"); NULL if it is elsewhere. For
 * the six argument registers of the calling convention only.
 */
const char *usdt_arg_register(const char *args, unsigned int index);

#endif
