// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software disks whose requests are interrupted: by suspend, reset, an unmap,
 * the end of the file or of the device, by whoever unloads the module. What is
 * given up is not touched any more, and what comes next works.
 *
 * The variants differ in when requests end: those of a RAM disk within the
 * worker, those of a file in its own worker, those of dm-delay long after they
 * were begun, so that they are certainly in flight.
 */
#include "common.h"

#include <linux/virtio_blk.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "blkconf.h"
#include "dev.h"
#include "driver.h"
#include "mem.h"
#include "nic.h"
#include "nl.h"
#include "vhost.h"

#define NAME		"blkl0"
#define OTHER		"blkl1"
#define IMAGE		"/run/blklife.img"
#define BYTES		(8UL << 20)

/* Touches memory 30 ms after it was told to: 64 MiB of null_blk behind it. */
#define SLOW		"/dev/dm-0"

#define NR		60	/* requests at once, of three descriptors */
#define DATA		4096UL	/* bytes of each */
#define DATA_IOVA	0x80000000ULL	/* of all, mapped on its own */
#define DATA_MEM	(NR * DATA)

/* What the driver shares with the device for one request. */
struct slot {
	struct virtio_blk_outhdr hdr;
	uint8_t status;
};

FIXTURE(blk_life) {
	struct nl nl;
	struct drv drv;
	uint8_t *data;
};

FIXTURE_VARIANT(blk_life) {
	const char *mgmtdev;
	const char *path;	/* of the backing */
};

FIXTURE_VARIANT_ADD(blk_life, ram) { .mgmtdev = "vdpasim_blk" };
FIXTURE_VARIANT_ADD(blk_life, file) {
	.mgmtdev = "vdpa_blk", .path = IMAGE,
};

FIXTURE_VARIANT_ADD(blk_life, slow) {
	.mgmtdev = "vdpa_blk", .path = SLOW,
};

static bool make_slow(void)
{
	static const char table[] = "0 131072 delay /dev/nullb0 0 30";

	if (file_exists(SLOW))
		return true;
	return !run_command("modprobe null_blk memory_backed=1 size=64") &&
	       !run_command("modprobe dm_delay") &&
	       !run_command("dmsetup create blkslow --noudevsync --table '%s'",
			    table);
}

/* A device with three queues if it can have them; why there is none, or NULL */
static const char *add_disk(const char *name, const char *mgmtdev,
			    const char *path)
{
	const char *reason = conf_available();

	if (reason)
		return reason;
	conf_drop(name);
	if (!path)
		return vdpa_add(name, mgmtdev) ? "no device" : NULL;
	if (!strcmp(path, SLOW) && !make_slow())
		return "dm-delay cannot be set up";
	if (strcmp(path, SLOW) && disk_file(path, BYTES))
		return "no file";
	if (conf_make_on(name, path) || conf_set(name, "queues", "3"))
		return "no directory in configfs";
	return vdpa_add(name, mgmtdev) ? "no device" : NULL;
}

static int map_data(struct drv *drv, uint8_t *data)
{
	return iotlb_map(drv->fd, 0, DATA_IOVA, DATA_MEM, data,
			 VHOST_ACCESS_RW);
}

FIXTURE_SETUP(blk_life)
{
	const char *reason = add_disk(NAME, variant->mgmtdev, variant->path);

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, nl_open(&self->nl));
	self->drv.size = 256;
	self->drv.features = BIT_ULL(VIRTIO_BLK_F_FLUSH) |
			     BIT_ULL(VIRTIO_BLK_F_MQ);
	self->data = mem_anon(DATA_MEM);
	ASSERT_NE(NULL, self->data);
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
	ASSERT_ERRNO(0, map_data(&self->drv, self->data));
}

FIXTURE_TEARDOWN(blk_life)
{
	nl_close(&self->nl);
	drv_end(&self->drv, NAME);
	conf_drop(NAME);
	if (self->data)
		mem_free(self->data, DATA_MEM);
	unlink(IMAGE);
}

static struct slot *slot(struct drv *drv, int n)
{
	return drv_buf(n, drv);
}

/* Make request @n available: of its own data, at its own place on the disk. */
static void put_req(struct drv *drv, int idx, int n, uint32_t type)
{
	struct slot *s = slot(drv, n);
	struct drv_seg seg[] = {
		{ drv_iova(drv, &s->hdr), sizeof(s->hdr) },
		{ DATA_IOVA + n * DATA, DATA, type == VIRTIO_BLK_T_IN },
		{ drv_iova(drv, &s->status), 1, true },
	};

	s->hdr = (struct virtio_blk_outhdr) {
		.type = type, .sector = n * DATA / SECTOR,
	};
	s->status = 0xee;
	drv_avail(drv, idx, drv_chain(drv, idx, seg, 3));
}

/* All of them, none awaited. */
static void put_all(struct drv *drv, int idx, uint32_t type)
{
	for (int n = 0; n < NR; n++)
		put_req(drv, idx, n, type);
	drv_kick(drv, idx);
}

/* How many end, and went well; waits for all. */
static int take_all(struct drv *drv, int idx)
{
	int good = 0;

	for (int n = 0; n < NR; n++)
		if (drv_used(drv, idx, DRV_WAIT_MS) < 0)
			break;
	for (int n = 0; n < NR; n++)
		good += slot(drv, n)->status == VIRTIO_BLK_S_OK;
	return good;
}

static void fill(uint8_t *data, uint8_t seed)
{
	for (size_t i = 0; i < DATA_MEM; i++)
		data[i] = seed + i / DATA;
}

static bool is_filled(const uint8_t *data, uint8_t seed)
{
	for (size_t i = 0; i < DATA_MEM; i++)
		if (data[i] != (uint8_t)(seed + i / DATA))
			return false;
	return true;
}

static bool is_all(const uint8_t *data, uint8_t value)
{
	return data[0] == value && !memcmp(data, data + 1, DATA_MEM - 1);
}

/* What is written now is read back. */
static bool works(struct drv *drv, int idx, uint8_t *data)
{
	static uint8_t seed;

	fill(data, ++seed);
	put_all(drv, idx, VIRTIO_BLK_T_OUT);
	if (take_all(drv, idx) != NR)
		return false;
	memset(data, 0xee, DATA_MEM);
	put_all(drv, idx, VIRTIO_BLK_T_IN);
	return take_all(drv, idx) == NR && is_filled(data, seed);
}

TEST_F(blk_life, requests_of_each_queue_are_done)
{
	struct drv *drv = &self->drv;
	struct nl *nl = &self->nl;

	EXPECT_EQ(variant->path ? 3 : 1, drv->nvqs);
	for (int i = 0; i < drv->nvqs; i++) {
		EXPECT_TRUE(works(drv, i, self->data));
		EXPECT_EQ(NR, nl_counter(nl, NAME, i, "reads"));
		EXPECT_EQ(NR, nl_counter(nl, NAME, i, "writes"));
		EXPECT_EQ(DATA_MEM, nl_counter(nl, NAME, i, "read bytes"));
		EXPECT_EQ(0, nl_counter(nl, NAME, i, "errors"));
	}
}

static uint16_t used_idx(struct drv *drv, int idx)
{
	return __atomic_load_n(&drv->vq[idx].used->idx, __ATOMIC_ACQUIRE);
}

TEST_F(blk_life, nothing_is_in_flight_after_suspend)
{
	struct drv *drv = &self->drv;
	uint16_t used;

	fill(self->data, 1);
	put_all(drv, 0, VIRTIO_BLK_T_OUT);
	EXPECT_EQ(NR, take_all(drv, 0));
	put_all(drv, 0, VIRTIO_BLK_T_IN);
	usleep(5000);
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));

	/* What the device has fetched has ended, and that is all there is. */
	used = used_idx(drv, 0);
	EXPECT_EQ(used, vq_get(drv->fd, VHOST_GET_VRING_BASE, 0));
	EXPECT_LT(NR, used);
	memset(self->data, 0xee, DATA_MEM);
	drv_kick(drv, 0);
	usleep(DRV_QUIET_MS * 1000);
	EXPECT_EQ(used, used_idx(drv, 0));
	EXPECT_TRUE(is_all(self->data, 0xee));

	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_RESUME));
	EXPECT_EQ(NR, take_all(drv, 0));
	EXPECT_TRUE(works(drv, 0, self->data));
}

TEST_F(blk_life, reset_leaves_memory_alone)
{
	struct drv *drv = &self->drv;
	uint16_t used;

	ASSERT_TRUE(works(drv, 0, self->data));
	for (int i = 0; i < 5; i++) {
		put_all(drv, 0, VIRTIO_BLK_T_IN);
		usleep(i * 1000);
		ASSERT_ERRNO(0, set_status(drv->fd, 0));
		used = used_idx(drv, 0);
		memset(self->data, 0xee, DATA_MEM);
		drv_kick(drv, 0);
		usleep(DRV_QUIET_MS * 1000);
		EXPECT_TRUE(is_all(self->data, 0xee));
		EXPECT_EQ(used, used_idx(drv, 0));
		ASSERT_ERRNO(0, drv_restart(drv));
		EXPECT_TRUE(works(drv, 0, self->data));
	}
}

/* The unmap returns when no request uses the memory, and none will. */
TEST_F(blk_life, unmapped_memory_is_left_alone)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(works(drv, 0, self->data));
	for (int i = 0; i < 5; i++) {
		put_all(drv, 0, VIRTIO_BLK_T_IN);
		usleep(i * 1000);
		ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, DATA_IOVA, DATA_MEM));
		memset(self->data, 0xee, DATA_MEM);
		/* Some of them too late, all of them answered. */
		take_all(drv, 0);
		EXPECT_EQ(drv->vq[0].avail_idx, drv->vq[0].used_idx);
		EXPECT_TRUE(is_all(self->data, 0xee));

		put_all(drv, 0, VIRTIO_BLK_T_IN);
		EXPECT_EQ(0, take_all(drv, 0));
		for (int n = 0; n < NR; n++)
			EXPECT_EQ(VIRTIO_BLK_S_IOERR, slot(drv, n)->status);
		ASSERT_ERRNO(0, map_data(drv, self->data));
		EXPECT_TRUE(works(drv, 0, self->data));
	}
}

/* And its backing is free for the next one. */
TEST_F(blk_life, device_goes_with_requests_in_flight)
{
	struct drv *drv = &self->drv;
	struct drv next = { .size = 256 };

	ASSERT_TRUE(works(drv, 0, self->data));
	put_all(drv, 0, VIRTIO_BLK_T_IN);
	EXPECT_DELETED_AT_ONCE(NAME);
	memset(self->data, 0xee, DATA_MEM);
	EXPECT_ERRNO(ENODEV, set_status(drv->fd, 0));
	usleep(DRV_QUIET_MS * 1000);
	EXPECT_TRUE(is_all(self->data, 0xee));

	ASSERT_EQ(0, vdpa_add(NAME, variant->mgmtdev));
	ASSERT_ERRNO(0, drv_start(&next, NAME, mem_anon(DRV_MEM)));
	ASSERT_ERRNO(0, map_data(&next, self->data));
	EXPECT_TRUE(works(&next, 0, self->data));
	drv_close(&next);
	mem_free(next.mem, DRV_MEM);
}

TEST_F(blk_life, file_is_closed_with_requests_in_flight)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(works(drv, 0, self->data));
	for (int i = 0; i < 5; i++) {
		put_all(drv, 0, VIRTIO_BLK_T_IN);
		usleep(i * 1000);
		close(drv->fd);
		memset(self->data, 0xee, DATA_MEM);
		usleep(DRV_QUIET_MS * 1000);
		EXPECT_TRUE(is_all(self->data, 0xee));
		ASSERT_ERRNO(0, drv_start(drv, NAME, drv->mem));
		ASSERT_ERRNO(0, map_data(drv, self->data));
		EXPECT_TRUE(works(drv, 0, self->data));
	}
}

/* It says which entries were used; the index wraps behind 0xffff. */
TEST_F(blk_life, ring_goes_on_from_any_base)
{
	static const uint16_t bases[] = { 0x1234, 0xffff };
	struct drv *drv = &self->drv;

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		drv->base = bases[i];
		ASSERT_ERRNO(0, drv_restart(drv));
		for (int round = 0; round < 5; round++)
			EXPECT_TRUE(works(drv, 0, self->data));
		ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
		EXPECT_EQ((uint16_t)(bases[i] + 10 * NR),
			  vq_get(drv->fd, VHOST_GET_VRING_BASE, 0));
	}
}

TEST_F(blk_life, enabling_twice_does_not_reset_the_ring)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(works(drv, 0, self->data));
	EXPECT_ERRNO(0, vq_state(drv->fd, VHOST_VDPA_SET_VRING_ENABLE, 0, 1));
	EXPECT_TRUE(works(drv, 0, self->data));
}

struct kicker {
	struct drv *drv;
	bool stop;
};

static void *kick_on(void *arg)
{
	struct kicker *kicker = arg;

	while (!__atomic_load_n(&kicker->stop, __ATOMIC_RELAXED))
		drv_kick(kicker->drv, 0);
	return NULL;
}

/* Neither while requests are done nor in a reset. */
TEST_F(blk_life, flood_of_kicks_does_no_harm)
{
	struct kicker kicker = { .drv = &self->drv };
	struct drv *drv = &self->drv;
	pthread_t thread;
	uint16_t used;

	ASSERT_EQ(0, pthread_create(&thread, NULL, kick_on, &kicker));
	for (int i = 0; i < 5; i++) {
		EXPECT_TRUE(works(drv, 0, self->data));
		put_all(drv, 0, VIRTIO_BLK_T_IN);
		EXPECT_ERRNO(0, set_status(drv->fd, 0));
		used = used_idx(drv, 0);
		usleep(20000);
		EXPECT_EQ(used, used_idx(drv, 0));
		EXPECT_ERRNO(0, drv_restart(drv));
	}
	__atomic_store_n(&kicker.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_TRUE(works(drv, 0, self->data));
}

/* RAM disks that share their bytes, two of them. */
FIXTURE(blk_shared) {
	struct nl nl;
	struct drv drv[2];
	uint8_t *data;
};

static const char * const shared[] = { NAME, OTHER };

static int reload(const char *options)
{
	return run_command("rmmod vdpa_blk && modprobe vdpa_blk %s", options);
}

FIXTURE_SETUP(blk_shared)
{
	const char *reason = conf_available();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, nl_open(&self->nl));
	ASSERT_EQ(0, reload("shared_backend=1"));
	self->data = mem_anon(DATA_MEM);
	ASSERT_NE(NULL, self->data);
}

FIXTURE_TEARDOWN(blk_shared)
{
	nl_close(&self->nl);
	for (int i = 0; i < 2; i++)
		drv_end(&self->drv[i], shared[i]);
	mem_free(self->data, DATA_MEM);
	EXPECT_EQ(0, reload(""));
}

/* A RAM disk with its driver, of a management device that is there. */
static int start_ram(struct drv *drv, const char *name, uint8_t *data)
{
	drv->size = 256;
	if (!vdpa_exists(name) && vdpa_add(name, "vdpasim_blk"))
		return -1;
	return drv_start(drv, name, mem_anon(DRV_MEM)) || map_data(drv, data);
}

TEST_F(blk_shared, disks_have_the_same_bytes)
{
	struct drv *drv = self->drv;
	uint8_t *data = self->data;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, start_ram(&drv[i], shared[i], data));
	for (int i = 0; i < 2; i++) {
		fill(data, 7 + i);
		put_all(&drv[i], 0, VIRTIO_BLK_T_OUT);
		EXPECT_EQ(NR, take_all(&drv[i], 0));
		memset(data, 0xee, DATA_MEM);
		put_all(&drv[!i], 0, VIRTIO_BLK_T_IN);
		EXPECT_EQ(NR, take_all(&drv[!i], 0));
		EXPECT_TRUE(is_filled(data, 7 + i));
	}
}

TEST_F(blk_shared, disks_do_not_unless_asked_to)
{
	struct drv *drv = self->drv;
	uint8_t *data = self->data;

	ASSERT_EQ(0, reload(""));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, start_ram(&drv[i], shared[i], data));
	EXPECT_TRUE(works(&drv[0], 0, data));
	put_all(&drv[1], 0, VIRTIO_BLK_T_IN);
	EXPECT_EQ(NR, take_all(&drv[1], 0));
	EXPECT_TRUE(is_all(data, 0));
}

/* The bytes are there for as long as a disk is, whoever has it. */
TEST_F_TIMEOUT(blk_shared, module_goes_under_io_of_the_host, 150)
{
	static const char write[] =
		"(dd if=/dev/zero of=/dev/%s oflag=direct &); sleep 0.3";
	char disk[64];

	ASSERT_TRUE(module_load("virtio_vdpa"));
	ASSERT_TRUE(module_load("virtio_blk"));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vdpa_add(NAME, "vdpasim_blk"));
		ASSERT_EQ(0, virtio_bind(NAME));
		ASSERT_TRUE(virtio_find(NAME, "block", disk, sizeof(disk)));
		/* That is much more than can be written until then. */
		ASSERT_EQ(0, run_command(write, disk));
		EXPECT_LT(0, nl_counter(&self->nl, NAME, 0, "writes"));
		EXPECT_EQ(0, run_command("timeout 60 rmmod vdpa_blk"));
		EXPECT_FALSE(vdpa_exists(NAME));
		ASSERT_EQ(0, run_command("modprobe vdpa_blk shared_backend=1"));
	}
	/* It would have the devices of whoever comes next. */
	EXPECT_EQ(0, run_command("rmmod virtio_vdpa"));
}

/* Its requests are in flight, and its file stays open. */
TEST_F(blk_shared, module_goes_under_io_of_a_program)
{
	uint8_t *data = self->data;

	for (int i = 0; i < 5; i++) {
		struct drv drv = {};

		ASSERT_EQ(0, start_ram(&drv, NAME, data));
		put_all(&drv, 0, VIRTIO_BLK_T_OUT);
		EXPECT_EQ(0, run_command("timeout 60 rmmod vdpa_blk"));
		EXPECT_ERRNO(ENODEV, set_status(drv.fd, 0));
		EXPECT_EQ(0, run_command("modprobe vdpa_blk shared_backend=1"));
		drv_end(&drv, NAME);
	}
}

/* As soon as there is a management device, its disks have their bytes. */
TEST_F_TIMEOUT(blk_shared, disk_is_whole_while_the_module_is_still_loading, 120)
{
	long end;

	for (int i = 0; i < 5; i++) {
		struct drv drv = {};

		ASSERT_EQ(0, run_command("rmmod vdpa_blk"));
		ASSERT_EQ(0, run_command("(modprobe vdpa_blk shared_backend=1 &)"));
		end = now_ms() + 4 * AT_ONCE_MS;
		while (nl_add(&self->nl, "vdpasim_blk", NAME))
			ASSERT_GT(end, now_ms());
		ASSERT_EQ(0, start_ram(&drv, NAME, self->data));
		EXPECT_TRUE(works(&drv, 0, self->data));
		drv_end(&drv, NAME);
	}
}

TEST_HARNESS_MAIN
