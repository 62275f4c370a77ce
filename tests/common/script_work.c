/* SPDX-License-Identifier: BSD-2-Clause */
/* script_work.c - objects' numbers are used again; random work keeps to its CPUs. */
#include "common/script_work.h"

#include <criterion/criterion.h>

Test(script_work, numbers_are_used_again)
{
	struct script script = { 0 };
	struct script_work work = { .script = &script };
	uint32_t a, b;

	cr_assert_eq(script_work_alloc(&work, 0, &a), 0);
	cr_assert_eq(script_work_alloc(&work, 0, &b), 0);
	cr_assert_neq(a, b);
	cr_assert_eq(script_work_free(&work, 0, a), 0);
	cr_assert_eq(script_work_alloc(&work, 0, &b), 0);
	cr_assert_eq(a, b);
	cr_assert_eq(script.nr_objects, 2);
	script_work_close(&work);
	script_free(&script);
}

Test(script_work, random_never_frees_what_is_not_live)
{
	struct script script = { 0 };
	struct script_work work = { .script = &script, .seed = 5, .cpu = 1 };
	const struct script_random random = { .steps = 20000, .live = 300, .cpus = 2 };
	static bool live[20000];

	cr_assert_eq(script_work_random(&work, 2, &random), 0);
	cr_assert_eq(work.cpu, 1);
	cr_assert_eq(script_work_drain(&work, 2), 0);
	for (size_t i = 0; i < script.nr_ops; i++) {
		const struct script_op *op = &script.ops[i];

		cr_assert_eq(live[op->object], op->kind == SCRIPT_FREE);
		cr_assert_eq(op->cache, 2);
		cr_assert_lt(op->cpu, 2);
		live[op->object] = !live[op->object];
	}
	for (uint32_t i = 0; i < script.nr_objects; i++)
		cr_assert_not(live[i]);
	script_work_close(&work);
	script_free(&script);
}
