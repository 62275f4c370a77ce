/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab.h - a script carried out by an allocator, with its state at every check.
 *
 *   lab_open_messages()  the kernel: System V messages, one object of a cache msg_msg-* each. Nobody else uses these
 *                        caches, so their state is the script's doing. Linux 6.12 and later with CONFIG_SLAB_BUCKETS,
 *                        sizes 64 to 4096, root
 *   lab_open_module()    the kernel: caches of any kind, made by the module of tests/vm/module
 *   lab_open_kmem()      libkmem.so, loaded into this process
 *
 * A lab belongs to one thread, which lab_run() moves between CPUs. Functions return 0, or -errno with one line in
 * lab.err that names the cause and the remedy.
 */
#ifndef COMMON_LAB_H
#define COMMON_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/script.h"
#include "kmem_cache_info.h"

struct lab;

struct lab_ops {
	/* Steps on one CPU, without a check; adds to lab->spent_ns. used[i] is the CPU number that the allocator took for step i. */
	int (*work)(struct lab *lab, const struct script_op *ops, size_t nr, uint16_t *used);
	/* The state of all caches of the script: row[nr_caches]. */
	int (*read)(struct lab *lab, struct kmem_cache_info *row);
	/* Free everything that is left, and the back end. */
	void (*close)(struct lab *lab);
};

struct lab {
	const struct lab_ops *ops;
	const struct script *script;
	void *backend;
	unsigned int nr_cpus; /* CPU numbers are below this */
	bool one_slot;        /* libkmem without rseq: one slot for all CPUs, which never grows */
	uint64_t spent_ns;    /* on steps, as the back end measures it */
	char err[320];
};

struct lab_run {
	/* Called at check number n (from 0) with a row per cache. Anything but 0 ends the run. */
	int (*check)(void *context, unsigned int n, const struct kmem_cache_info *row);
	void *context;
	uint16_t *used;    /* nr_ops CPU numbers, or NULL */
};

int lab_open_messages(struct lab *lab, const struct script *script);
int lab_open_module(struct lab *lab, const struct script *script);

/* `path` of libkmem.so; NULL: the one that the dynamic linker finds. KMEM_OPTIONS hold if it was not loaded before. */
int lab_open_kmem(struct lab *lab, const struct script *script, const char *path);

/* Carry out all steps. Return 0, what check() returned, or -errno with lab->err. */
int lab_run(struct lab *lab, struct lab_run *run);

/* Harmless on a zeroed lab and after a failed open. */
void lab_close(struct lab *lab);

/* For back ends: CLOCK_MONOTONIC. */
uint64_t lab_now_ns(void);

/* For back ends: format lab->err, return err. */
int lab_fail(struct lab *lab, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
