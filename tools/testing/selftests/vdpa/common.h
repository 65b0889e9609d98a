/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every test of this directory includes first: the harness, and a check
 * of a call by its errno.
 *
 *	EXPECT_ERRNO(EINVAL, ioctl(fd, VHOST_SET_FEATURES, &features));
 *	EXPECT_ERRNO(0, ioctl(fd, VHOST_SET_OWNER));
 */
#ifndef VDPA_SELFTESTS_COMMON_H
#define VDPA_SELFTESTS_COMMON_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "kselftest_harness.h"
#include "macros.h"

/* What a system call said: 0, or the errno it failed with. */
static inline int errno_of(long ret)
{
	return ret < 0 ? errno : 0;
}

#define EXPECT_ERRNO(err, call)	EXPECT_EQ(err, errno_of(call))
#define ASSERT_ERRNO(err, call)	ASSERT_EQ(err, errno_of(call))

#endif /* VDPA_SELFTESTS_COMMON_H */
