// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches of IOTLB messages on vdpa_mock: a parent that takes whole tables
 * sees one, at the end, and its error is told; whatever ends a batch half way
 * leaves nothing of it.
 */
#include "iotlb.h"

TEST_F(iotlb, several_messages_make_one_batch)
{
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	mock_forget(&self->dev);
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x1000, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x2000, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_unmap(self->fd, 0, 0x1000, SZ_4K));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x5000, SZ_4K, self->mem, RW));
	EXPECT_LE(mock_count(&self->dev, "set_map"), 0);
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_END));
	EXPECT_LE(mock_count(&self->dev, "set_map"), 1);
	EXPECT_STREQ("0 0x2000 0x2fff 3\n0 0x5000 0x5fff 3\n",
		     mock_map(&self->dev));
}

TEST_F(iotlb, batch_may_be_empty)
{
	EXPECT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	EXPECT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_END));
	EXPECT_STREQ("", mock_map(&self->dev));
}

/* Upstream forgets the error, and the device has an old table. */
TEST_F(iotlb, batch_end_reports_what_set_map_said)
{
	if (!strstr(variant->mapping, "set_map"))
		SKIP(return, "of parents with set_map");
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x1000, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x3000, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "set_map errno 12 1"));
	EXPECT_ERRNO(ENOMEM, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_END));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
	/* The next change brings the device up to date again. */
	ASSERT_ERRNO(0, iotlb_unmap(self->fd, 0, 0, UINT64_MAX));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));
}

/* Each is a range of its own to the device. */
TEST_F_TIMEOUT(iotlb, thousands_of_mappings_go_with_the_file, 120)
{
	uint64_t page;

	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	for (page = 0; page < 4096; page++)
		ASSERT_ERRNO(0, iotlb_map(self->fd, 0, page * 2 * SZ_4K, SZ_4K,
					  self->mem, RW));
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_END));
	EXPECT_EQ(4 * 4096, status_kib("VmPin"));
	close(self->fd);
	self->dev.fd = -1;
	EXPECT_EQ(0, status_kib("VmPin"));
	EXPECT_STREQ("0 identity\n", mock_map(&self->dev));
}

TEST_F(iotlb, close_ends_an_open_batch)
{
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x1000, SZ_4K, self->mem, RW));
	close(self->fd);
	self->fd = vhost_open(self->dev.name);
	self->dev.fd = self->fd;
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_STREQ("", mock_map(&self->dev));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x1000, SZ_4K, self->mem, RW));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb, reset_ends_an_open_batch)
{
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x1000, SZ_4K, self->mem, RW));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
}

TEST_HARNESS_MAIN
