// SPDX-License-Identifier: BSD-2-Clause
/* bpfenv.c - libbpf kept quiet, errors in plain words, facts about the kernel. */
#include "common/bpfenv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

static bool show_messages;

__attribute__((format(printf, 2, 0)))
static int print_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (!show_messages || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, fmt, args);
}

void bpfenv_init(void)
{
	libbpf_set_print(print_message);
}

void bpfenv_set_verbose(bool verbose)
{
	show_messages = verbose;
	bpfenv_init();
}

int bpfenv_fail(char *err, size_t len, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err, len, fmt, args);
	va_end(args);
	return error;
}

/* True if this process may load tracing programs, as far as capabilities go. */
static bool may_trace(void)
{
	const uint64_t sys_admin = UINT64_C(1) << 21;
	const uint64_t both = UINT64_C(1) << 38 | UINT64_C(1) << 39; /* PERFMON, BPF */
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long caps = 0;
	char line[256];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(file);
	return caps & sys_admin || (caps & both) == both;
}

/* libbpf out of memory ends in all kinds of errors, for want of types or of a buffer. */
static bool address_space_is_limited(void)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY;
}

/* What helps against an error, or NULL if only the error's own text is known. */
static const char *remedy(int error)
{
	switch (-error) {
	case EPERM:
	case EACCES:
		if (!may_trace())
			return "needs CAP_BPF and CAP_PERFMON (try sudo)";
		return "the kernel refused it in spite of enough capabilities "
		       "(lockdown, seccomp or verifier)";
	case ENOSYS:
		return "this kernel has no BPF; use one with CONFIG_BPF_SYSCALL";
	case ENOMEM:
	case E2BIG:
		return "no memory for BPF maps; raise the memory limit or ask for fewer counters";
	case EINVAL:
	case ESRCH:
	case EOPNOTSUPP:
		if (address_space_is_limited())
			return "refused, probably for lack of memory; raise ulimit -v";
		return "this kernel refuses the program; use 6.1 or later with BTF";
	default:
		return NULL;
	}
}

int bpfenv_error(char *err, size_t len, int error, const char *what)
{
	const char *help = remedy(error);

	return bpfenv_fail(err, len, error, "cannot %s: %s", what,
			   help ? help : strerror(-error));
}

/* The running kernel's types, NULL if it has none. Loaded once (20 ms) and kept. */
static const struct btf *kernel_btf(void)
{
	static struct btf *btf;
	static bool tried;

	if (!tried)
		btf = btf__load_vmlinux_btf();
	tried = true;
	return btf;
}

bool bpfenv_kernel_types_fit(void)
{
	/* libbpf says nothing about why: it goes on to try other files, and their lack is the error. */
	return kernel_btf() || access("/sys/kernel/btf/vmlinux", R_OK);
}

bool bpfenv_kernel_has_func(const char *name)
{
	const struct btf *btf = kernel_btf();

	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* Looks into unnamed structures and unions, too, as C does. */
static bool has_member(const struct btf *btf, uint32_t id, const char *field)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const struct btf_member *member;
	unsigned int i;

	while (type && btf_is_mod(type))
		type = btf__type_by_id(btf, type->type);
	if (!type || !btf_is_composite(type))
		return false;
	member = btf_members(type);
	for (i = 0; i < btf_vlen(type); i++, member++) {
		const char *name = btf__name_by_offset(btf, member->name_off);

		if (name && *name ? strcmp(name, field) == 0
				  : has_member(btf, member->type, field))
			return true;
	}
	return false;
}

bool bpfenv_kernel_has_field(const char *structure, const char *field)
{
	const struct btf *btf = kernel_btf();
	int id = btf ? btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT) : -ENOENT;

	return id > 0 && has_member(btf, (uint32_t)id, field);
}

void bpfenv_kernel_symbols(const char *const *names, uint64_t *addresses, size_t nr)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512];
	size_t i, missing = nr;

	memset(addresses, 0, nr * sizeof(*addresses));
	while (file && missing && fgets(line, sizeof(line), file)) {
		/* "ffffffff81000000 T name": there are a hundred thousand, so nothing is parsed in vain. */
		const char *symbol = strchr(line, ' ');
		size_t len;

		if (!symbol || !symbol[1] || symbol[2] != ' ')
			continue;
		symbol += 3;
		len = strcspn(symbol, " \t\n");
		for (i = 0; i < nr; i++)
			if (!addresses[i] && !strncmp(symbol, names[i], len) && !names[i][len]) {
				addresses[i] = strtoull(line, NULL, 16);
				missing--;
			}
	}
	if (file)
		fclose(file);
}

uint64_t bpfenv_kernel_symbol(const char *name)
{
	uint64_t address;

	bpfenv_kernel_symbols(&name, &address, 1);
	return address;
}

uint32_t bpfenv_parse_id_list(const char *list)
{
	uint32_t highest = 0;
	bool any = false;
	char *end;

	while (*list) {
		unsigned long id = strtoul(list, &end, 10);

		if (end == list || id >= UINT32_MAX)
			return 0;
		if (id > highest)
			highest = (uint32_t)id;
		any = true;
		if (*end != '-' && *end != ',')
			break;
		list = end + 1;
	}
	return any ? highest + 1 : 0;
}

static uint32_t read_id_list(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024] = "";
	uint32_t nr = 0;

	if (!file)
		return 1;
	if (fgets(line, sizeof(line), file))
		nr = bpfenv_parse_id_list(line);
	fclose(file);
	return nr ? nr : 1;
}

uint32_t bpfenv_nr_cpus(void)
{
	return read_id_list("/sys/devices/system/cpu/possible");
}

uint32_t bpfenv_nr_nodes(void)
{
	return read_id_list("/sys/devices/system/node/possible");
}

uint64_t bpfenv_missed(int program_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program_fd, &info, &size))
		return 0;
	return info.recursion_misses;
}
