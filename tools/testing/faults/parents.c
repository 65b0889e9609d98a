// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of devices that are swept, and what tells of their state.
 */
#include "faults.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>

#include "blkconf.h"
#include "blkdev.h"
#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "vhost.h"
#include "vpdev.h"

#define FRAME		100	/* bytes */

static bool net_loops(struct life *life)
{
	return drv_works(&life->drv, FRAME);
}

/* To the host, where nobody minds what becomes of it. */
static bool net_sends(struct life *life)
{
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + FRAME };

	drv_fill(drv_buf(1, &life->drv), FRAME, NULL, 0);
	drv_post(&life->drv, DRV_TX, &tx, 1);
	return drv_used(&life->drv, DRV_TX, DRV_WAIT_MS) == 0;
}

static bool disk_works(struct life *life)
{
	return blk_works(&life->drv);
}

static bool disk_completes(struct life *life)
{
	struct drv_seg seg = { blk_data_iova(0), 8 * SECTOR, true };

	return blk_do(&life->drv, 0, VIRTIO_BLK_T_IN, 0, &seg, 1, NULL) >= 0 &&
	       blk_do(&life->drv, 0, VIRTIO_BLK_T_OUT, 0,
		      &(struct drv_seg){ blk_data_iova(0), 8 * SECTOR }, 1,
		      NULL) >= 0;
}

static int disk_begin(struct life *life)
{
	if (conf_available())
		return -ENODEV;
	if (disk_file(BLK_FILE, (uint64_t)BLK_MIB << 20))
		return -errno;
	return conf_make_on(life->name, BLK_FILE);
}

static void disk_end(struct life *life)
{
	blk_del(life->name);
}

static int mock_begin(struct life *life)
{
	char knobs[64];

	snprintf(knobs, sizeof(knobs), "doorbell=page mapping=%s",
		 life->parent->mapping);
	return mock_knobs(knobs);
}

static void mock_end(struct life *life)
{
	file_write("1", MOCK "/next/default");
}

static int vp_begin(struct life *life)
{
	return vp_take() ? -ENODEV : 0;
}

static void vp_end(struct life *life)
{
	vp_give_back();
}

const struct parent parents[] = {
	{ "vdpasim_net", NULL, "vdpasim_net", "vdpa_net",
	  .works = net_loops, .completes = net_sends },
	{ "vdpa_net", NULL, "vdpa_net", "vdpa_net",
	  .works = net_sends, .completes = net_sends },
	{ "vdpasim_blk", NULL, "vdpasim_blk", "vdpa_blk",
	  .works = disk_works, .completes = disk_completes },
	{ "vdpa_blk", NULL, "vdpa_blk", "vdpa_blk", .begin = disk_begin,
	  .end = disk_end, .works = disk_works,
	  .completes = disk_completes },
	{ "mock", NULL, MOCKDEV, MOCKDEV, .mapping = "dma_map",
	  .begin = mock_begin, .end = mock_end },
	{ "mock_set_map", NULL, MOCKDEV, MOCKDEV, .mapping = "set_map",
	  .begin = mock_begin, .end = mock_end },
	{ "mock_va", NULL, MOCKDEV, MOCKDEV, .mapping = "va",
	  .begin = mock_begin, .end = mock_end },
	{ "vp", "pci", VP_FUNCTION, "vp_vdpa", .begin = vp_begin,
	  .end = vp_end },
};

const unsigned int nr_parents = ARRAY_SIZE(parents);

static void look_vq(int fd, int idx, char *text, size_t size)
{
	static const unsigned long what[] = {
		VHOST_GET_VRING_BASE, VHOST_VDPA_GET_VRING_SIZE,
		VHOST_VDPA_GET_VRING_GROUP,
	};

	text_add(text, size, "vq %d:", idx);
	for (unsigned int i = 0; i < ARRAY_SIZE(what); i++)
		text_add(text, size, " %ld", vq_get(fd, what[i], idx));
	text_add(text, size, "\n");
}

static void look_file(struct life *life, char *text, size_t size)
{
	uint64_t features = 0, backend = 0;
	uint8_t config[8] = {};
	int fd = life->drv.fd, err;

	err = ioctl(fd, VHOST_GET_FEATURES, &features) ? errno : 0;
	ioctl(fd, VHOST_GET_BACKEND_FEATURES, &backend);
	text_add(text, size, "file: %d status %d offers %#lx %#lx\n", err,
		 get_status(fd), features, backend);
	for (int i = 0; i < life->drv.nvqs; i++)
		look_vq(fd, i, text, size);
	/* It has another address in each life. */
	err = config_io(fd, VHOST_VDPA_GET_CONFIG, 0, sizeof(config), config) ?
		errno : 0;
	text_add(text, size, "config: %d\n", err);
}

static void look_mock_file(struct life *life, const char *name, char *text,
			   size_t size)
{
	size_t len = strlen(text);

	file_read(text + len, size - len, MOCK "/%s/%s", life->name, name);
}

static void look_mock(struct life *life, char *text, size_t size)
{
	look_mock_file(life, "state", text, size);
	look_mock_file(life, "breaches", text, size);
	look_mock_file(life, "map", text, size);
	/* A driver of the kernel has its rings elsewhere in each life. */
	if (module_refs("virtio_vdpa") < 0)
		look_mock_file(life, "vq", text, size);
}

void life_look(struct life *life, char *text, size_t size)
{
	world_look(text, size);
	text_add(text, size, "driver %s\n",
		 link_name(BUS "/devices/%s/driver", life->name));
	if (life->drv.fd > 0)
		look_file(life, text, size);
	if (life->parent && life->parent->mapping)
		look_mock(life, text, size);
}
