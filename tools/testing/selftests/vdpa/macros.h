/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel has and user space has not.
 */
#ifndef VDPA_SELFTESTS_MACROS_H
#define VDPA_SELFTESTS_MACROS_H

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif
#define BIT_ULL(nr)		(1ULL << (nr))

#define SZ_4K			0x1000UL
#define SZ_64K			0x10000UL
#define SZ_2M			0x200000UL

#endif /* VDPA_SELFTESTS_MACROS_H */
