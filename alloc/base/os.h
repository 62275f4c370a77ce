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

/* As os_purge(), but the system takes the memory when it needs it: until then the contents may stay. */
int os_purge_lazily(void *addr, size_t bytes);

/* Make committed pages inaccessible, contents kept, and accessible again. 0 or -errno. */
int os_protect(void *addr, size_t bytes, bool accessible);

/* Ask for huge pages behind a range, or for none. */
void os_advise_huge(void *addr, size_t bytes);
void os_advise_small(void *addr, size_t bytes);

/* Replace reserved pages by huge ones of 2 MiB from the system's pool. 0 or -errno, -ENOMEM when it has too few. */
int os_commit_huge(void *addr, size_t bytes);

/* Prefer memory of a node for a range not yet touched. */
void os_prefer_node(void *addr, size_t bytes, unsigned int node);

/* As os_reserve(), at an address. False when something is there, or the system refuses. */
bool os_reserve_at(void *addr, size_t bytes);

/* Name an anonymous mapping for /proc/PID/maps where the kernel can. */
void os_name(void *addr, size_t bytes, const char *name);

/* Sleep while *word == expected; wake up to nr sleepers. Spurious returns happen. */
void os_futex_wait(uint32_t *word, uint32_t expected);
/* As os_futex_wait(), for at most that long. Return: false when the time is up. */
bool os_futex_wait_for(uint32_t *word, uint32_t expected, uint64_t ns);
void os_futex_wake(uint32_t *word, int nr);

/* Let other threads run; sleep for at least ns nanoseconds. */
void os_yield(void);
void os_sleep_ns(long ns);

/*
 * Register for, and issue, the barrier that restarts every rseq critical
 * section in progress in this process. 0 or -errno.
 */
int os_membarrier_register(void);
int os_membarrier(void);

/* Start of a file, terminated, into text (at most bytes - 1 of it). Return: length, or -1 when it cannot be read. */
long os_read_file(const char *path, char *text, size_t bytes);

/* The limit on the process's address space in bytes (ulimit -v), SIZE_MAX without one. */
size_t os_address_limit(void);

/* Number of the running CPU. No system call (vDSO). */
unsigned int os_this_cpu(void);

/* Highest possible CPU number + 1; never 0. */
unsigned int os_nr_cpus(void);

/* Value of an auxiliary vector entry, 0 when absent. */
unsigned long os_auxval(unsigned long type);

/* A random number, from the system. */
uint64_t os_random(void);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t os_now_ns(void);

/* Name of the program, without its folder. No system call. */
const char *os_program_name(void);

/* Thread id of the caller; process id. */
int os_gettid(void);
int os_getpid(void);

/* Whether the byte at addr can be read; for places that may be unmapped or guarded. */
bool os_readable(const void *addr);

/* How many pages of a range are in memory; 0 when it cannot be told. At most 4 MiB. */
size_t os_resident_pages(void *addr, size_t bytes);

/* Map a whole file for reading. NULL when that fails; else *bytes is its size, and os_release() unmaps it. */
const void *os_map_file(const char *path, size_t *bytes);

/* Up to `bytes` of a file from `offset` on. Return: bytes read, 0 at the end or on failure. */
size_t os_pread_file(const char *path, size_t offset, void *buf, size_t bytes);

/* Target of a symbolic link, terminated. Return: false when it cannot be read whole. */
bool os_read_link(const char *path, char *buf, size_t bytes);

/*
 * Call `handler` when memory is touched that must not be: address, whether it was
 * a write, program counter and frame pointer. Where it returns false, what was
 * installed for SIGSEGV before goes on. The handler must be async-signal-safe.
 */
typedef bool (*os_fault_handler)(void *addr, bool write, uintptr_t pc, uintptr_t frame_pointer);
void os_on_fault(os_fault_handler handler);

/* Whole buffer to a file descriptor, errors ignored: for reports only. */
void os_write(int fd, const void *buf, size_t len);

/* End the process as BUG() does: SIGABRT. */
__attribute__((noreturn)) void os_abort(void);

#endif
