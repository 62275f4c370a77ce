/* SPDX-License-Identifier: BSD-2-Clause */
/* The seam to the system: what each call promises about memory, time, errno. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/os.h"

enum { BYTES = 256 << 10 };

/* The "VmFlags:" or Name line of /proc/self/smaps for the mapping of addr. */
static bool mapping_says(const void *addr, const char *word)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	bool inside = false, found = false;

	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)addr >= start && (uintptr_t)addr < end;
		if (inside && strstr(line, word))
			found = true;
	}
	fclose(f);
	return found;
}

Test(os, a_reservation_is_aligned_and_not_accessible)
{
	size_t align;

	for (align = 4096; align <= 4u << 20; align *= 4) {
		uint8_t *p = os_reserve(BYTES, align);

		cr_assert_not_null(p);
		cr_expect_eq((uintptr_t)p % align, 0);
		cr_expect_not(readable(p));
		cr_expect_not(readable(p + BYTES - 1));
		os_release(p, BYTES);
	}
}

Test(os, a_reservation_is_left_out_of_core_dumps_until_committed)
{
	uint8_t *p = os_reserve(BYTES, 4096);

	cr_expect(mapping_says(p, " dd"));
	cr_expect_eq(os_commit(p, BYTES), 0);
	cr_expect_not(mapping_says(p, " dd"));
}

Test(os, a_reservation_beyond_the_address_space_fails_quietly)
{
	errno = 77;
	cr_expect_null(os_reserve((size_t)1 << 60, 4096));
	cr_expect_eq(errno, 77);
}

Test(os, release_gives_the_addresses_back)
{
	uint8_t *p = os_reserve(BYTES, 4096);

	os_release(p, BYTES);
	cr_expect_eq(mmap(p, BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), p);
}

Test(os, committed_memory_is_zero_and_writable)
{
	uint8_t *p = os_reserve(BYTES, 4096);

	cr_assert_eq(os_commit(p + 4096, 8192), 0);
	cr_expect(all_bytes(p + 4096, 8192, 0));
	memset(p + 4096, 1, 8192);
	cr_expect_not(readable(p));
	cr_expect_not(readable(p + 4096 + 8192));
}

Test(os, commit_of_nothing_mapped_is_an_error)
{
	uint8_t *p = os_reserve(BYTES, 4096);

	os_release(p, BYTES);
	errno = 77;
	cr_expect_eq(os_commit(p, BYTES), -ENOMEM);
	cr_expect_eq(os_commit(p + 1, BYTES), -EINVAL);
	cr_expect_eq(errno, 77);
}

Test(os, decommitted_memory_is_gone_and_comes_back_as_zeroes)
{
	uint8_t *p = os_reserve(BYTES, 4096);

	os_commit(p, BYTES);
	memset(p, 0xaa, BYTES);
	cr_assert_eq(os_decommit(p, BYTES), 0);
	cr_expect_not(readable(p));
	cr_assert_eq(os_commit(p, BYTES), 0);
	cr_expect(all_bytes(p, BYTES, 0));
}

Test(os, purged_memory_leaves_the_process_and_reads_as_zeroes)
{
	uint8_t *p = os_reserve(BYTES, 4096);

	os_commit(p, BYTES);
	memset(p, 0xaa, BYTES);
	cr_expect_eq(resident_pages(p, BYTES), BYTES / 4096);
	cr_assert_eq(os_purge(p, BYTES), 0);
	cr_expect_eq(resident_pages(p, BYTES), 0);
	cr_expect(all_bytes(p, BYTES, 0));
}

Test(os, moved_pages_keep_their_content_and_leave_a_reservation)
{
	uint8_t *from = os_reserve(BYTES, 4096), *to = os_reserve(BYTES, 4096);

	os_commit(from, BYTES);
	os_commit(to, BYTES);
	memset(from, 0x5a, BYTES);
	cr_assert_eq(os_move(from, to, BYTES), 0);
	cr_expect(all_bytes(to, BYTES, 0x5a));
	cr_expect_not(readable(from));
	/* The old place is still ours: nobody else is given it. */
	cr_expect_eq(os_commit(from, BYTES), 0);
	cr_expect(all_bytes(from, BYTES, 0));
}

Test(os, huge_pages_are_advised)
{
	uint8_t *p = os_reserve(4u << 20, 4u << 20);

	os_commit(p, 4u << 20);
	os_advise_huge(p, 4u << 20);
	if (access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK))
		cr_skip("kernel without transparent huge pages");
	cr_expect(mapping_says(p, " hg"));
}

Test(os, a_mapping_carries_its_name_where_the_kernel_can)
{
	uint8_t *p = os_reserve(BYTES, 4096);

	os_commit(p, BYTES);
	if (prctl(0x53564d41, 0, p, BYTES, "probe"))
		cr_skip("kernel without CONFIG_ANON_VMA_NAME");
	os_name(p, BYTES, "kmem test name");
	cr_expect(mapping_says(p, "[anon:kmem test name]"));
}

Test(os, futex_wait_returns_when_the_word_differs)
{
	uint32_t word = 1;

	errno = 77;
	os_futex_wait(&word, 2);
	os_futex_wake(&word, 1);
	cr_expect_eq(errno, 77);
}

static uint32_t word;

static void *sleeper(void *unused)
{
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 1)
		os_futex_wait(&word, 1);
	return unused;
}

Test(os, futex_wake_wakes_a_sleeper, .timeout = 10)
{
	pthread_t thread;

	word = 1;
	pthread_create(&thread, NULL, sleeper, NULL);
	usleep(20000);
	__atomic_store_n(&word, 0, __ATOMIC_RELEASE);
	os_futex_wake(&word, 1);
	cr_expect_eq(pthread_join(thread, NULL), 0);
}

Test(os, membarrier_works_once_registered)
{
	errno = 77;
	cr_expect_eq(os_membarrier_register(), 0);
	cr_expect_eq(os_membarrier(), 0);
	cr_expect_eq(errno, 77);
}

Test(os, no_cpu_number_reaches_the_count)
{
	cpu_set_t set;
	int cpu;

	cr_assert_geq(os_nr_cpus(), 1);
	cr_assert_geq((long)os_nr_cpus(), sysconf(_SC_NPROCESSORS_ONLN));
	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	for (cpu = (int)os_nr_cpus(); cpu < CPU_SETSIZE; cpu++)
		cr_assert_not(CPU_ISSET(cpu, &set));
}

Test(os, identity_and_time)
{
	uint64_t before = os_now_ns();
	struct timespec now;

	usleep(1000);
	cr_expect_geq(os_now_ns(), before + 1000000);
	clock_gettime(CLOCK_MONOTONIC, &now);
	cr_expect_lt(os_now_ns() / 1000000000 - (uint64_t)now.tv_sec, 5);
	cr_expect_eq(os_getpid(), getpid());
	cr_expect_eq(os_gettid(), (int)syscall(SYS_gettid));
}

Test(os, auxiliary_vector)
{
	errno = 77;
	cr_expect_eq(os_auxval(AT_PAGESZ), 4096);
	cr_expect_eq(os_auxval(0x7fffffff), 0);
	cr_expect_eq(errno, 77);
}

Test(os, write_puts_out_everything_and_ignores_errors)
{
	char buf[8] = { 0 };
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	os_write(fd[1], "hello", 5);
	cr_expect_eq(read(fd[0], buf, sizeof(buf)), 5);
	cr_expect_str_eq(buf, "hello");
	errno = 77;
	os_write(-1, "x", 1);
	cr_expect_eq(errno, 77);
}

Test(os, abort_is_sigabrt, .signal = SIGABRT)
{
	os_abort();
}

Test(os, readable_tells_mapped_from_guarded_and_unmapped)
{
	char *pages = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_eq(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	errno = 5;
	cr_expect(os_readable(pages));
	cr_expect_not(os_readable(pages + 4096));
	cr_expect_not(os_readable((void *)8));
	cr_expect_eq(errno, 5);
}

Test(os, a_whole_file_is_mapped)
{
	char path[512], copy[16];
	const char *map;
	size_t bytes = 0;

	cr_assert(os_read_link("/proc/self/exe", path, sizeof(path)));
	cr_expect_not(os_read_link("/proc/self/exe", path + 256, 4));
	map = os_map_file(path, &bytes);
	cr_assert(map && bytes > 4096 && !memcmp(map, "\177ELF", 4));
	cr_expect_eq(os_pread_file(path, 4, copy, sizeof(copy)), sizeof(copy));
	cr_expect_arr_eq(copy, map + 4, sizeof(copy));
	cr_expect_null(os_map_file("/nonexistent", &bytes));
	cr_expect_eq(os_pread_file("/nonexistent", 0, copy, sizeof(copy)), 0);
	os_release((void *)(uintptr_t)map, bytes);
}

static void *volatile touched;
static volatile bool was_write;

static bool on_fault(void *addr, bool write, uintptr_t pc, uintptr_t frame_pointer)
{
	(void)pc;
	(void)frame_pointer;
	touched = addr;
	was_write = write;
	return !mprotect((void *)((uintptr_t)addr & ~UINT64_C(4095)), 4096, PROT_READ | PROT_WRITE);
}

Test(os, faults_are_told_and_may_be_mended)
{
	volatile char *pages = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char c;

	os_on_fault(on_fault);
	c = pages[0];
	(void)c;
	cr_expect_eq(touched, pages);
	cr_expect_not(was_write);
	pages[4096] = 1;
	cr_expect_eq(touched, pages + 4096);
	cr_expect(was_write);
}

Test(os, resident_pages_are_those_written_to)
{
	uint8_t *range = os_reserve(16 << 12, 4096);

	cr_assert_eq(os_commit(range, 16 << 12), 0);
	cr_expect_eq(os_resident_pages(range, 16 << 12), 0);
	range[0] = range[5 << 12] = 1;
	cr_expect_eq(os_resident_pages(range, 16 << 12), 2);
	errno = 1234;
	cr_expect_eq(os_resident_pages(range + 1, 4096), 0, "not a page");
	cr_expect_eq(errno, 1234);
	os_release(range, 16 << 12);
}
