/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * os.h - the seam to the system: every system call that the allocator makes.
 *
 * All functions are async-signal-safe and leave errno alone. Sizes are bytes
 * and, where memory is mapped, multiples of the page size.
 */
#ifndef BASE_OS_H
#define BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reserve address space without memory, aligned (a power of two), left out of core dumps. NULL on failure. */
void *os_reserve(size_t bytes, size_t align);

/* Give a reservation back to the system. */
void os_release(void *addr, size_t bytes);

/* Make reserved pages readable and writable, zero-filled, and part of core dumps. 0 or -errno. */
int os_commit(void *addr, size_t bytes);

/* Undo os_commit(): the memory goes back to the system, the addresses stay reserved. 0 or -errno. */
int os_decommit(void *addr, size_t bytes);

/* Drop the contents of committed pages: they read as zeroes from now on. 0 or -errno. */
int os_purge(void *addr, size_t bytes);

/* Move committed pages to another committed place of the same size without copying. 0 or -errno. */
int os_move(void *from, void *to, size_t bytes);

/* Ask for huge pages behind a range. */
void os_advise_huge(void *addr, size_t bytes);

/* Name an anonymous mapping for /proc/PID/maps where the kernel can. */
void os_name(void *addr, size_t bytes, const char *name);

/* Sleep while *word == expected; wake up to nr sleepers. Spurious returns happen. */
void os_futex_wait(uint32_t *word, uint32_t expected);
/* As above, for at most timeout_ns nanoseconds. */
void os_futex_wait_for(uint32_t *word, uint32_t expected, uint64_t timeout_ns);
void os_futex_wake(uint32_t *word, int nr);

/*
 * Register for, and issue, the barrier that restarts every rseq critical
 * section in progress in this process. 0 or -errno.
 */
int os_membarrier_register(void);
int os_membarrier(void);

/* Start of a file, terminated, into text (at most bytes - 1 of it). Return: length, or -1 when it cannot be read. */
long os_read_file(const char *path, char *text, size_t bytes);

/* Number of the running CPU. No system call (vDSO). */
unsigned int os_this_cpu(void);

/* Highest possible CPU number + 1; never 0. */
unsigned int os_nr_cpus(void);

/* Value of an auxiliary vector entry, 0 when absent. */
unsigned long os_auxval(unsigned long type);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t os_now_ns(void);

/* Thread id of the caller; process id. */
int os_gettid(void);
int os_getpid(void);

/* Whole buffer to a file descriptor, errors ignored: for reports only. */
void os_write(int fd, const void *buf, size_t len);

/* End the process as BUG() does: SIGABRT. */
__attribute__((noreturn)) void os_abort(void);

#endif
