// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/cleanup.h. */
#include <stddef.h>
#include <linux/cleanup.h>

static int closed;

DEFINE_FREE(close_file, int *, if (_T) (*_T)++)

static int *file_open(int *file, int keep)
{
	int *opened __free(close_file) = file;

	if (keep)
		return_ptr(opened);
	return NULL;
}

int main(void)
{
	int *taken __free(close_file) = NULL;

	if (file_open(&closed, 0) || closed != 1)
		return 1;
	taken = file_open(&closed, 1);
	if (taken != &closed || closed != 1)
		return 2;
	return no_free_ptr(taken) != &closed || taken;
}
