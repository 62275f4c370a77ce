/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * in_use.c - the walker's true number of objects, against objects that we hold.
 *
 * Holds a known number of SysV messages (kmalloc, in a cache of their own from
 * 6.12 on) and of memory mappings (kmem_cache_alloc, with sheaves on 6.18), in a
 * random pattern so that freelists, CPU partial slabs and sheaves are in use,
 * and asks the walker at each step. Others use the same caches: a step counts
 * when the difference is exact once in TRIES. Then all caches against slabinfo,
 * which tells the truth once a cache was shrunk. Exits with 0, 1, or 77 for no walker.
 */
#include "common/kcaches.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <unistd.h>

#define NR      600
#define STEPS   12
#define TRIES   60
#define QUEUES  100  /* a queue holds 16 KiB only */
#define BODY    952  /* 1000 with its header */
#define MAP_LEN 4096

static char err[256];
static struct kcaches *kc;
static int queues[QUEUES];
static char *maps;
static bool held[NR];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static const struct kmem_cache_info *find(const char *name)
{
	const struct kmem_cache_info *rows;
	size_t i, nr;

	if (kcaches_read(kc, &rows, &nr, err, sizeof(err))) {
		printf("in_use: %s\n", err);
		exit(1);
	}
	for (i = 0; i < nr; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static void message(unsigned int i, bool hold)
{
	struct {
		long type;
		char body[BODY];
	} msg = { .type = 1 + (long)(i / QUEUES) };
	int queue = queues[i % QUEUES];

	if (hold ? msgsnd(queue, &msg, BODY, IPC_NOWAIT)
		 : msgrcv(queue, &msg, BODY, msg.type, IPC_NOWAIT) != BODY)
		die("message");
}

/* Every other page of a mapping changes its protection: one VMA more, and one for the rest. */
static void mapping(unsigned int i, bool hold)
{
	if (mprotect(maps + (size_t)(2 * i + 1) * MAP_LEN, MAP_LEN,
		     hold ? PROT_READ : PROT_READ | PROT_WRITE))
		die("mprotect");
}

/* One step: some objects change hands; returns how many are held then. */
static unsigned int change(void (*hold)(unsigned int, bool))
{
	unsigned int i, nr = 0;

	for (i = 0; i < NR; i++) {
		if (rand() % 2) {
			held[i] = !held[i];
			hold(i, held[i]);
		}
		nr += held[i];
	}
	return nr;
}

/* Whether the cache is left alone by others for the time of a step. */
static bool is_still(const char *name)
{
	uint64_t first = 0;
	int i;

	for (i = 0; i < TRIES; i++) {
		const struct kmem_cache_info *row = find(name);

		if (row && i && row->in_use != first)
			return false;
		first = row ? row->in_use : 0;
		usleep(5000);
	}
	return true;
}

/* `each` objects of the cache go with each one that we hold. */
static int check(const char *name, void (*hold)(unsigned int, bool), unsigned int each)
{
	const struct kmem_cache_info *row = find(name);
	uint64_t base, want;
	int step, try, bad = 0;

	if (!row || !(row->have & KMEM_INFO_IN_USE))
		return 0;
	base = row->in_use;
	for (step = 0; step < STEPS; step++) {
		want = base + (uint64_t)change(hold) * each;
		for (try = 0; try < TRIES; try++) {
			row = find(name);
			if (row && row->in_use == want)
				break;
			usleep(5000);
		}
		if (try == TRIES) {
			printf("in_use: %s step %d: want %llu, walker says %llu, slabinfo %llu of %llu\n",
			       name, step, (unsigned long long)want, row ? row->in_use : 0,
			       row ? row->slabinfo_active : 0, row ? row->objects_total : 0);
			base += row ? row->in_use - want : 0; /* others' objects came to stay */
			bad++;
		}
	}
	for (unsigned int i = 0; i < NR; i++)
		if (held[i]) {
			hold(i, false);
			held[i] = false;
		}
	printf("in_use: %s: %d of %d steps exact\n", name, STEPS - bad, STEPS);
	if (bad > STEPS / 4 && !is_still(name)) {
		printf("in_use: %s: others use it all the time\n", name);
		return 0;
	}
	return bad > STEPS / 4;
}

/* "active_objs" of /proc/slabinfo, UINT64_MAX if it cannot be read. */
static uint64_t slabinfo_active(const char *name)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	unsigned long long active = 0;
	char line[512], this[64];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%63s %llu", this, &active) == 2 && !strcmp(this, name);
	if (file)
		fclose(file);
	return found ? active : UINT64_MAX;
}

static bool shrink(const char *name)
{
	char path[512];
	FILE *file;
	bool done;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%.63s/shrink", name);
	file = fopen(path, "we");
	if (!file)
		return false;
	done = fputs("1", file) >= 0;
	return fclose(file) == 0 && done;
}

/*
 * A shrink takes from the CPUs what they have parked: then slabinfo's count is
 * true, too, and must be what the walker said before. Caches that move meanwhile
 * are tried again, and some always move.
 */
static int check_shrunk(void)
{
	static char names[4096][64];
	const struct kmem_cache_info *rows;
	unsigned int equal = 0, moved = 0, parked = 0, nr_names = 0, i;
	size_t nr, k;
	int try;

	if (kcaches_read(kc, &rows, &nr, err, sizeof(err)))
		return 1;
	for (k = 0; k < nr && nr_names < 4096; k++)
		if (rows[k].have & KMEM_INFO_IN_USE)
			memcpy(names[nr_names++], rows[k].name, sizeof(names[0]));
	for (i = 0; i < nr_names; i++) {
		for (try = 0; try < 5; try++) {
			const struct kmem_cache_info *row = find(names[i]);
			uint64_t before = row ? row->in_use : 0, active = row ? row->slabinfo_active : 0;

			if (!row || !shrink(names[i]))
				break;
			if (slabinfo_active(names[i]) != before)
				continue;
			equal++;
			parked += active != before;
			break;
		}
		moved += try == 5;
	}
	printf("in_use: after a shrink slabinfo agrees in %u of %u caches, in %u of which it did not before\n", equal,
	       equal + moved, parked);
	return equal + moved > 0 && (moved > equal / 4 || !parked);
}

int main(void)
{
	int i, bad;

	if (kcaches_open(&kc, NULL, err, sizeof(err)) || kcaches_source(kc) == KCACHES_SLABINFO) {
		printf("in_use: no walker: %s\n", *err ? err : kcaches_why(kc));
		return 77;
	}
	/* They go with this process, however it ends. */
	if (unshare(CLONE_NEWIPC))
		die("unshare");
	for (i = 0; i < QUEUES; i++) {
		queues[i] = msgget(IPC_PRIVATE, 0600);
		if (queues[i] < 0)
			die("msgget");
	}
	maps = mmap(NULL, (2 * NR + 1) * (size_t)MAP_LEN, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (maps == MAP_FAILED)
		die("mmap");
	bad = check(find("msg_msg-1k") ? "msg_msg-1k" : "kmalloc-cg-1k", message, 1);
	bad |= check("vm_area_struct", mapping, 2);
	bad |= check_shrunk();
	for (i = 0; i < QUEUES; i++)
		msgctl(queues[i], IPC_RMID, NULL);
	kcaches_close(kc);
	return bad;
}
