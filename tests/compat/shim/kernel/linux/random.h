/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/random.h for the kernel sources under test: reproducible numbers (xorshift), and a seed. */
#ifndef TESTS_COMPAT_RANDOM_H
#define TESTS_COMPAT_RANDOM_H

#include <stdint.h>
#include <linux/types.h>

struct rnd_state {
	uint64_t word;
};

static inline void prandom_seed_state(struct rnd_state *state, u64 seed)
{
	state->word = (seed | 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline u32 prandom_u32_state(struct rnd_state *state)
{
	state->word ^= state->word << 13;
	state->word ^= state->word >> 7;
	state->word ^= state->word << 17;
	return (u32)(state->word >> 32);
}

/* KUnit prints the seed that a suite took: COMPAT_SEED repeats that run. */
u32 get_random_u32(void);

#endif
