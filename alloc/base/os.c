/* SPDX-License-Identifier: BSD-2-Clause */
/* os.c - the only file that makes system calls; see os.h for the contracts. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/base.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* errno belongs to the caller: malloc() must not change it on success. */
#define KEEP_ERRNO(call)                          \
	({                                        \
		int kept_errno = errno;           \
		__typeof__(call) result = (call); \
		errno = kept_errno;               \
		result;                           \
	})

static int checked(int saved_errno, long result)
{
	int error = errno;

	errno = saved_errno;
	return result == -1 ? -error : 0;
}

void *os_reserve(size_t bytes, size_t align)
{
	int saved = errno;
	uint8_t *raw = mmap(NULL, bytes + align, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *addr;

	errno = saved;
	if (raw == MAP_FAILED)
		return NULL;
	addr = (uint8_t *)ALIGN_UP((uintptr_t)raw, align);
	if (addr != raw)
		munmap(raw, (size_t)(addr - raw));
	munmap(addr + bytes, align - (size_t)(addr - raw));
	madvise(addr, bytes, MADV_DONTDUMP);
	errno = saved;
	return addr;
}

void os_release(void *addr, size_t bytes)
{
	(void)KEEP_ERRNO(munmap(addr, bytes));
}

int os_commit(void *addr, size_t bytes)
{
	int saved = errno;
	int rc = checked(saved, mprotect(addr, bytes, PROT_READ | PROT_WRITE));

	if (!rc)
		(void)KEEP_ERRNO(madvise(addr, bytes, MADV_DODUMP));
	return rc;
}

int os_decommit(void *addr, size_t bytes)
{
	int saved = errno;
	void *map = mmap(addr, bytes, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	int rc = checked(saved, map == MAP_FAILED ? -1 : 0);

	if (!rc)
		(void)KEEP_ERRNO(madvise(addr, bytes, MADV_DONTDUMP));
	return rc;
}

int os_purge(void *addr, size_t bytes)
{
	int saved = errno;

	return checked(saved, madvise(addr, bytes, MADV_DONTNEED));
}

int os_purge_lazily(void *addr, size_t bytes)
{
	int saved = errno;

	return checked(saved, madvise(addr, bytes, MADV_FREE));
}

int os_protect(void *addr, size_t bytes, bool accessible)
{
	int saved = errno;

	return checked(saved, mprotect(addr, bytes, accessible ? PROT_READ | PROT_WRITE : PROT_NONE));
}

int os_commit_huge(void *addr, size_t bytes)
{
	int saved = errno;
	void *map = mmap(addr, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB | (21 << MAP_HUGE_SHIFT), -1, 0);
	int rc = checked(saved, map == MAP_FAILED ? -1 : 0);

	/* The attempt may have unmapped what was there. */
	if (rc)
		os_decommit(addr, bytes);
	return rc;
}

void os_prefer_node(void *addr, size_t bytes, unsigned int node)
{
	unsigned long mask = 1UL << node;

	(void)KEEP_ERRNO(syscall(SYS_mbind, addr, bytes, MPOL_PREFERRED, &mask, 8 * sizeof(mask), 0));
}

bool os_reserve_at(void *addr, size_t bytes)
{
	int saved = errno;
	void *map = mmap(addr, bytes, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	/* Kernels before 4.17 take the address for a hint. */
	if (map != MAP_FAILED && map != addr) {
		munmap(map, bytes);
		map = MAP_FAILED;
	}
	if (map != MAP_FAILED)
		madvise(addr, bytes, MADV_DONTDUMP);
	errno = saved;
	return map != MAP_FAILED;
}

int os_move(void *from, void *to, size_t bytes)
{
	int saved = errno;
	void *map = mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	int rc = checked(saved, map == MAP_FAILED ? -1 : 0);

	/* The old place must stay reserved: mremap() unmapped it. */
	if (!rc)
		rc = os_decommit(from, bytes);
	return rc;
}

void os_advise_huge(void *addr, size_t bytes)
{
	(void)KEEP_ERRNO(madvise(addr, bytes, MADV_HUGEPAGE));
}

void os_advise_small(void *addr, size_t bytes)
{
	(void)KEEP_ERRNO(madvise(addr, bytes, MADV_NOHUGEPAGE));
}

void os_name(void *addr, size_t bytes, const char *name)
{
	(void)KEEP_ERRNO(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, bytes, name));
}

void os_futex_wait(uint32_t *word, uint32_t expected)
{
	(void)KEEP_ERRNO(syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0));
}

bool os_futex_wait_for(uint32_t *word, uint32_t expected, uint64_t ns)
{
	const struct timespec time = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
	int saved = errno;

	return checked(saved, syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &time, NULL, 0)) != -ETIMEDOUT;
}

void os_futex_wake(uint32_t *word, int nr)
{
	(void)KEEP_ERRNO(syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, nr, NULL, NULL, 0));
}

void os_yield(void)
{
	(void)KEEP_ERRNO(sched_yield());
}

void os_sleep_ns(long ns)
{
	struct timespec time = { ns / 1000000000, ns % 1000000000 };

	(void)KEEP_ERRNO(nanosleep(&time, NULL));
}

int os_membarrier_register(void)
{
	int saved = errno;

	return checked(saved, syscall(SYS_membarrier,
				      MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0));
}

int os_membarrier(void)
{
	int saved = errno;

	return checked(saved, syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0));
}

/* "0-3" or "0,2-7": the number behind the last separator, plus one. */
static unsigned int parse_cpu_list(const char *text, ssize_t len)
{
	unsigned int last = 0;
	ssize_t i;

	for (i = 0; i < len; i++) {
		if (text[i] >= '0' && text[i] <= '9')
			last = last * 10 + (unsigned int)(text[i] - '0');
		else if (text[i] == '-' || text[i] == ',')
			last = 0;
		else
			break;
	}
	return last + 1;
}

long os_read_file(const char *path, char *text, size_t bytes)
{
	int saved = errno;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = -1;

	if (fd >= 0) {
		len = read(fd, text, bytes - 1);
		close(fd);
	}
	if (len >= 0)
		text[len] = '\0';
	errno = saved;
	return len;
}

unsigned int os_this_cpu(void)
{
	int cpu = KEEP_ERRNO(sched_getcpu());

	return cpu < 0 ? 0 : (unsigned int)cpu;
}

unsigned int os_nr_cpus(void)
{
	int saved = errno;
	char buf[256];
	long len = os_read_file("/sys/devices/system/cpu/possible", buf, sizeof(buf));
	unsigned int nr = len > 0 ? parse_cpu_list(buf, len) : 0;

	if (!nr) {
		/* No sysfs: the kernel's own mask size is an upper bound of CPU numbers. */
		unsigned long mask[128];
		long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

		nr = bytes > 0 ? (unsigned int)bytes * 8 : 1;
	}
	errno = saved;
	return nr;
}

unsigned long os_auxval(unsigned long type)
{
	return KEEP_ERRNO(getauxval(type));
}

uint64_t os_random(void)
{
	uint64_t value = 0;
	int saved = errno;

	/* Early in a boot there is none yet: addresses and time will do. */
	if (syscall(SYS_getrandom, &value, sizeof(value), GRND_NONBLOCK) != sizeof(value))
		value = (os_now_ns() ^ (uintptr_t)&value) * UINT64_C(0x9e3779b97f4a7c15);
	errno = saved;
	return value;
}

uint64_t os_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

const char *os_program_name(void)
{
	return program_invocation_short_name;
}

int os_gettid(void)
{
	return (int)syscall(SYS_gettid);
}

int os_getpid(void)
{
	return (int)syscall(SYS_getpid);
}

bool os_readable(const void *addr)
{
	/* The kernel reads the set first and then finds that -1 is no way to change the mask. */
	return KEEP_ERRNO(syscall(SYS_rt_sigprocmask, -1, addr, NULL, 8) ? errno : 0) != EFAULT;
}

size_t os_address_limit(void)
{
	struct rlimit limit;

	if (KEEP_ERRNO(getrlimit(RLIMIT_AS, &limit)) || limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return limit.rlim_cur;
}

size_t os_resident_pages(void *addr, size_t bytes)
{
	unsigned char in_memory[1024];
	size_t i, nr = 0;

	if (bytes >> 12 > sizeof(in_memory) || KEEP_ERRNO(mincore(addr, bytes, in_memory)))
		return 0;
	for (i = 0; i < bytes >> 12; i++)
		nr += in_memory[i] & 1;
	return nr;
}

const void *os_map_file(const char *path, size_t *bytes)
{
	int saved = errno, fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = MAP_FAILED;
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && st.st_size > 0) {
		*bytes = (size_t)st.st_size;
		map = mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	errno = saved;
	return map == MAP_FAILED ? NULL : map;
}

size_t os_pread_file(const char *path, size_t offset, void *buf, size_t bytes)
{
	int saved = errno, fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? pread(fd, buf, bytes, (off_t)offset) : 0;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return len > 0 ? (size_t)len : 0;
}

bool os_read_link(const char *path, char *buf, size_t bytes)
{
	ssize_t len = KEEP_ERRNO(readlink(path, buf, bytes));

	if (len < 0 || (size_t)len == bytes)
		return false;
	buf[len] = '\0';
	return true;
}

static struct {
	os_fault_handler handler;
	struct sigaction before;
} fault KMEM_STATE;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	const greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
	int saved = errno;
	bool handled = fault.handler(info->si_addr, reg[REG_ERR] & 2, (uintptr_t)reg[REG_RIP], (uintptr_t)reg[REG_RBP]);

	errno = saved;
	if (handled)
		return;
	if (fault.before.sa_flags & SA_SIGINFO)
		fault.before.sa_sigaction(sig, info, context);
	else if (fault.before.sa_handler != SIG_DFL && fault.before.sa_handler != SIG_IGN)
		fault.before.sa_handler(sig);
	else /* touch it again, with nobody to catch it */
		signal(SIGSEGV, SIG_DFL);
}

void os_on_fault(os_fault_handler handler)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	int saved = errno;

	fault.handler = handler;
	sigaction(SIGSEGV, &action, &fault.before);
	errno = saved;
}

void os_write(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	int saved = errno;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		p += n;
		len -= (size_t)n;
	}
	errno = saved;
}

void os_abort(void)
{
	abort();
}
