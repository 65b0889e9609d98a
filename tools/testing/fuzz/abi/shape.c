// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shape of a device, drawn; and the model at the points where everything
 * starts anew: a reset, a session, a device.
 */
#include "random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "rows.h"
#include "vhost.h"

static const char *const mapping_name[NR_MAPPINGS] = {
	[MAP_DMA] = "dma_map", [MAP_SET] = "set_map", [MAP_VA] = "va",
	[MAP_SET_VA] = "set_map_va", [MAP_IOMMU] = "none",
};

/* Bits that no driver would refuse to see. */
#define FEATURES	(BIT_ULL(32) | BIT_ULL(33) | BIT_ULL(34) | \
			 BIT_ULL(28) | BIT_ULL(29))

static uint64_t backend_of(const struct shape *shape, bool late, bool reset_map)
{
	uint64_t features = BIT_ULL(VHOST_BACKEND_F_IOTLB_MSG_V2) |
			    BIT_ULL(VHOST_BACKEND_F_IOTLB_BATCH);

	if (shape->nas > 1 || shape->can_asid)
		features |= BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID);
	if (shape->can_suspend)
		features |= BIT_ULL(VHOST_BACKEND_F_SUSPEND);
	if (shape->can_resume)
		features |= BIT_ULL(VHOST_BACKEND_F_RESUME);
	if (shape->has_desc_group && shape->can_asid)
		features |= BIT_ULL(VHOST_BACKEND_F_DESC_ASID);
	if (reset_map)
		features |= BIT_ULL(VHOST_BACKEND_F_IOTLB_PERSIST);
	if (late)
		features |= BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK);
	return features;
}

static void __printf(2, 3) knobs_add(struct shape *s, const char *fmt, ...)
{
	size_t len = strlen(s->knobs);
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->knobs + len, sizeof(s->knobs) - len, fmt, args);
	va_end(args);
}

static void knobs_write(struct shape *s, bool late, bool reset_map,
			const char *dma_dev)
{
	uint64_t parent = late ?
		BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK) : 0;
	uint64_t features = s->features | BIT_ULL(F_RING_RESET);

	knobs_add(s, "mapping=%s nvqs=%u ngroups=%u nas=%u ",
		  mapping_name[s->mapping], s->nvqs, s->ngroups, s->nas);
	knobs_add(s, "vq_num_max=%u config_size=%u ", s->vq_num_max,
		  s->config_size);
	knobs_add(s, "iova_first=%#lx iova_last=%#lx doorbell=%s ",
		  s->iova_first, s->iova_last, s->doorbell);
	knobs_add(s, "features=%#lx backend_features=%#lx ", features, parent);
	if (*dma_dev)
		knobs_add(s, "dma_dev=%s ", dma_dev);
	knobs_add(s, "without=compat_reset%s%s%s%s%s%s%s",
		  s->can_suspend ? "" : ",suspend",
		  s->can_resume ? "" : ",resume",
		  s->can_asid ? "" : ",set_group_asid",
		  s->has_size ? "" : ",get_vq_size",
		  s->has_desc_group ? "" : ",get_vq_desc_group",
		  s->has_generation ? "" : ",get_generation",
		  reset_map ? "" : ",reset_map");
}

static void mock_draw(struct rng *rng, struct shape *s, const char *dma_dev)
{
	bool late = rng_percent(rng, 70), reset_map = rng_percent(rng, 80);
	bool narrow = rng_percent(rng, 20);

	s->nvqs = 1 + rng_below(rng, MAX_VQS);
	s->mapping = rng_pick(rng, MAP_DMA, MAP_SET, MAP_DMA, MAP_SET, MAP_VA,
			      MAP_SET_VA);
	s->ngroups = 1 + rng_below(rng, MAX_GROUPS);
	s->nas = 1 + rng_below(rng, MAX_AS);
	if (*dma_dev) {
		/* It has one address space, which a reset does not change. */
		s->mapping = MAP_IOMMU;
		s->ngroups = 1;
		s->nas = 1;
		reset_map = true;
	}
	s->vq_num_max = rng_pick(rng, 1, 16, 256, 1000);
	s->config_size = 1 + rng_below(rng, MAX_CONFIG);
	s->features = FEATURES;
	s->iova_first = narrow ? rng_pick(rng, PAGE, 3 * PAGE + 5) : 0;
	s->iova_last = narrow ? rng_pick(rng, 96 * PAGE - 1, 80 * PAGE + 77,
					 (1UL << 48) - 1) : UINT64_MAX;
	s->can_suspend = rng_percent(rng, 80);
	s->can_resume = rng_percent(rng, 80);
	s->can_asid = rng_percent(rng, 85);
	s->has_size = rng_percent(rng, 80);
	s->has_desc_group = rng_percent(rng, 80);
	s->has_generation = rng_percent(rng, 80);
	s->doorbell = rng_pick(rng, "page", "page", "page", "none", "short",
			       "unaligned");
	s->backend = backend_of(s, late, reset_map);
	knobs_write(s, late, reset_map, dma_dev);
}

void shape_draw(struct rng *rng, struct shape *shape,
		const struct options *opts)
{
	memset(shape, 0, sizeof(*shape));
	shape->mock = opts->mock;
	shape->mapping = MAP_DMA;
	shape->doorbell = "none";
	if (opts->mock)
		mock_draw(rng, shape, opts->dma_dev);
	else
		knobs_add(shape, "vdpasim_net");
	if (rng_percent(rng, 40))
		shape->memlock = rng_pick(rng, 16, 64, 600);
}

/* The device's own may be larger than that of its IOMMU. */
void shape_ask_range(struct shape *s, int fd)
{
	struct vhost_vdpa_iova_range range;

	if (ioctl(fd, VHOST_VDPA_GET_IOVA_RANGE, &range))
		fail("the device has no range: %s", err_name(errno));
	s->iova_first = range.first;
	s->iova_last = range.last;
}

/* A device that nobody has made to measure. */
void shape_ask(struct shape *s, int fd)
{
	uint16_t num;

	if (ioctl(fd, VHOST_VDPA_GET_VQS_COUNT, &s->nvqs) ||
	    ioctl(fd, VHOST_VDPA_GET_GROUP_NUM, &s->ngroups) ||
	    ioctl(fd, VHOST_VDPA_GET_AS_NUM, &s->nas) ||
	    ioctl(fd, VHOST_VDPA_GET_CONFIG_SIZE, &s->config_size) ||
	    ioctl(fd, VHOST_VDPA_GET_VRING_NUM, &num) ||
	    ioctl(fd, VHOST_GET_FEATURES, &s->features) ||
	    ioctl(fd, VHOST_GET_BACKEND_FEATURES, &s->backend))
		fail("the device does not say what it is: %s", err_name(errno));
	s->vq_num_max = num;
	if (s->features & BIT_ULL(F_RING_RESET))
		fail("reset of single queues is on offer");
	shape_ask_range(s, fd);
	if (s->nvqs > MAX_VQS || s->nas > MAX_AS || s->ngroups > MAX_GROUPS ||
	    s->config_size > MAX_CONFIG)
		fail("the device is larger than the model");
}

/* A round starts. */
void model_forget(void)
{
	int i;

	for (i = 0; i < MAX_AS; i++) {
		free(m.as[i].map.at);
		free(m.as[i].dev.at);
	}
	memset(&m, 0, sizeof(m));
}

void model_reset(void)
{
	int i;

	m.status = 0;
	m.features = 0;
	m.features_valid = false;
	m.suspended = false;
	bypass_end();
	memset(m.group_asid, 0, sizeof(m.group_asid));
	for (i = 0; i < MAX_VQS; i++) {
		struct vq *vq = &m.vq[i];

		vq->desc = 0;
		vq->avail = 0;
		vq->used = 0;
		vq->num = 0;
		vq->state = 0;
		vq->ready = false;
	}
}

/* Before one and after one. */
void model_session(void)
{
	int i;

	model_reset();
	m.owner = NOBODY;
	m.backend = 0;
	m.fork = VHOST_FORK_OWNER_TASK;
	m.config_event = -1;
	for (i = 0; i < MAX_VQS; i++) {
		m.vq[i].busyloop = 0;
		m.vq[i].call = -1;
		m.vq[i].kick = -1;
	}
	for (i = 0; i < MAX_AS; i++)
		space_empty(&m.as[i]);
}

void model_device(void)
{
	int i;

	model_session();
	for (i = 0; i < MAX_VQS; i++) {
		m.vq[i].kicks = 0;
		m.doorbell[i] = 0;
	}
	for (i = 0; i < m.shape.config_size; i++)
		m.config[i] = i;
	m.generation = 0;
}
