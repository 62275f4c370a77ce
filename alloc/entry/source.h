/* SPDX-License-Identifier: BSD-2-Clause */
/* source.h - this process as a source for alloc/text. */
#ifndef ENTRY_SOURCE_H
#define ENTRY_SOURCE_H

#include "text/text.h"

struct text_source source_self(void);

#endif
