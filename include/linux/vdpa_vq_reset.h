/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: Reset of one virtqueue
 *
 * Reset of one virtqueue while the device runs (virtio 1.2, 2.6.1), which
 * struct vdpa_config_ops has no operation for.
 *
 * A parent that can do it with the operations there are declares so between
 * vdpa_alloc_device() and registration::
 *
 *	vdpa_declare_vq_reset(&foo->vdpa);
 *	err = _vdpa_register_device(&foo->vdpa, nvqs);
 *
 * and offers VIRTIO_F_RING_RESET in get_device_features(). Without that bit
 * the declaration means nothing. Without the declaration a bus driver does not
 * take the bit, whatever the parent offers: it may only pass it on from
 * somebody who resets queues in another way.
 *
 * With the feature negotiated, the status DRIVER_OK and not suspended, while
 * the other queues run on, the parent then promises for each queue:
 *
 * set_vq_ready(idx, false)
 *	Resets the queue. When it returns the device touches neither its rings
 *	nor the buffers in them, chains in flight are dropped, and get_vq_ready()
 *	answers false; if that still answers true, the queue was not reset and
 *	goes on as before.
 * set_vq_num(), set_vq_address(), set_vq_state(), set_vq_cb()
 *	Are taken while the queue is not ready, and stand from its next start on.
 *	They are called in this order before it. The state given is that of a
 *	ring that begins. The number may be any that the queue can have.
 * set_vq_ready(idx, true)
 *	Starts the queue anew, at that state. get_vq_ready() answers true after
 *	it; if it does not, the queue has not started.
 * kick_vq(idx), kick_vq_with_data()
 *	Of a queue that is not ready do nothing, as ever.
 */
#ifndef _LINUX_VDPA_VQ_RESET_H
#define _LINUX_VDPA_VQ_RESET_H

#include <linux/types.h>

struct vdpa_device;

/* device.c */
void vdpa_declare_vq_reset(struct vdpa_device *vdpa);
bool vdpa_can_vq_reset(const struct vdpa_device *vdpa);

#endif /* _LINUX_VDPA_VQ_RESET_H */
