// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worker of a software NIC or disk, in the middle of traffic, meets what
 * takes its memory, its eventfd or its device away, or looks at it. What the
 * driver has got back stays as the driver left it: a pattern is put there at
 * once, and is looked for at the end of the round.
 */
#include "race.h"

#include <net/if.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "blkdev.h"
#include "dev.h"
#include "files.h"
#include "mem.h"
#include "nic.h"
#include "vhost.h"

#define NAME		"racesoft"
#define FRAME		1000
#define BUFS		8	/* of data, behind two that others need */
#define DATA_BUF	2
#define DATA_MEM	(BUFS * DRV_BUF)
#define PATTERN		0xa5
#define EVENT		0	/* that is the call eventfd now */

/* What was there when the device gave the memory back. */
static struct {
	uint16_t used[2];
	bool data, rings;	/* to be compared */
} frozen;

static uint8_t *data(struct race *r)
{
	return drv_buf(DATA_BUF, &r->drv);
}

static const char *begin_nic(struct race *r)
{
	const char *reason = drv_device(NAME);

	if (reason)
		return reason;
	r->drv.size = 64;
	r->drv.mem = mem_anon(DRV_MEM);
	drv_fill(drv_buf(1, &r->drv), FRAME, NULL, 0);
	return drv_start(&r->drv, NAME, r->drv.mem) ? "it does not start" :
						      NULL;
}

static const char *begin_disk(struct race *r)
{
	const char *reason = blk_add(NAME, &blk_file, 1);

	if (reason)
		return reason;
	r->drv.size = 64;
	return drv_start(&r->drv, NAME, mem_anon(DRV_MEM)) ?
		"it does not start" : NULL;
}

static const char *end_nic(struct race *r)
{
	const char *wrong = NULL;

	if (drv_restart(&r->drv) || !drv_works(&r->drv, FRAME))
		wrong = "no frame comes through in the end";
	drv_end(&r->drv, NAME);
	return wrong;
}

static const char *end_disk(struct race *r)
{
	const char *wrong = NULL;

	if (drv_restart(&r->drv) || !blk_works(&r->drv))
		wrong = "the disk does not work in the end";
	drv_end(&r->drv, NAME);
	blk_del(NAME);
	return wrong;
}

static const char *restart(struct race *r)
{
	frozen.data = false;
	frozen.rings = false;
	return drv_restart(&r->drv) ? "it does not start again" : NULL;
}

/* Frames to oneself, into the data buffers. */
static int send_frames(struct race *r)
{
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + FRAME };

	for (int i = 0; i < BUFS; i++) {
		struct drv_seg rx = { drv_buf_iova(DATA_BUF + i), DRV_BUF,
				      true };

		drv_post(&r->drv, DRV_RX, &rx, 1);
		drv_post(&r->drv, DRV_TX, &tx, 1);
	}
	return 0;
}

/* Sectors into the data buffers. */
static int read_sectors(struct race *r)
{
	for (int i = 0; i < BUFS; i++) {
		struct drv_seg seg = { drv_buf_iova(DATA_BUF + i), DRV_BUF,
				       true };

		blk_begin(&r->drv, 0, i, VIRTIO_BLK_T_IN, i * 8, &seg, 1);
	}
	return 0;
}

static uint16_t used_idx(struct race *r, int idx)
{
	return __atomic_load_n(&r->drv.vq[idx].used->idx, __ATOMIC_ACQUIRE);
}

static int queues(const struct race *r)
{
	return r->drv.nvqs < 2 ? r->drv.nvqs : 2;
}

/* From now on the device writes none of it. */
static int freeze(struct race *r, bool rings)
{
	memset(data(r), PATTERN, DATA_MEM);
	frozen.data = true;
	frozen.rings = rings;
	for (int i = 0; i < queues(r); i++)
		frozen.used[i] = used_idx(r, i);
	return 0;
}

static const char *after_freeze(struct race *r)
{
	for (size_t i = 0; frozen.data && i < DATA_MEM; i++)
		if (data(r)[i] != PATTERN)
			return "memory was written that is the driver's again";
	for (int i = 0; frozen.rings && i < queues(r); i++)
		if (used_idx(r, i) != frozen.used[i])
			return "a ring was written that is the driver's again";
	return NULL;
}

static int unmap_data(struct race *r)
{
	return race_err(iotlb_unmap(r->drv.fd, 0, drv_buf_iova(DATA_BUF),
				    DATA_MEM)) ?: freeze(r, false);
}

static int unmap_all(struct race *r)
{
	return race_err(iotlb_unmap(r->drv.fd, 0, DRV_IOVA, DRV_MEM)) ?:
	       freeze(r, true);
}

/* The worker is done when the reset is. */
static const char *after_unmap(struct race *r)
{
	const char *wrong;

	if (set_status(r->drv.fd, 0))
		return "it cannot be reset";
	wrong = after_freeze(r);
	if (iotlb_unmap(r->drv.fd, 0, DRV_IOVA, DRV_MEM) ||
	    drv_map_running(&r->drv, 0))
		return "it cannot be mapped again";
	return wrong;
}

static int reset(struct race *r)
{
	return race_err(set_status(r->drv.fd, 0)) ?: freeze(r, true);
}

static int suspend(struct race *r)
{
	return race_err(ioctl(r->drv.fd, VHOST_VDPA_SUSPEND)) ?:
	       freeze(r, true);
}

static const char *is_done(struct race *r, int idx)
{
	for (int n = 0; n < BUFS; n++)
		if (drv_used(&r->drv, idx, DRV_WAIT_MS) < 0)
			return "a request was lost";
	return NULL;
}

/*
 * A kick that came meanwhile is not lost. Frames may be: RX has stopped while
 * TX has not.
 */
static const char *after_suspend(struct race *r)
{
	const char *wrong = after_freeze(r);

	if (wrong)
		return wrong;
	if (ioctl(r->drv.fd, VHOST_VDPA_RESUME))
		return "it does not go on";
	return is_done(r, queues(r) - 1);
}

#define TRAFFIC(_kind, _traffic, _b, _after) { {			\
	.a = { _traffic }, .b = { _b }, .begin = begin_##_kind,		\
	.before = restart, .after = _after, .end = end_##_kind,		\
} }
#define NIC(_b, _after)		TRAFFIC(nic, send_frames, _b, _after)
#define DISK(_b, _after)	TRAFFIC(disk, read_sectors, _b, _after)

FIXTURE_VARIANT_ADD(race, nic_unmap_of_buffers_meets_worker)
	NIC(unmap_data, after_unmap);
FIXTURE_VARIANT_ADD(race, nic_unmap_of_rings_meets_worker)
	NIC(unmap_all, after_unmap);
FIXTURE_VARIANT_ADD(race, nic_reset_meets_worker) NIC(reset, after_freeze);
FIXTURE_VARIANT_ADD(race, nic_suspend_meets_worker)
	NIC(suspend, after_suspend);
FIXTURE_VARIANT_ADD(race, disk_unmap_of_buffers_meets_worker)
	DISK(unmap_data, after_unmap);
FIXTURE_VARIANT_ADD(race, disk_unmap_of_rings_meets_worker)
	DISK(unmap_all, after_unmap);
FIXTURE_VARIANT_ADD(race, disk_reset_meets_worker) DISK(reset, after_freeze);
FIXTURE_VARIANT_ADD(race, disk_suspend_meets_worker)
	DISK(suspend, after_suspend);

static int replace_calls(struct race *r)
{
	int old, err = 0;

	for (int i = 0; i < queues(r) && !err; i++) {
		old = race_event_new(r, EVENT + i);
		err = race_err(vq_file(r->drv.fd, VHOST_SET_VRING_CALL, i,
				       r->event[EVENT + i]));
		if (old > 0)
			close(old);
	}
	return err;
}

/* All is done, whoever was told of it. */
static const char *after_traffic(struct race *r)
{
	const char *wrong = NULL;

	for (int i = 0; i < queues(r) && !wrong; i++)
		wrong = is_done(r, i);
	return wrong;
}

/* EBUSY and EINVAL: nothing of a queue changes while it runs. */
static int change_queue(struct race *r)
{
	struct drv_vq *vq = &r->drv.vq[0];
	int fd = r->drv.fd;

	if (!vq_state(fd, VHOST_SET_VRING_NUM, 0, 32) ||
	    !vq_state(fd, VHOST_SET_VRING_BASE, 0, 7) ||
	    !vq_addr(fd, 0, vq->used_iova, vq->avail_iova, vq->desc_iova))
		return -EPROTO;
	return race_err(vq_get(fd, VHOST_GET_VRING_BASE, 0));
}

static int show(struct race *r)
{
	return nl_vstats(race_nl(), NAME, 0) ?:
	       nl_get(race_nl(), VDPA_CMD_DEV_CONFIG_GET, NAME);
}

static int change_mac(struct race *r)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, r->round };
	struct nl *nl = race_nl();

	nl_start(nl, VDPA_CMD_DEV_ATTR_SET);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, NAME);
	nl_put(nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, mac, sizeof(mac));
	return nl_do(nl);
}

FIXTURE_VARIANT_ADD(race, nic_call_eventfds_are_replaced_by_traffic)
	NIC(replace_calls, after_traffic);
FIXTURE_VARIANT_ADD(race, disk_call_eventfds_are_replaced_by_traffic)
	DISK(replace_calls, after_traffic);
FIXTURE_VARIANT_ADD(race, nic_queue_is_not_changed_by_traffic)
	NIC(change_queue, after_traffic);
FIXTURE_VARIANT_ADD(race, disk_queue_is_not_changed_by_traffic)
	DISK(change_queue, after_traffic);
FIXTURE_VARIANT_ADD(race, nic_show_meets_traffic) NIC(show, after_traffic);
FIXTURE_VARIANT_ADD(race, disk_show_meets_traffic) DISK(show, after_traffic);
FIXTURE_VARIANT_ADD(race, nic_change_of_address_meets_traffic)
	NIC(change_mac, after_traffic);

/* The device or its file goes: another one is there for the next round. */
static int close_it(struct race *r)
{
	return race_err(close(r->drv.fd)) ?: freeze(r, true);
}

static int delete(struct race *r)
{
	return nl_del(race_nl(), NAME) ?: freeze(r, true);
}

static const char *start_anew(struct race *r)
{
	r->drv.fd = -1;
	return drv_start(&r->drv, NAME, r->drv.mem) ?
		"it does not start again" : NULL;
}

static const char *after_close(struct race *r)
{
	const char *wrong = after_freeze(r);

	return wrong ?: start_anew(r);
}

static const char *after_delete(struct race *r, const char *mgmtdev)
{
	const char *wrong = after_freeze(r);

	close(r->drv.fd);
	if (nl_add(race_nl(), mgmtdev, NAME))
		return "there is no next device";
	return wrong ?: start_anew(r);
}

static const char *after_nic(struct race *r)
{
	return after_delete(r, "vdpasim_net");
}

static const char *after_disk(struct race *r)
{
	return after_delete(r, blk_file.mgmtdev);
}

FIXTURE_VARIANT_ADD(race, nic_close_meets_worker) NIC(close_it, after_close);
FIXTURE_VARIANT_ADD(race, nic_delete_meets_worker) NIC(delete, after_nic);
FIXTURE_VARIANT_ADD(race, disk_close_meets_worker)
	DISK(close_it, after_close);
FIXTURE_VARIANT_ADD(race, disk_delete_meets_worker) DISK(delete, after_disk);

/* As nic_up() does, but a thousand times. */
static int up(struct race *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	struct ifreq ifr = { .ifr_flags = IFF_UP };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.15s", r->name);
	err = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return err;
}

/* The kernel's own drivers: what they made of the device goes as well. */
static const char *begin_host(struct race *r)
{
	const char *reason;

	if (!nic_modules())
		return "no virtio_vdpa or virtio_net";
	reason = drv_device(NAME);
	if (reason)
		return reason;
	if (nic_bind(NAME, r->name, sizeof(r->name)))
		return "no interface";
	return up(r) ? "it does not come up" : NULL;
}

static int rebind(struct race *r)
{
	return driver_unbind("virtio_vdpa", NAME) ?:
	       driver_bind("virtio_vdpa", NAME);
}

/* The interface may be gone or not up yet, and may have another name. */
static int send_from_host(struct race *r)
{
	char nic[32];

	if (!nic_find(NAME, nic, sizeof(nic)))
		return -ENODEV;
	for (int i = 0; i < 8; i++)
		if (nic_send(nic))
			return -ENODEV;
	return 0;
}

static const char *up_again(struct race *r)
{
	if (!nic_find(NAME, r->name, sizeof(r->name)))
		return "there is no interface";
	return up(r) ? "it does not come up" : NULL;
}

static const char *end_host(struct race *r)
{
	return vdpa_del(NAME) ? "it cannot be deleted" : NULL;
}

#define HOST(...) { {							\
	.a = { rebind }, .b = __VA_ARGS__, .begin = begin_host,		\
	.before = up_again, .end = end_host, .part = 12,		\
} }

/* Upstream's unbind used the virtio device after its last reference. */
FIXTURE_VARIANT_ADD(race, host_rebind_meets_sending)
	HOST({ send_from_host, { ENODEV } });
/* EAGAIN: no features have been negotiated yet. */
FIXTURE_VARIANT_ADD(race, host_rebind_meets_show) HOST({ show, { EAGAIN } });

TEST_HARNESS_MAIN
