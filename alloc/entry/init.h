/* SPDX-License-Identifier: BSD-2-Clause */
/* init.h - bringing the library up, from its constructor or the first malloc(). */
#ifndef ENTRY_INIT_H
#define ENTRY_INIT_H

#include <stdbool.h>

/* Initialise once. Safe to call at any time, also before constructors have run. */
void kmem_init(void);

#endif
