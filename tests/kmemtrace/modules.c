/* SPDX-License-Identifier: BSD-2-Clause */
/* modules.c - this program's own files, each once, with build-ids where they have one. */
#include "kmemtrace/modules.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "kmemtrace/sample.h"

TestSuite(modules, .fini = sample_clean);

Test(modules, this_program)
{
	struct trace_writer *w = sample_begin(sample_path("m"), true);
	uint64_t here = (uintptr_t)__builtin_return_address(0), far = 0x10;
	const struct trace_module *m;
	struct modules modules = { 0 };
	struct target t;
	struct trace *trace;
	size_t nr;

	cr_assert_eq(target_open(&t, getpid()), 0);
	modules_read(&modules, &t, 4242, w);
	nr = modules.nr;
	cr_expect_gt(nr, 3);
	modules_need(&modules, &t, 4242, w, &here, 1);
	modules_need(&modules, &t, 4242, w, &far, 1);
	modules_read(&modules, &t, 4242, w);
	cr_expect_eq(modules.nr, nr, "none twice");
	trace_flush(w);
	trace_end(w);
	trace = sample_open(sample_path("m"));
	m = trace_module_of(trace, 4242, (uintptr_t)getpid);
	cr_assert_not_null(m);
	cr_expect(strstr(m->name, "libc"), "%s", m->name);
	cr_expect_eq(m->build_id_len, 20);
	trace_close(trace);
	target_close(&t);
	modules_free(&modules);
}
