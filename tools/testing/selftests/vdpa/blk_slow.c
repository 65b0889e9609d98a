// SPDX-License-Identifier: GPL-2.0-only
/*
 * A software disk whose backing takes its time: the file system below it is
 * frozen, so that whatever is written waits until a thread thaws it. What is in
 * flight then is waited for, and memory is not looked at any more afterwards.
 */
#include "common.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "blkconf.h"
#include "blkdev.h"
#include "dev.h"
#include "mem.h"
#include "vhost.h"

#define NAME	"blkslow"
#define WHERE	"/tmp/vdpa-blk-slow"
#define FILE	WHERE "/disk"
#define FROZEN	400000	/* microseconds that a request waits, at least */

FIXTURE(slow) {
	struct drv drv;
	pthread_t thread;
	int fs;
};

static bool make_file_system(void)
{
	if (run_command("modprobe brd rd_nr=1 rd_size=%d", BLK_MIB << 10) ||
	    run_command("mkfs.ext4 -q -F " BLK_RAM))
		return false;
	mkdir(WHERE, 0700);
	if (mount(BLK_RAM, WHERE, "ext4", 0, NULL))
		return false;
	return !run_command("truncate -s 8M " FILE);
}

FIXTURE_SETUP(slow)
{
	const char *reason = conf_available();

	if (reason)
		SKIP(return, "%s", reason);
	blk_del(NAME);
	if (!make_file_system())
		SKIP(return, "there is no file system on " BLK_RAM);
	self->fs = open(WHERE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->fs);
	ASSERT_EQ(0, conf_make_on(NAME, FILE));
	ASSERT_EQ(0, vdpa_add(NAME, "vdpa_blk"));
	self->drv.features = BIT_ULL(VIRTIO_BLK_F_FLUSH);
	self->drv.size = 64;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
	ASSERT_TRUE(blk_works(&self->drv));
}

FIXTURE_TEARDOWN(slow)
{
	ioctl(self->fs, FITHAW, 0);
	drv_end(&self->drv, NAME);
	blk_del(NAME);
	close(self->fs);
	umount(WHERE);
	rmdir(WHERE);
}

static void *thaw_soon(void *arg)
{
	usleep(FROZEN);
	return (void *)(long)ioctl(*(int *)arg, FITHAW, 0);
}

/* A sector of 0x11 is on its way to sector 100, and gets no further. */
static bool write_slowly(struct drv *drv, int *fs, pthread_t *thread)
{
	struct drv_seg seg = { blk_data_iova(0), SECTOR };

	if (ioctl(*fs, FIFREEZE, 0))
		return false;
	memset(blk_data(drv, 0), 0x11, SECTOR);
	blk_begin(drv, 0, 0, VIRTIO_BLK_T_OUT, 100, &seg, 1);
	if (drv_used(drv, 0, DRV_QUIET_MS) >= 0)
		return false;
	return !pthread_create(thread, NULL, thaw_soon, fs);
}

static bool has_thawed(pthread_t thread)
{
	void *ret;

	return !pthread_join(thread, &ret) && !ret;
}

/* Is it @value that sector 100 has? */
static bool was_written(struct drv *drv, uint8_t value)
{
	struct drv_seg seg = { blk_data_iova(8), SECTOR, true };
	uint8_t *data = blk_data(drv, 8);

	if (blk_do(drv, 0, VIRTIO_BLK_T_IN, 100, &seg, 1, NULL))
		return false;
	return data[0] == value && !memcmp(data, data + 1, SECTOR - 1);
}

TEST_F(slow, unmapping_waits_until_memory_is_not_used)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(write_slowly(drv, &self->fs, &self->thread));
	ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, DRV_IOVA, DRV_MEM));
	/* It was complete before its memory went. */
	EXPECT_EQ(1, drv_used(drv, 0, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_status(drv, 0));
	/* Ours alone: what we make of it goes nowhere. */
	memset(blk_data(drv, 0), 0x55, SECTOR);
	ASSERT_TRUE(has_thawed(self->thread));
	ASSERT_ERRNO(0, drv_map_running(drv, 0));
	EXPECT_TRUE(was_written(drv, 0x11));
}

TEST_F(slow, reset_waits_until_memory_is_not_used)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(write_slowly(drv, &self->fs, &self->thread));
	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	memset(blk_data(drv, 0), 0x55, SECTOR);
	ASSERT_TRUE(has_thawed(self->thread));
	ASSERT_ERRNO(0, drv_restart(drv));
	EXPECT_TRUE(was_written(drv, 0x11));
}

TEST_F(slow, suspend_leaves_nothing_in_flight)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(write_slowly(drv, &self->fs, &self->thread));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
	EXPECT_EQ(1, drv_used(drv, 0, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_status(drv, 0));
	EXPECT_EQ(drv->vq[0].used->idx,
		  vq_get(drv->fd, VHOST_GET_VRING_BASE, 0));
	ASSERT_TRUE(has_thawed(self->thread));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_RESUME));
	EXPECT_TRUE(was_written(drv, 0x11));
}

TEST_F(slow, closing_waits_until_memory_is_not_used)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(write_slowly(drv, &self->fs, &self->thread));
	drv_close(drv);
	memset(blk_data(drv, 0), 0x55, SECTOR);
	ASSERT_TRUE(has_thawed(self->thread));
	memset(drv->vq, 0, sizeof(drv->vq));
	ASSERT_ERRNO(0, drv_start(drv, NAME, drv->mem));
	EXPECT_TRUE(was_written(drv, 0x11));
}

/* Reads need not wait, nor does whoever looks at devices. */
TEST_F(slow, others_are_not_held_up)
{
	struct drv_seg in = { blk_data_iova(8), SECTOR, true };
	struct drv *drv = &self->drv;

	ASSERT_TRUE(write_slowly(drv, &self->fs, &self->thread));
	EXPECT_EQ(0, blk_counter(NAME, 0, "errors"));
	blk_begin(drv, 0, 1, VIRTIO_BLK_T_IN, 0, &in, 1);
	EXPECT_EQ(SECTOR + 1, blk_end(drv, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_status(drv, 1));
	EXPECT_EQ(BLK_NO_STATUS, blk_status(drv, 0));
	ASSERT_TRUE(has_thawed(self->thread));
	EXPECT_EQ(1, blk_end(drv, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, blk_status(drv, 0));
}

TEST_HARNESS_MAIN
