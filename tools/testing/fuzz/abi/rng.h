/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers that a seed gives again (splitmix64).
 */
#ifndef ABI_RANDOM_RNG_H
#define ABI_RANDOM_RNG_H

#include <stdbool.h>
#include <stdint.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = (rng->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Below @n, which is not 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return rng_next(rng) % n;
}

static inline bool rng_percent(struct rng *rng, unsigned int percent)
{
	return rng_below(rng, 100) < percent;
}

/* One of the arguments, all of one type. */
#define rng_pick(rng, first, ...) ({					\
	const __typeof__((first) + 0) _all[] = { first, ##__VA_ARGS__ };	\
									\
	_all[rng_below(rng, ARRAY_SIZE(_all))];		\
})

#endif /* ABI_RANDOM_RNG_H */
