// SPDX-License-Identifier: GPL-2.0-only
/*
 * A software device and its hostile driver; see softdev.h. The input is a few
 * bytes of setup and then operations, one after the other.
 *
 * Besides what the sanitizers see: every chain that was fetched is completed,
 * once, or is known to be in flight; in the end none is.
 */
#include "softdev.h"

#include <linux/vdpa_change.h>
#include <linux/vdpa_refuse.h>
#include <linux/virtio_ring.h>

enum op {
	OP_DESC, OP_TABLE, OP_CHAIN, OP_FILL, OP_OFFER, OP_IDX, OP_POKE,
	OP_WORK, OP_STOP, OP_CLASS, OP_NR
};

struct vdpa_soft *soft_dev;

static struct {
	struct vring_desc *desc;
	struct vring_avail *avail;
} rings[SOFT_VQS];

static u8 *mem;	/* at SOFT_MEM */

/* What the modules get from vdpa_soft.ko and vdpa.ko. */
struct vdpa_soft *vdpa_soft_alloc(struct device *parent, size_t size,
				  const struct vdpa_soft_class *class,
				  const struct vdpa_soft_cfg *cfg)
{
	struct vdpa_soft *soft = calloc(1, size);

	soft->class = class;
	soft->features = cfg->features;
	soft->nvqs = cfg->nvqs;
	soft->vq_max = cfg->vq_max;
	soft->config = calloc(1, class->config_size);
	soft->vqs = calloc(soft->nvqs, sizeof(*soft->vqs));
	for (int i = 0; i < soft->nvqs; i++) {
		soft->vqs[i].soft = soft;
		soft->vqs[i].idx = i;
		soft->vqs[i].running = true;
	}
	assert(soft->nvqs <= SOFT_VQS);
	soft_dev = soft;
	return soft;
}

int vdpa_soft_choose_features(u64 *features,
			      const struct vdpa_dev_set_config *config)
{
	return 0;
}

int vdpa_soft_register(struct vdpa_soft *soft, struct vdpa_mgmt_dev *mdev)
{
	return 0;
}

void vdpa_soft_stop(struct vdpa_soft *soft)
{
}

void vdpa_soft_unregister(struct vdpa_soft *soft)
{
}

void vdpa_soft_vq_queue(struct vdpa_soft_vq *vq)
{
	vq->work.pending = true;
}

int vdpa_refuse(int err, const char *fmt, ...)
{
	return err;
}

void vdpa_set_change_ops(struct vdpa_device *vdpa,
			 const struct vdpa_change_ops *ops)
{
}

void vdpa_device_changed(struct vdpa_device *vdpa)
{
}

/* Is nothing lost and nothing completed twice? A broken ring is left as is. */
static void check_vq(struct vdpa_soft_vq *vq)
{
	struct vdpa_ring_state state;

	if (vq->broken)
		return;
	vdpa_ring_get_state(vq->ring, &state);
	assert((u16)(state.avail - state.used) == soft_target.in_flight(vq));
}

static bool vq_usable(struct vdpa_soft_vq *vq)
{
	if (vq->broken)
		return false;
	vdpa_ring_kick_disable(vq->ring);
	return true;
}

static void vq_finish(struct vdpa_soft_vq *vq, enum vdpa_soft_next next)
{
	vdpa_ring_publish(vq->ring);
	if (next == VDPA_SOFT_AGAIN ||
	    (next == VDPA_SOFT_WAIT && vdpa_ring_kick_enable(vq->ring)))
		vdpa_soft_vq_queue(vq);
	if (next == VDPA_SOFT_BROKEN)
		vq->broken = true;
	check_vq(vq);
}

bool vdpa_soft_vq_enter(struct vdpa_soft_vq *vq)
{
	mutex_lock(&vq->lock);
	if (vq_usable(vq))
		return true;
	mutex_unlock(&vq->lock);
	return false;
}

void vdpa_soft_vq_leave(struct vdpa_soft_vq *vq, enum vdpa_soft_next next)
{
	vq_finish(vq, next);
	mutex_unlock(&vq->lock);
}

static void vq_work(struct vdpa_soft_vq *vq)
{
	vq->work.pending = false;
	down_read(&soft_dev->map_lock);
	mutex_lock(&vq->lock);
	if (vq_usable(vq))
		vq_finish(vq, soft_dev->class->work(vq));
	mutex_unlock(&vq->lock);
	up_read(&soft_dev->map_lock);
}

/* As vdpa_soft.ko does it: complete what has ended, or forget it. */
static void vq_stop(struct vdpa_soft_vq *vq)
{
	const struct vdpa_soft_class *class = soft_dev->class;
	struct vdpa_ring_state state;

	if (class->drain)
		class->drain(vq);
	mutex_lock(&vq->lock);
	if (class->reap && !vq->broken) {
		class->reap(vq);
		vq_finish(vq, VDPA_SOFT_IDLE);
	}
	vdpa_ring_get_state(vq->ring, &state);
	assert(vq->broken || state.avail == state.used);
	if (class->forget)
		class->forget(vq);
	assert(!soft_target.in_flight(vq));
	state.used = state.avail;
	vdpa_ring_set_state(vq->ring, &state);
	vq->broken = false;
	mutex_unlock(&vq->lock);
}

/* The device stops, and starts again where its rings stood. */
static void stop_and_go(void)
{
	soft_target.end_requests();
	for (int i = 0; i < soft_dev->nvqs; i++)
		vq_stop(&soft_dev->vqs[i]);
}

/* A chain that may well be good, in descriptors that follow each other. */
static void put_chain(int idx, u32 size)
{
	struct vring_desc *desc = rings[idx].desc;
	u32 head = get8() % size, nr_out = get8() % 4, nr_in = get8() % 3;
	u32 nr = min(nr_out + nr_in, size);

	for (u32 i = 0; i < nr; i++) {
		struct vring_desc *d = &desc[(head + i) % size];

		d->addr = cpu_to_le64(SOFT_MEM + get8() * 16);
		d->len = cpu_to_le32(get16());
		d->flags = cpu_to_le16((i + 1 < nr ? VRING_DESC_F_NEXT : 0) |
				       (i < nr_out ? 0 : VRING_DESC_F_WRITE));
		d->next = cpu_to_le16((head + i + 1) % size);
	}
	put_avail(rings[idx].avail, size, head);
}

/* Bytes of the input, as headers and data. */
static void fill(void)
{
	u32 at = get8() * 16, len = get8() % 64;

	while (len-- && at < SOFT_MEM_BYTES)
		mem[at++] = get8();
}

static void do_op(enum op op)
{
	int idx = get8() % soft_dev->nvqs;
	struct vdpa_soft_vq *vq = &soft_dev->vqs[idx];

	switch (op) {
	case OP_DESC:
		put_desc(rings[idx].desc, vq->size);
		break;
	case OP_TABLE:
		put_desc(mem, SOFT_MEM_BYTES / sizeof(struct vring_desc));
		break;
	case OP_CHAIN:
		put_chain(idx, vq->size);
		break;
	case OP_FILL:
		fill();
		break;
	case OP_OFFER:
		put_avail(rings[idx].avail, vq->size, get8() % vq->size);
		break;
	case OP_IDX:
		put_avail_idx(rings[idx].avail, get16());
		break;
	case OP_POKE:
		area_poke();
		break;
	case OP_WORK:
		vq_work(vq);
		break;
	case OP_STOP:
		stop_and_go();
		break;
	default:
		soft_target.op();
	}
}

static void make_ring(struct vdpa_soft_vq *vq, u32 size)
{
	struct vdpa_ring_cfg cfg = {
		.features = soft_dev->driver_features, .size = size,
		.mem = { .translate = translate, .priv = vq },
	};
	u64 iova = 0x10000 * (vq->idx + 1);

	cfg.desc = area_add(iova, vdpa_ring_desc_bytes(size, cfg.features),
			    AREA_RW);
	cfg.driver = area_add(iova + 0x1000,
			      vdpa_ring_driver_bytes(size, cfg.features),
			      AREA_RW);
	cfg.device = area_add(iova + 0x2000,
			      vdpa_ring_device_bytes(size, cfg.features),
			      AREA_RW);
	rings[vq->idx].desc = cfg.desc;
	rings[vq->idx].avail = cfg.driver;
	vq->size = size;
	vq->ring = vdpa_ring_create(&cfg);
	assert(!IS_ERR(vq->ring));
}

static void setup(void)
{
	u32 size = 1U << get8() % 8;
	u8 how = get8();

	soft_target.make(how);
	/* What a device does not offer anyway, and what the driver leaves. */
	soft_dev->features &= ~(BIT_ULL(VIRTIO_F_RING_PACKED) |
				BIT_ULL(VIRTIO_F_IN_ORDER));
	soft_dev->driver_features = soft_dev->features & ~(u64)get32();
	mem = area_add(SOFT_MEM, SOFT_MEM_BYTES, AREA_RW);
	area_add(SOFT_MEM + SOFT_MEM_BYTES, 100, VDPA_RING_READ);
	area_add(SOFT_MEM + SOFT_MEM_BYTES + 100, 100, VDPA_RING_WRITE);
	area_add(0 - 0x1000ULL, 0x1000, AREA_RW);
	for (int i = 0; i < soft_dev->nvqs; i++)
		make_ring(&soft_dev->vqs[i], size);
	chaos_begin(get32());
}

static void finish(void)
{
	chaos_end();
	stop_and_go();
	for (int i = 0; i < soft_dev->nvqs; i++)
		vdpa_ring_destroy(soft_dev->vqs[i].ring);
	soft_dev->class->free(soft_dev);
	free(soft_dev->vqs);
	free(soft_dev->config);
	free(soft_dev);
	areas_free();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	input_begin(data, size);
	setup();
	while (input_left())
		do_op(get8() % OP_NR);
	finish();
	return 0;
}
