// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on one virtqueue.
 *
 * Each records itself, then does what a well-behaved parent would do to its
 * state, under mock->lock. What may not change while the device runs, and an
 * index that the device does not have, are breaches. Kicks arrive with
 * interrupts off.
 */
#include "mock.h"

#include <linux/mm.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_config.h>

static struct mock_vq *mock_vq(struct mock *m, enum mock_op op, u16 idx)
{
	if (idx < m->props.nvqs)
		return &m->vqs[idx];
	mock_breach(m, "%s: no vq %u", mock_op_name[op], idx);
	return NULL;
}

/* A vq that is about to be given other values: it or all of them stand. */
static struct mock_vq *mock_vq_idle(struct mock *m, enum mock_op op, u16 idx)
{
	struct mock_vq *vq = mock_vq(m, op, idx);
	bool reset = m->props.vq_reset &&
		     (m->driver_features & BIT_ULL(VIRTIO_F_RING_RESET)) &&
		     vq && !READ_ONCE(vq->ready);

	if ((READ_ONCE(m->status) & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    !READ_ONCE(m->suspended) && !reset)
		mock_breach(m, "%s: vq %u while running", mock_op_name[op],
			    idx);
	return vq;
}

int mock_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc,
			u64 driver, u64 device)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_vq_address, idx, desc, driver, device);
	struct mock_vq *vq = mock_vq_idle(m, MOCK_OP_set_vq_address, idx);

	if (err || !vq)
		return err ?: -EINVAL;

	scoped_guard(spinlock_irqsave, &m->lock) {
		vq->desc = desc;
		vq->driver = driver;
		vq->device = device;
	}
	return 0;
}

void mock_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_vq_num, idx, num);
	struct mock_vq *vq = mock_vq_idle(m, MOCK_OP_set_vq_num, idx);

	if (!num || num > m->props.vq_num_max)
		mock_breach(m, "set_vq_num: %u entries", num);
	if (err || !vq)
		return;

	scoped_guard(spinlock_irqsave, &m->lock)
		vq->num = num;
}

void mock_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, kick_vq, idx);
	struct mock_vq *vq = mock_vq(m, MOCK_OP_kick_vq, idx);

	if (err || !vq || !m->props.track)
		return;

	scoped_guard(spinlock_irqsave, &m->lock)
		vq->kicks++;
}

void mock_kick_vq_with_data(struct vdpa_device *vdpa, u32 data)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, kick_vq_with_data, data);
	struct mock_vq *vq = mock_vq(m, MOCK_OP_kick_vq_with_data, data);

	if (err || !vq)
		return;

	scoped_guard(spinlock_irqsave, &m->lock)
		vq->kicks++;
}

void mock_set_vq_cb(struct vdpa_device *vdpa, u16 idx,
		    struct vdpa_callback *cb)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_vq_cb, idx, !!cb->callback, !!cb->trigger);
	struct mock_vq *vq = mock_vq(m, MOCK_OP_set_vq_cb, idx);

	if (err || !vq)
		return;

	/* Once this returns, the old callback does not run any more. */
	scoped_guard(spinlock_irqsave, &m->cb_lock)
		vq->cb = *cb;
}

void mock_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_vq_ready, idx, ready);
	struct mock_vq *vq = mock_vq(m, MOCK_OP_set_vq_ready, idx);

	if (err || !vq)
		return;

	scoped_guard(spinlock_irqsave, &m->lock)
		vq->ready = ready;
}

bool mock_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, get_vq_ready, idx);
	struct mock_vq *vq = mock_vq(m, MOCK_OP_get_vq_ready, idx);

	return !err && vq && READ_ONCE(vq->ready);
}

int mock_set_vq_state(struct vdpa_device *vdpa, u16 idx,
		      const struct vdpa_vq_state *state)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_vq_state, idx, *(const u32 *)state);
	struct mock_vq *vq = mock_vq_idle(m, MOCK_OP_set_vq_state, idx);

	if (err || !vq)
		return err ?: -EINVAL;

	scoped_guard(spinlock_irqsave, &m->lock)
		vq->state = *state;
	return 0;
}

int mock_get_vq_state(struct vdpa_device *vdpa, u16 idx,
		      struct vdpa_vq_state *state)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, get_vq_state, idx);
	struct mock_vq *vq = mock_vq(m, MOCK_OP_get_vq_state, idx);

	if (err || !vq)
		return err ?: -EINVAL;

	scoped_guard(spinlock_irqsave, &m->lock) {
		*state = vq->state;
	}
	return 0;
}

struct vdpa_notification_area
mock_get_vq_notification(struct vdpa_device *vdpa, u16 idx)
{
	struct vdpa_notification_area area = { };
	struct mock *m = to_mock(vdpa);
	struct mock_vq *vq;
	int err;

	err = mock_call(m, get_vq_notification, idx);
	vq = mock_vq(m, MOCK_OP_get_vq_notification, idx);
	if (err || !vq)
		return area;

	area.addr = page_to_phys(vq->doorbell);
	area.size = PAGE_SIZE;
	if (m->props.doorbell == MOCK_DB_SHORT)
		area.size /= 2;
	else if (m->props.doorbell == MOCK_DB_UNALIGNED)
		area.addr += sizeof(u32);
	return area;
}

int mock_get_vq_irq(struct vdpa_device *vdpa, u16 idx)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, get_vq_irq, idx);

	if (err || !mock_vq(m, MOCK_OP_get_vq_irq, idx))
		return err ?: -EINVAL;
	return mock_value(m, MOCK_OP_get_vq_irq, -EINVAL);
}

int mock_get_vendor_vq_stats(struct vdpa_device *vdpa, u16 idx,
			     struct sk_buff *msg,
			     struct netlink_ext_ack *extack)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, get_vendor_vq_stats, idx);
	u32 times = mock_value(m, MOCK_OP_get_vendor_vq_stats, 1);

	if (!err && idx >= m->props.nvqs) {
		NL_SET_ERR_MSG(extack, "No such virtqueue");
		return -EINVAL;
	}
	while (!err && times--) {
		if (nla_put_string(msg, VDPA_ATTR_DEV_VENDOR_ATTR_NAME,
				   "kicks") ||
		    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE,
				      READ_ONCE(m->vqs[idx].kicks),
				      VDPA_ATTR_PAD))
			err = -EMSGSIZE;
	}
	return err;
}

u16 mock_get_vq_size(struct vdpa_device *vdpa, u16 idx)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, get_vq_size, idx);
	struct mock_vq *vq = mock_vq(m, MOCK_OP_get_vq_size, idx);
	u32 num;

	if (err || !vq)
		return 0;
	num = READ_ONCE(vq->num);
	return mock_value(m, MOCK_OP_get_vq_size, num ?: m->props.vq_num_max);
}

u32 mock_get_vq_group(struct vdpa_device *vdpa, u16 idx)
{
	struct mock *m = to_mock(vdpa);

	mock_call(m, get_vq_group, idx);
	mock_vq(m, MOCK_OP_get_vq_group, idx);
	return mock_value(m, MOCK_OP_get_vq_group, idx % m->props.ngroups);
}

/* Recorded is how many CPUs there are in it. */
int mock_set_vq_affinity(struct vdpa_device *vdpa, u16 idx,
			 const struct cpumask *mask)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_vq_affinity, idx,
			    mask ? cpumask_weight(mask) : 0);

	if (!mock_vq(m, MOCK_OP_set_vq_affinity, idx))
		return -EINVAL;
	return err;
}

/* All descriptor areas are in the last group. */
u32 mock_get_vq_desc_group(struct vdpa_device *vdpa, u16 idx)
{
	struct mock *m = to_mock(vdpa);

	mock_call(m, get_vq_desc_group, idx);
	mock_vq(m, MOCK_OP_get_vq_desc_group, idx);
	return mock_value(m, MOCK_OP_get_vq_desc_group, m->props.ngroups - 1);
}

/* A reset forgets callbacks too, as VDUSE does. */
void mock_vqs_reset(struct mock *m)
{
	struct mock_vq *vq;
	u32 i;

	for (i = 0; i < m->props.nvqs; i++) {
		vq = &m->vqs[i];
		scoped_guard(spinlock_irqsave, &m->cb_lock)
			vq->cb = (struct vdpa_callback){ };
		scoped_guard(spinlock_irqsave, &m->lock) {
			vq->desc = 0;
			vq->driver = 0;
			vq->device = 0;
			vq->num = 0;
			vq->ready = false;
			vq->state = (struct vdpa_vq_state){ };
		}
	}
}
