// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a device with a driver in user space: opened, asked, negotiated,
 * given memory and queues, started, used, suspended and resumed, reset, taken
 * away while it is open, closed.
 */
#include "faults.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dev.h"
#include "mem.h"
#include "vhost.h"

static int result(int ret)
{
	return ret < 0 ? -errno : 0;
}

int life_open(struct life *life)
{
	uint32_t nvqs;
	int fd = vhost_open(life->name);

	if (fd < 0)
		return -errno;
	life->drv.fd = fd;
	if (ioctl(fd, VHOST_VDPA_GET_VQS_COUNT, &nvqs))
		return -errno;
	life->drv.nvqs = nvqs < DRV_VQS ? nvqs : DRV_VQS;
	return 0;
}

static int try_open(struct life *life)
{
	int err = life_open(life);

	if (!err || life->drv.fd <= 0)
		return err;
	close(life->drv.fd);
	life->drv.fd = 0;
	return err;
}

/* Everything that only reads. */
static int ask(struct life *life)
{
	static const unsigned long what[] = {
		VHOST_GET_FEATURES, VHOST_GET_BACKEND_FEATURES,
		VHOST_VDPA_GET_DEVICE_ID, VHOST_VDPA_GET_STATUS,
		VHOST_VDPA_GET_CONFIG_GENERATION, VHOST_VDPA_GET_VRING_NUM,
		VHOST_VDPA_GET_IOVA_RANGE, VHOST_VDPA_GET_CONFIG_SIZE,
		VHOST_VDPA_GET_AS_NUM, VHOST_VDPA_GET_GROUP_NUM,
		VHOST_VDPA_GET_VQS_COUNT,
	};
	static const unsigned long of_vq[] = {
		VHOST_GET_VRING_BASE, VHOST_VDPA_GET_VRING_SIZE,
		VHOST_VDPA_GET_VRING_GROUP,
	};
	uint64_t room[4];
	uint8_t config[8] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(what); i++)
		if (ioctl(life->drv.fd, what[i], room) && errno != EOPNOTSUPP)
			return -errno;
	for (i = 0; i < ARRAY_SIZE(of_vq); i++)
		if (vq_get(life->drv.fd, of_vq[i], 0) < 0 &&
		    errno != EOPNOTSUPP)
			return -errno;
	return result(config_io(life->drv.fd, VHOST_VDPA_GET_CONFIG, 0,
				sizeof(config), config));
}

int life_owner(struct life *life)
{
	return result(ioctl(life->drv.fd, VHOST_SET_OWNER));
}

static int backend(struct life *life)
{
	uint64_t features;

	if (ioctl(life->drv.fd, VHOST_GET_BACKEND_FEATURES, &features))
		return -errno;
	features &= BIT_ULL(VHOST_BACKEND_F_IOTLB_MSG_V2) |
		    BIT_ULL(VHOST_BACKEND_F_IOTLB_BATCH) |
		    BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID) |
		    BIT_ULL(VHOST_BACKEND_F_SUSPEND) |
		    BIT_ULL(VHOST_BACKEND_F_RESUME);
	return result(set_backend(life->drv.fd, features));
}

static int config_call(struct life *life)
{
	return result(ioctl(life->drv.fd, VHOST_VDPA_SET_CONFIG_CALL,
			    &life->event));
}

static int ack(struct life *life)
{
	return result(set_status(life->drv.fd, STATUS_ACK));
}

static int driver(struct life *life)
{
	return result(set_status(life->drv.fd, STATUS_ACK | STATUS_DRIVER));
}

static int features(struct life *life)
{
	return result(set_features(life->drv.fd,
				   DRV_NEEDED | life->drv.features));
}

static int features_ok(struct life *life)
{
	return result(set_status(life->drv.fd, STATUS_ACK | STATUS_DRIVER |
				 STATUS_FEATURES_OK));
}

static int map(struct life *life)
{
	return result(drv_map(&life->drv));
}

static int unmap(struct life *life)
{
	return result(iotlb_unmap(life->drv.fd, 0, DRV_IOVA, DRV_MEM));
}

static int queues(struct life *life)
{
	for (int i = 0; i < life->drv.nvqs; i++)
		if (drv_setup_vq(&life->drv, i))
			return -errno;
	return 0;
}

/* Each of these again: what is there is replaced by the same. */
static int vq_size(struct life *life)
{
	return result(vq_state(life->drv.fd, VHOST_SET_VRING_NUM, 0,
			       life->drv.size));
}

static int vq_base(struct life *life)
{
	return result(vq_state(life->drv.fd, VHOST_SET_VRING_BASE, 0, 0));
}

static int vq_areas(struct life *life)
{
	struct drv_vq *vq = &life->drv.vq[0];

	return result(vq_addr(life->drv.fd, 0, vq->desc_iova, vq->avail_iova,
			      vq->used_iova));
}

static int vq_kick(struct life *life)
{
	return result(vq_file(life->drv.fd, VHOST_SET_VRING_KICK, 0,
			      life->drv.vq[0].kick));
}

static int vq_call(struct life *life)
{
	return result(vq_file(life->drv.fd, VHOST_SET_VRING_CALL, 0,
			      life->drv.vq[0].call));
}

static int vq_err(struct life *life)
{
	return result(vq_file(life->drv.fd, VHOST_SET_VRING_ERR, 0,
			      life->event));
}

static int vq_enable(struct life *life)
{
	return result(vq_state(life->drv.fd, VHOST_VDPA_SET_VRING_ENABLE, 0,
			       1));
}

static int running(struct life *life)
{
	return result(set_status(life->drv.fd, STATUS_RUNNING));
}

static int works(struct life *life)
{
	if (!life->parent->works || life->parent->works(life))
		return 0;
	return -EIO;
}

/* The register of a parent that has one is touched. */
static int doorbell(struct life *life)
{
	uint32_t *page = doorbell_map(life->drv.fd, 0, SZ_4K, PROT_WRITE,
				      MAP_SHARED);
	int err;

	if (page == MAP_FAILED)
		return errno == EOPNOTSUPP ? 0 : -errno;
	err = mem_store(page, 0) ? -EIO : 0;
	munmap(page, SZ_4K);
	return err;
}

static int suspend(struct life *life)
{
	if (ioctl(life->drv.fd, VHOST_VDPA_SUSPEND) && errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

static int resume(struct life *life)
{
	if (ioctl(life->drv.fd, VHOST_VDPA_RESUME) && errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

static int reset(struct life *life)
{
	return result(set_status(life->drv.fd, 0));
}

/* From the start, wherever a failure has left it. */
static int negotiate_again(struct life *life)
{
	if (set_status(life->drv.fd, 0))
		return -errno;
	return result(drv_negotiate(&life->drv));
}

static int del(struct life *life)
{
	return nl_del(&life->nl, life->name);
}

static int file_close(struct life *life)
{
	int fd = life->drv.fd;

	life->drv.fd = 0;
	return result(close(fd));
}

static const struct call calls[] = {
	{ "open", try_open },
	{ "owner", life_owner },
	{ "ask", ask },
	{ "backend features", backend },
	{ "config eventfd", config_call },
	{ "ACKNOWLEDGE", ack },
	{ "DRIVER", driver },
	{ "features", features },
	{ "FEATURES_OK", features_ok },
	{ "map", map },
	{ "queues", queues, .many = true },
	{ "queue size", vq_size },
	{ "queue base", vq_base },
	{ "queue areas", vq_areas },
	{ "kick eventfd", vq_kick },
	{ "call eventfd", vq_call },
	{ "error eventfd", vq_err },
	{ "queue enable", vq_enable },
	{ "doorbell", doorbell },
	{ "DRIVER_OK", running },
	{ "traffic", works },
	{ "call eventfd, running", vq_call },
	{ "kick eventfd, running", vq_kick },
	{ "ask, running", ask },
	{ "suspend", suspend },
	{ "resume", resume },
	{ "traffic, resumed", works },
	{ "unmap", unmap },
	{ "map, running", map },
	{ "reset", reset },
	{ "negotiate again", negotiate_again, .many = true },
	{ "queues again", queues, .many = true },
	{ "DRIVER_OK again", running },
	{ "traffic again", works },
	{ "remove", del },
	{ "close", file_close },
};

int life_start(struct life *life)
{
	static int (*const steps[])(struct life *life) = {
		life_open, life_owner, backend, ack, driver, features,
		features_ok, map, queues, running,
	};
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(steps) && !err; i++)
		err = steps[i](life);
	return err;
}

/* The kernel warns when it cannot give a device its own domain back. */
const struct scenario life_file = {
	"file", calls, ARRAY_SIZE(calls), life_begin, life_end,
	fault_range_modules, .helpless = "iommu_detach_device",
};
