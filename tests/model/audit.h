/* SPDX-License-Identifier: BSD-2-Clause */
/* audit.h - the allocator's structures against each other, from inside. */
#ifndef TESTS_AUDIT_H
#define TESTS_AUDIT_H

/* Free lists, slabs, bitmaps, barns and slots. Nobody else may run. A difference aborts. */
void audit(void);

#endif
