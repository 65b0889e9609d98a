/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of the kernel has run, as libFuzzer wants to know it: each basic block
 * of the instrumented modules has an 8-bit counter.
 */
#ifndef FUZZ_KCOV_H
#define FUZZ_KCOV_H

/*
 * In this order: the first thread follows what workers of the kernel do for
 * those threads that it makes from now on, and one of these follows itself.
 * Both answer NULL, or why that cannot be.
 */
const char *kcov_follow_workers(void);
const char *kcov_follow_self(void);

/* Forget what has run; and count what has run since. */
void kcov_forget(void);
void kcov_count(void);

/* Prints how many blocks of each module have been seen. */
void kcov_tell(void);

#endif /* FUZZ_KCOV_H */
