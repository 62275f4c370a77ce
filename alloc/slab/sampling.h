/* SPDX-License-Identifier: BSD-2-Clause */
/* sampling.h - samples on and off; which they are: sampler.h. */
#ifndef SLAB_SAMPLING_H
#define SLAB_SAMPLING_H

#include <stdint.h>

/*
 * From now on one sample every so many bytes on average; 0: none. Those of kmalloc() and malloc()
 * that live then are followed to their free, those of other caches are forgotten. May wait.
 * Return: 0; -EINVAL when it is less than SAMPLE_MIN_INTERVAL.
 */
int sampling_set(uint64_t interval);

#endif
