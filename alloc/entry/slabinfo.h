/* SPDX-License-Identifier: BSD-2-Clause */
/* slabinfo.h - the caches as text in the format of /proc/slabinfo. */
#ifndef ENTRY_SLABINFO_H
#define ENTRY_SLABINFO_H

/* Print it to a file descriptor, without allocating. */
void slabinfo_print(int fd);

#endif
