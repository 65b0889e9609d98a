// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages when the parent fails in the middle of them, or goes: what
 * was done is taken back, and where it cannot be, memory stays pinned for as
 * long as the device may reach it. The mock says at every call, and at the end
 * of each test, if a page was given back too early.
 */
#include "iotlb.h"

#include <pthread.h>
#include <unistd.h>

#include "leak.h"

#define PAGES	8

FIXTURE(iotlb_fail) {
	struct mockdev dev;
	char *mem;		/* @PAGES pages, no two in a row */
};

FIXTURE_SETUP(iotlb_fail)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	self->mem = mem_scattered(PAGES * SZ_4K);
	ASSERT_NE(NULL, self->mem);
}

FIXTURE_TEARDOWN(iotlb_fail)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F(iotlb_fail, update_is_taken_back)
{
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=dma_map"));
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0x100000, SZ_4K, self->mem,
				  RW));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_map errno 12 5"));
	EXPECT_ERRNO(ENOMEM, iotlb_map(self->dev.fd, 0, 0, PAGES * SZ_4K,
				       self->mem, RW));
	EXPECT_STREQ("0 0x100000 0x100fff 3\n", mock_map(&self->dev));
	EXPECT_EQ(4, status_kib("VmPin"));
	EXPECT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0, PAGES * SZ_4K,
				  self->mem, RW));
}

/* The device keeps what it does not give back, so its pages stay. */
TEST_F(iotlb_fail, pages_that_the_device_keeps_stay_pinned)
{
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=dma_map"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_map errno 12 5"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_unmap errno 5 1"));
	EXPECT_ERRNO(ENOMEM, iotlb_map(self->dev.fd, 0, 0, PAGES * SZ_4K,
				       self->mem, RW));
	EXPECT_EQ(4 * PAGES, status_kib("VmPin"));
	close(self->dev.fd);
	self->dev.fd = -1;
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_F(iotlb_fail, table_that_the_device_keeps_stays_pinned)
{
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=set_map"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "set_map errno 12"));
	EXPECT_ERRNO(ENOMEM, iotlb_map(self->dev.fd, 0, 0, PAGES * SZ_4K,
				       self->mem, RW));
	EXPECT_EQ(4 * PAGES, status_kib("VmPin"));
	/* The first table that it takes ends that. */
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "clear"));
	EXPECT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0, SZ_4K, self->mem, RW));
	EXPECT_EQ(4, status_kib("VmPin"));
	EXPECT_STREQ("0 0x0 0xfff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb_fail, invalidate_that_the_device_refuses_changes_nothing)
{
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=dma_map"));
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0, PAGES * SZ_4K, self->mem,
				  RW));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_unmap errno 5 1"));
	EXPECT_ERRNO(EIO, iotlb_unmap(self->dev.fd, 0, 0, PAGES * SZ_4K));
	EXPECT_STREQ("0 0x0 0x7fff 3\n", mock_map(&self->dev));
	EXPECT_EQ(4 * PAGES, status_kib("VmPin"));
	EXPECT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, 0, PAGES * SZ_4K));
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_F(iotlb_fail, reset_reports_the_batch_that_it_ends)
{
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=set_map"));
	ASSERT_ERRNO(0, iotlb_batch(self->dev.fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "set_map errno 12 1"));
	EXPECT_ERRNO(ENOMEM, set_status(self->dev.fd, 0));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_ERRNO(0, set_status(self->dev.fd, 0));
	EXPECT_STREQ("0 0x0 0xfff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb_fail, open_that_fails_leaves_nothing_behind)
{
	ASSERT_EQ(0, mock_make(&self->dev, "mapping=set_map"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "set_map errno 12 1"));
	self->dev.fd = vhost_open(self->dev.name);
	EXPECT_ERRNO(ENOMEM, self->dev.fd);
	EXPECT_EQ(0, mock_state(&self->dev, "config_cb"));
	EXPECT_STREQ("0 identity\n", mock_map(&self->dev));
	self->dev.fd = vhost_open(self->dev.name);
	EXPECT_ERRNO(0, self->dev.fd);
}

struct mapping {
	int fd;
	char *mem;
};

static void *map_all(void *arg)
{
	struct mapping *m = arg;

	return (void *)(long)errno_of(iotlb_map(m->fd, 0, 0, PAGES * SZ_4K,
						m->mem, RW));
}

/*
 * The device leaves between two pieces of an update, and takes its time: until
 * it is reset it may still write to those that it had.
 */
TEST_F(iotlb_fail, update_that_meets_a_removal_keeps_its_pages)
{
	struct mapping m = { .mem = self->mem };
	pthread_t thread;
	void *err;

	ASSERT_EQ(0, mock_own(&self->dev, "mapping=dma_map"));
	m.fd = self->dev.fd;
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_map delay 50"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "reset delay 500"));
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_all, &m));
	usleep(100000);
	EXPECT_EQ(0, driver_unbind("vhost_vdpa", self->dev.name));
	pthread_join(thread, &err);
	EXPECT_EQ(ENODEV, (long)err);
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_HARNESS_MAIN
