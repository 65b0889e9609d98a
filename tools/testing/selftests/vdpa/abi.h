/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of the tests of ioctls: a device of vdpa_mock that is open and
 * has no owner yet.
 */
#ifndef VDPA_SELFTESTS_ABI_H
#define VDPA_SELFTESTS_ABI_H

#include "common.h"
#include "dev.h"
#include "mockdev.h"
#include "vhost.h"

FIXTURE(abi) {
	struct mockdev dev;
	int fd;
};

/* Another device than that of the fixture: its file. */
static inline int again(struct __test_metadata *_metadata, struct mockdev *dev,
			const char *knobs)
{
	ASSERT_STREQ("", mock_del(dev));
	ASSERT_EQ(0, mock_add(dev, knobs));
	return dev->fd;
}

FIXTURE_SETUP(abi)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_add(&self->dev, ""));
	self->fd = self->dev.fd;
}

FIXTURE_TEARDOWN(abi)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

#endif /* VDPA_SELFTESTS_ABI_H */
