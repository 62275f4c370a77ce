// SPDX-License-Identifier: BSD-2-Clause
/* The compiler knows how many bytes are behind what was allocated: fortified functions rely on it. */
#include <stdio.h>
#include <linux/slab.h>
#include <linux/mm.h>

static int failed;

#define KNOWN(bytes, expression)                                                            \
	do {                                                                                \
		void *p = (expression);                                                     \
		size_t seen = __builtin_object_size(p, 1);                                  \
		if (seen != (bytes)) {                                                      \
			printf("%s: %zd bytes for the compiler\n", #expression, (ssize_t)seen); \
			failed = 1;                                                         \
		}                                                                           \
	} while (0)

int main(void)
{
	struct request { char a[48]; };

	KNOWN(40, kmalloc(40, GFP_KERNEL));
	KNOWN(40, kzalloc(40, GFP_KERNEL));
	KNOWN(40, kmalloc_node(40, GFP_KERNEL, 0));
	KNOWN(40, kzalloc_node(40, GFP_KERNEL, 0));
	KNOWN(40, kmalloc_array(10, 4, GFP_KERNEL));
	KNOWN(40, kcalloc(10, 4, GFP_KERNEL));
	KNOWN(40, kcalloc_node(10, 4, GFP_KERNEL, 0));
	KNOWN(40, krealloc(NULL, 40, GFP_KERNEL));
	KNOWN(40, krealloc_array(NULL, 10, 4, GFP_KERNEL));
	KNOWN(40, kmalloc_track_caller(40, GFP_KERNEL));
	KNOWN(3, kmemdup("abc", 3, GFP_KERNEL));
	KNOWN(40, kvmalloc(40, GFP_KERNEL));
	KNOWN(40, kvzalloc(40, GFP_KERNEL));
	KNOWN(40, kvcalloc(10, 4, GFP_KERNEL));
	KNOWN(40, kvrealloc(NULL, 40, GFP_KERNEL));
	KNOWN(40, vmalloc(40));
	KNOWN(40, vzalloc(40));
	KNOWN(40, vcalloc(10, 4));
	KNOWN(40, alloc_pages_exact(40, GFP_KERNEL));
	KNOWN(48, kzalloc_obj(struct request));
	KNOWN(96, kmalloc_objs(struct request, 2));
	return failed;
}
