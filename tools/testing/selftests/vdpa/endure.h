/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests whose length is a matter of patience: short in every run of all tests,
 * long where VDPA_ENDURE=1 is in the environment (VM_ENV of the script "run").
 */
#ifndef VDPA_SELFTESTS_ENDURE_H
#define VDPA_SELFTESTS_ENDURE_H

#include <stdlib.h>

static inline unsigned long endure(unsigned long usual, unsigned long all)
{
	return getenv("VDPA_ENDURE") ? all : usual;
}

#endif /* VDPA_SELFTESTS_ENDURE_H */
